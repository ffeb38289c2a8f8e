"""Rules that hold for every card that can be made, in every language."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from apple_tokens.model import AppleToken, Facts, Tenant
from notify.card import LIMIT_BYTES, size_bytes
from notify.elements import Element
from notify.remediation import Language, load
from sandbox.specimens.alerts import Specimen
from sandbox.specimens.every import every_specimen
from tests.card_reading import lines, links, nodes, of_type, steps

pytestmark = pytest.mark.no_cover

SPECIMENS = dict(every_specimen())
LANGUAGES = ((Language.EN,), (Language.JA,), (Language.JA, Language.EN))
SCHEMA = json.loads(
    (Path(__file__).parent / "schemas" / "adaptive-card-1.5.0.schema.json").read_text("utf-8")
)
# What Teams shows reliably. No `color` anywhere: coloured text is too faint on white.
ALLOWED = {
    "AdaptiveCard": {"$schema", "version", "lang", "fallbackText", "msteams", "body"},
    "TextBlock": {"text", "wrap", "weight", "size", "spacing"},
    "RichTextBlock": {"inlines", "spacing", "separator"},
    "TextRun": {"text", "weight", "size", "isSubtle"},
    "Container": {"items", "style", "bleed", "spacing", "separator", "id", "isVisible"},
    "ColumnSet": {"columns", "spacing"},
    "Column": {"items", "width"},
    "ActionSet": {"actions"},
    "Action.OpenUrl": {"title", "url"},
    "Action.ToggleVisibility": {"title", "targetElements"},
}
MARKDOWN = re.compile(r"[*_`~|\\<\[\]]|^\s*(?:[-+#>]|\d+[.)])|https?://|www\.")
PLANTED = "Planted [x](https://planted.example) **name**"
FOREIGN_IN_TOKEN = """
    name apple_account organization location country topic serial_number upload_failure
"""
FOREIGN_IN_FACTS = """
    old_topic old_serial_number new_serial_number old_apple_account new_apple_account detail
    request_id accepted_by accepted_reason
