"""Rules that hold for every welcome and every digest, in every language and of any size."""

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from msgspec.structs import replace

from apple_tokens.model import Problem, Tenant, TokenKind
from notify.card import LIMIT_BYTES, size_bytes
from notify.elements import Element
from notify.remediation import Language, load
from sandbox.specimens.every import every_overview
from sandbox.specimens.overviews import (
    DIGEST,
    WELCOME,
    Overview,
    ailing,
    expired,
    long_expired,
    overview,
    row,
    snoozed,
)
from sandbox.specimens.tokens import token
from tests.card_reading import lines, links, nodes, of_type, text
from tests.specimens import large
from tests.test_card_structure import (
    ALLOWED,
    FOREIGN_IN_TOKEN,
    LANGUAGES,
    MARKDOWN,
    PLANTED,
    assert_valid,
    newest_version,
)
from tests.test_card_text import FOREIGN, HOSTILE

GOLDEN = Path(__file__).parent / "golden" / "overviews"
OVERVIEWS = dict(every_overview())
EN, JA = Language.EN, Language.JA
WORST_NAME = '"\\' * 100 + "{number}"
WORST_TEXT = '"\\😀漢' * 60


@cache
def cards(name: str) -> list[Element]:
    return [OVERVIEWS[name].card(*languages) for languages in LANGUAGES]


@cache
def planted_cards(name: str) -> list[Element]:
    found = planted(OVERVIEWS[name], PLANTED)
    return [found.card(*languages) for languages in LANGUAGES]


def planted(found: Overview, written: str) -> Overview:
    """Return an overview in which others wrote the same text wherever they can write."""
    in_token = dict.fromkeys(FOREIGN_IN_TOKEN.split(), written)
    in_alert = {"snooze_reason": written, "snoozed_by": written}
    tenant = Tenant(id=found.message.tenant.id, name=written)
    return replace(
        found,
        message=replace(found.message, tenant=tenant),
        tokens=[replace(row, token=replace(row.token, **in_token)) for row in found.tokens],
        alerts=[replace(alert, **in_alert) for alert in found.alerts],
    )


def assert_shown_by_teams(card: Element) -> None:
    assert card["version"] == "1.4"
    assert card["msteams"] == {"width": "Full"}
    assert card["fallbackText"]
    assert size_bytes(card) <= LIMIT_BYTES
    for node in nodes(card):
        assert set(node) - {"type"} <= ALLOWED[node["type"]], node
    assert all(block["wrap"] is True for block in of_type(card, "TextBlock"))
    assert all(run["text"].strip() for run in of_type(card, "TextRun") if run["text"] != " · ")


@pytest.mark.parametrize("name", OVERVIEWS)
def test_a_card_is_what_teams_can_show(name: str) -> None:
    for card in cards(name):
        assert_shown_by_teams(card)


@pytest.mark.parametrize("name", OVERVIEWS)
def test_a_card_satisfies_microsofts_schema_and_uses_nothing_newer_than_1_4(name: str) -> None:
    for card in cards(name):
        assert_valid("AdaptiveCard", {key: card[key] for key in card if key != "msteams"})
        for node in nodes(card):
            assert newest_version(node["type"], frozenset(node)) <= (1, 4), node


@pytest.mark.parametrize("name", OVERVIEWS)
def test_the_head_says_in_words_how_urgent_it_is_and_whose_tenant_it_is(name: str) -> None:
    for languages, card in zip(LANGUAGES, cards(name), strict=True):
        catalogue = load(languages[0])
        known = {str(catalogue.words[key]) for key in catalogue.words if "severity." in key}
        head = of_type(card, "Container")[0]
        first = [run["text"] for run in head["items"][0]["inlines"]]

        assert first[0].split(" ", 1)[1] in known | {catalogue.word("health.healthy")}
        assert first[-1] == "Contoso"


@pytest.mark.parametrize("name", OVERVIEWS)
def test_words_of_our_own_are_no_markdown_by_accident(name: str) -> None:
    for card in cards(name):
        for block in of_type(card, "TextBlock"):
            assert not MARKDOWN.search(block["text"]), block["text"]
        assert not MARKDOWN.search(str(card["fallbackText"]))


@pytest.mark.parametrize("name", OVERVIEWS)
def test_text_of_others_stands_in_text_runs_only(name: str) -> None:
    for card in planted_cards(name):
        for node in nodes(card):
            own = {key: value for key, value in node.items() if not isinstance(value, list)}
            if node["type"] != "TextRun":
                assert "lanted" not in str(own), node
        assert any("Planted" in run["text"] for run in of_type(card, "TextRun"))


@pytest.mark.parametrize("name", OVERVIEWS)
def test_buttons_open_addresses_of_the_catalogue_only(name: str) -> None:
    places = load(EN).places
    known = {*places.learn.values(), *places.apple.values()}
    known |= {url for page in places.intune.values() for url in page.values()}

    for card in planted_cards(name):
        assert set(links(card).values()) <= known


@pytest.mark.parametrize("name", OVERVIEWS)
def test_every_button_unfolds_what_is_there_once_and_everything_folded_has_one(name: str) -> None:
    for card in cards(name):
        toggles = of_type(card, "Action.ToggleVisibility")
        targets = [target for toggle in toggles for target in toggle["targetElements"]]
        folded = [node["id"] for node in nodes(card) if "id" in node]

        assert sorted(targets) == sorted(folded)
        assert len(set(folded)) == len(folded)
        assert all(node["isVisible"] is False for node in nodes(card) if "id" in node)


