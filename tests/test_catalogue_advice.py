"""What a card asks of the catalogue: words, counts, and advice that fits all tokens of the card."""

from collections.abc import Iterator

import pytest

from apple_tokens.model import (
    ApplePortal,
    Cloud,
    FailureReason,
    Health,
    Problem,
    Reason,
    Severity,
    TokenKind,
)
from notify.remediation import Advice, Catalogue, CatalogueError, Entry, Language, load


@pytest.fixture(params=Language)
def language(request: pytest.FixtureRequest) -> Language:
    return Language(request.param)


@pytest.fixture
def catalogue(language: Language) -> Catalogue:
    return load(language)


def entries(catalogue: Catalogue) -> Iterator[Entry]:
    yield from catalogue.problems.values()
    yield from catalogue.failures.values()
    yield from catalogue.sync_errors.values()


def advise(
    catalogue: Catalogue,
    problem: Problem,
    *kinds: TokenKind,
    portal: ApplePortal = ApplePortal.BUSINESS,
    cloud: Cloud = Cloud.GLOBAL,
) -> Advice:
    entry = catalogue.problem(problem)
    return catalogue.advise(entry, kinds=kinds, portal=portal, cloud=cloud)


def test_the_catalogue_is_read_once(language: Language) -> None:
    assert load(language) is load(language)


def test_a_known_word_is_given_with_its_values(catalogue: Catalogue) -> None:
    assert catalogue.word("fixed.renewed", old_date="2026-01-02", new_date="2027-01-02").endswith(
        "2026-01-02 → 2027-01-02"
    )


def test_english_counts_one_day_and_two_days() -> None:
    english, japanese = load(Language.EN), load(Language.JA)

    assert english.count("time.days_left", 1) == "1 day left"
    assert english.count("time.days_left", 2) == "2 days left"
    assert english.count("time.days_left", 0) == "0 days left"
    assert japanese.count("time.days_left", 1) == "残り 1 日"


def test_asking_for_a_word_in_the_wrong_way_says_what_is_wrong(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match=r"words\.label\.colour does not exist"):
        catalogue.word("label.colour")
    with pytest.raises(CatalogueError, match=r"words\.time\.days_left counts"):
        catalogue.word("time.days_left", n=3)
    with pytest.raises(CatalogueError, match=r"words\.label\.name does not count"):
        catalogue.count("label.name", 3)
    with pytest.raises(CatalogueError, match=r"words\.card\.checked_at needs a value for 'time'"):
        catalogue.word("card.checked_at")


@pytest.mark.parametrize(
    "section,values",
    [
        ("severity", [*Severity, "fixed", "accepted", "information"]),
        ("reason", Reason),
        ("kind", TokenKind),
        ("source", TokenKind),
        ("health", Health),
        ("failure", FailureReason),
    ],
)
def test_every_value_that_a_card_can_show_has_a_word(
    catalogue: Catalogue, section: str, values: list[str]
) -> None:
    assert all(catalogue.word(f"{section}.{value}") for value in values)


def test_the_rows_to_match_are_all_eleven_in_groups_by_what_to_do(catalogue: Catalogue) -> None:
    groups = catalogue.sync_error_groups
    grouped = [row for group in groups for row in group.rows]

    assert len(groups) == 6
    assert all(group.title for group in groups)
    assert len(grouped) == 11
    assert all(row in grouped for row in catalogue.sync_errors.values())


@pytest.mark.parametrize("kind", TokenKind)
@pytest.mark.parametrize("portal", ApplePortal)
@pytest.mark.parametrize("cloud", Cloud)
def test_every_entry_gives_advice_without_a_placeholder_left(
    catalogue: Catalogue, kind: TokenKind, portal: ApplePortal, cloud: Cloud
) -> None:
    for entry in entries(catalogue):
        advice = catalogue.advise(entry, kinds=[kind], portal=portal, cloud=cloud)

        shown = [advice.title, advice.impact, *advice.steps, advice.click_path]
        assert not [text for text in shown if "{" in text or "}" in text]
        assert advice.click_path
        assert advice.learn_links


@pytest.mark.parametrize(
    "portal,named",
    [
        (ApplePortal.BUSINESS, {"Apple Business"}),
        (ApplePortal.SCHOOL, {"Apple School Manager"}),
        (ApplePortal.UNKNOWN, {"Apple Business", "Apple School Manager"}),
    ],
)
@pytest.mark.parametrize("problem", [Problem.ADE_TOKEN_EXPIRED, Problem.VPP_TOKEN_EXPIRED])
def test_steps_and_buttons_name_the_portal_of_the_token_and_both_where_it_is_unknown(
    catalogue: Catalogue, problem: Problem, portal: ApplePortal, named: set[str]
) -> None:
    kind = TokenKind(problem.removesuffix("_expired"))
    advice = advise(catalogue, problem, kind, portal=portal)

    steps = " ".join(advice.steps)
    buttons = " ".join(link.label for link in advice.apple_links)
    for name in ("Apple Business", "Apple School Manager"):
        assert (name in steps) == (name in named)
        assert (name in buttons) == (name in named)


def test_the_push_certificate_is_repaired_in_its_own_portal_whatever_the_tokens_say(
    catalogue: Catalogue,
) -> None:
    advice = advise(catalogue, Problem.PUSH_CERTIFICATE_EXPIRED, TokenKind.PUSH)

    assert [link.url for link in advice.apple_links] == ["https://identity.apple.com/pushcert"]


@pytest.mark.parametrize("kind", TokenKind)
def test_links_into_intune_follow_the_cloud_and_are_left_out_where_none_is_known(
    catalogue: Catalogue, kind: TokenKind
) -> None:
    def hosts(cloud: Cloud) -> list[str]:
        advice = advise(catalogue, Problem.EXPIRY_UNKNOWN, kind, cloud=cloud)
        return [link.url.split("/")[2] for link in advice.intune_links]

    public = "portal.azure.com" if kind is TokenKind.PUSH else "intune.microsoft.com"
    assert hosts(Cloud.GLOBAL) == [public]
    assert hosts(Cloud.USGOV) == hosts(Cloud.USGOV_DOD) == ["intune.microsoft.us"]
    assert hosts(Cloud.CHINA) == []


def test_advice_for_tokens_of_several_kinds_names_the_page_of_each(catalogue: Catalogue) -> None:
    one = advise(catalogue, Problem.TOKEN_REMOVED, TokenKind.VPP)
    two = advise(catalogue, Problem.EXPIRY_UNKNOWN, TokenKind.VPP, TokenKind.ADE)

    assert catalogue.pages[TokenKind.ADE].path not in one.click_path
    assert [link.label for link in one.intune_links] == [catalogue.word("button.intune")]
    assert catalogue.pages[TokenKind.ADE].path in two.click_path
    assert catalogue.pages[TokenKind.VPP].path in two.click_path
    for links in (two.intune_links, two.learn_links):
        assert len({link.label for link in links}) == len({link.url for link in links}) == 2
    with pytest.raises(CatalogueError, match="no kind of token"):
        advise(catalogue, Problem.EXPIRY_UNKNOWN)