"""
# Which definition of the schema the parts of an element must satisfy.
PARTS = {
    "body": "ImplementationsOf.Element",
    "items": "ImplementationsOf.Element",
    "columns": "Column",
    "inlines": "ImplementationsOf.Inline",
    "actions": "ImplementationsOf.Action",
}


@cache
def cards(name: str) -> list[Element]:
    return [SPECIMENS[name].card(*languages) for languages in LANGUAGES]


@cache
def planted_cards(name: str) -> list[Element]:
    return [planted(SPECIMENS[name]).card(*languages) for languages in LANGUAGES]


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_card_is_what_teams_can_show(name: str) -> None:
    for card in cards(name):
        assert card["version"] == "1.4"
        assert card["msteams"] == {"width": "Full"}
        assert card["fallbackText"]
        assert card["lang"] in list(Language)
        assert size_bytes(card) <= LIMIT_BYTES
        for node in nodes(card):
            assert set(node) - {"type"} <= ALLOWED[node["type"]], node
        assert all(block["wrap"] is True for block in of_type(card, "TextBlock"))
        assert all(run["text"].strip() for run in of_type(card, "TextRun") if run["text"] != " · ")


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_card_satisfies_microsofts_schema_and_uses_nothing_newer_than_1_4(name: str) -> None:
    for card in cards(name):
        without_extension = {key: card[key] for key in card if key != "msteams"}
        assert_valid("AdaptiveCard", without_extension)
        for node in nodes(card):
            assert newest_version(node["type"], frozenset(node)) <= (1, 4), node


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_head_says_how_urgent_it_is_in_words_and_whose_tenant_it_is(name: str) -> None:
    for languages, card in zip(LANGUAGES, cards(name), strict=True):
        words = load(languages[0]).words
        severities = {str(words[key]) for key in words if key.startswith("severity.")}
        head = of_type(card, "Container")[0]
        first = [run["text"] for run in head["items"][0]["inlines"]]

        assert head["style"] in {"attention", "warning", "good", "accent"}
        assert first[0].split(" ", 1)[1] in severities
        assert first[-1] == "Contoso"


@pytest.mark.parametrize("name", SPECIMENS)
def test_words_of_our_own_are_no_markdown_by_accident(name: str) -> None:
    for card in cards(name):
        for block in of_type(card, "TextBlock"):
            if not block["text"].isdecimal():
                assert not MARKDOWN.search(block["text"]), block["text"]
        assert not MARKDOWN.search(str(card["fallbackText"]))


@pytest.mark.parametrize("name", SPECIMENS)
def test_text_of_others_stands_in_text_runs_only(name: str) -> None:
    for card in planted_cards(name):
        for node in nodes(card):
            own = {key: value for key, value in node.items() if not isinstance(value, list)}
            if node["type"] != "TextRun":
                assert "lanted" not in str(own), node
        assert any("Planted" in run["text"] for run in of_type(card, "TextRun"))


@pytest.mark.parametrize("name", SPECIMENS)
def test_buttons_open_addresses_of_the_catalogue_only(name: str) -> None:
    places = load(Language.EN).places
    known = {*places.learn.values(), *places.apple.values()}
    known |= {url for page in places.intune.values() for url in page.values()}

    for card in planted_cards(name):
        assert set(links(card).values()) <= known
        assert all(url.startswith("https://") for url in links(card).values())


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_second_language_is_folded_behind_a_button_that_it_names_itself(name: str) -> None:
    english, _, both = cards(name)
    body = both["body"]
    assert isinstance(body, list)
    button, folded = body[-2:]

    assert button["actions"][0]["title"] == "Show in English"
    assert button["actions"][0]["targetElements"] == [folded["id"]]
    assert folded["isVisible"] is False
    assert steps(folded) == steps(english)
    assert lines(folded)[:2] == lines(english)[:2]
    assert [node for node in nodes(body[:-1]) if node.get("isVisible") is False] == []


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_limit_holds_whatever_others_wrote(name: str) -> None:
    for worst in ("\\" * 300, "🧑" * 300):  # each counts four bytes, escaped or encoded
        card = planted(SPECIMENS[name], worst).card(Language.JA, Language.EN)

        assert size_bytes(card) <= LIMIT_BYTES
        assert steps(card) == steps(cards(name)[2])


def planted(specimen: Specimen, text: str = PLANTED) -> Specimen:
    """Return a batch in which everything that others can write is text that wants attention."""
    tenant = Tenant(id=specimen.message.tenant.id, name=text)
    return Specimen(
        message=msgspec.structs.replace(specimen.message, tenant=tenant),
        alerts=[
            msgspec.structs.replace(alert, facts=_planted_facts(alert.facts, text))
            for alert in specimen.alerts
        ],
        tokens={
            key: msgspec.structs.replace(row, token=_planted(row.token, text))
            for key, row in specimen.tokens.items()
        },
    )


def _planted(token: AppleToken, text: str) -> AppleToken:
    return msgspec.structs.replace(token, **dict.fromkeys(FOREIGN_IN_TOKEN.split(), text))


def _planted_facts(facts: Facts, text: str) -> Facts:
    return msgspec.structs.replace(facts, **dict.fromkeys(FOREIGN_IN_FACTS.split(), text))


@cache
def _validator(definition: str) -> jsonschema.Draft6Validator:
    return jsonschema.Draft6Validator(SCHEMA | {"anyOf": [{"$ref": f"#/definitions/{definition}"}]})


def assert_valid(definition: str, element: Element) -> None:
    """Validate an element, then each of its parts against what may stand there.

    Together this is the whole schema. Validated at once, each container is tried as every type of
    element with all that it holds, which takes minutes.
    """
    shell = {key: [] if key in PARTS else value for key, value in element.items()}
    _assert_valid_alone(definition, json.dumps(shell))
    for key in PARTS.keys() & element.keys():
        for part in element[key]:  # type: ignore[attr-defined]
            assert_valid(PARTS[key], part)


@cache
def _assert_valid_alone(definition: str, element: str) -> None:
    _validator(definition).validate(json.loads(element))


@cache
def newest_version(element: str, properties: frozenset[str]) -> tuple[int, ...]:
    """Return the version of Adaptive Cards that brought the newest of what an element uses."""
    definition = SCHEMA["definitions"][element]
    used = [definition, *(_property(element, name) for name in properties)]
    return max(tuple(map(int, str(part.get("version", "1.0")).split("."))) for part in used)


def _property(element: str, name: str) -> dict[str, Any]:
    """Return the schema of a property, the element's own or one that all elements share."""
    pending = [SCHEMA["definitions"][element]]
    while pending:
        definition = pending.pop()
        found = definition.get("properties", {}).get(name)
        if found:
            return dict(found)
        pending += [
            SCHEMA["definitions"][reference["$ref"].rpartition("/")[2]]
            for reference in definition.get("allOf", [])
        ]
    return {}