@pytest.mark.parametrize("name", OVERVIEWS)
def test_buttons_stand_on_no_coloured_ground_where_a_dark_theme_hides_their_labels(
    name: str,
) -> None:
    for card in cards(name):
        coloured = [box for box in of_type(card, "Container") if box.get("style")]
        assert not [box for box in coloured if of_type(box, "ActionSet")]


@pytest.mark.parametrize("name", OVERVIEWS)
def test_the_second_language_says_the_same_behind_a_button_that_it_names_itself(name: str) -> None:
    english, _, both = cards(name)
    body = both["body"]
    assert isinstance(body, list)
    button, folded = body[-2:]

    assert button["actions"][0]["title"] == "Show in English"
    assert button["actions"][0]["targetElements"] == [folded["id"]]
    assert lines(folded)[:2] == lines(english)[:2]
    assert lines(folded)[-1] == lines(english)[-1]


@pytest.mark.parametrize("name", OVERVIEWS)
def test_the_same_rows_make_the_same_card_in_whatever_order_they_come(name: str) -> None:
    found = OVERVIEWS[name]
    backwards = replace(found, tokens=found.tokens[::-1], alerts=found.alerts[::-1])

    assert backwards.card() == found.card()


@pytest.mark.parametrize("languages", LANGUAGES, ids="-".join)
@pytest.mark.parametrize("batch", [WELCOME, DIGEST])
@pytest.mark.parametrize(
    "name,written",
    [("{kind} {number:04}", ""), (WORST_NAME, WORST_TEXT)],
    ids=["names", "worst_names"],
)
def test_the_largest_tenant_fits_into_one_card(
    batch: str, name: str, written: str, languages: tuple[Language, ...]
) -> None:
    card = large(batch, name, written).card(*languages)

    assert_shown_by_teams(card)
    if languages == (EN,):
        assert "2000 tokens" in text(card)
        assert "more" in text(card)


@pytest.mark.parametrize("batch", [WELCOME, DIGEST])
def test_a_card_lists_as_much_as_it_has_room_for(batch: str) -> None:
    # A further token of each problem at once is a step of some thousand bytes.
    assert size_bytes(large(batch).card()) > LIMIT_BYTES - 6_000


@pytest.mark.no_cover
@given(written=FOREIGN)
@settings(max_examples=60)
@example(written="".join(HOSTILE))
@example(written="")
@pytest.mark.parametrize(
    "name", ["welcome-first_day", "welcome-push_certificate", "digest-troubled"]
)
def test_whatever_others_write_changes_no_element_of_the_card(name: str, written: str) -> None:
    card = planted(OVERVIEWS[name], written).card(JA, EN)

    assert_shown_by_teams(card)
    assert json.loads(json.dumps(card)) == card
    assert links(card).keys() == links(cards(name)[2]).keys()
    for run in of_type(card, "TextRun"):
        assert "<at" not in run["text"]
        assert "{{" not in run["text"]
        assert "\n" not in run["text"]


def test_a_row_of_a_token_that_is_missing_leaves_a_card() -> None:
    pairs = [
        snoozed(Problem.ADE_TOKEN_EXPIRED, expired(TokenKind.ADE, 1), days=20),
        ailing(Problem.VPP_TOKEN_INVALID, token(TokenKind.VPP, 2)),
        long_expired(TokenKind.ADE, 3, days=50),
    ]
    alerts = [alert for _, alert in pairs]

    for batch in (WELCOME, DIGEST):
        assert "vpp-2" in text(overview(DIGEST, alerts=alerts).card())
        assert_shown_by_teams(overview(batch, alerts=alerts).card(JA, EN))


def test_a_date_at_the_end_of_time_or_none_at_all_leaves_a_card() -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    dated = [row(token(TokenKind.ADE, 1, expires_on=never))]
    undated = ailing(Problem.EXPIRY_UNKNOWN, token(TokenKind.ADE, expires_on=None))

    card = overview(DIGEST, [undated], *dated).card(JA, EN)

    assert_shown_by_teams(card)
    assert "9999-12-31" in text(card)


GOLDEN_CARDS = [(name, "en") for name in OVERVIEWS if "every_problem" not in name]
GOLDEN_CARDS += [
    (name, languages)
    for name in ("welcome-first_day", "digest-healthy", "digest-troubled")
    for languages in ("ja", "ja-en")
]


@pytest.mark.parametrize("name,languages", GOLDEN_CARDS)
def test_a_card_is_as_it_was_when_it_was_last_looked_at(name: str, languages: str) -> None:
    golden = GOLDEN / f"{name}.{languages}.json"
    card = OVERVIEWS[name].card(*map(Language, languages.split("-")))
    made = json.dumps(card, ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")

    assert made == golden.read_text(encoding="utf-8"), "look at it, then run with UPDATE_GOLDEN=1"


def test_every_golden_card_is_still_made() -> None:
    made = {f"{name}.{languages}" for name, languages in GOLDEN_CARDS}

    assert {path.stem for path in GOLDEN.glob("*.json")} == made
