"""The catalogue is complete in each language, and a catalogue that is not is refused by name."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from apple_tokens.model import FailureReason, Problem
from notify.remediation import Catalogue, CatalogueError, Entry, Language, load, read_toml
from notify.remediation.parsing import SYNC_ERROR_ROWS, parse, parse_places

PLACES = parse_places(read_toml("places"))
SECTIONS: dict[str, list[str]] = {
    "problems": list(Problem),
    "failures": list(FailureReason),
    "sync_errors": [f"row_{row}" for row in SYNC_ERROR_ROWS],
}
ENTRIES = [(section, key) for section, keys in SECTIONS.items() for key in keys]


@pytest.fixture(params=Language)
def language(request: pytest.FixtureRequest) -> Language:
    return Language(request.param)


@pytest.fixture
def catalogue(language: Language) -> Catalogue:
    return load(language)


@pytest.fixture
def texts(language: Language) -> dict[str, Any]:
    """Copy the packaged texts, for a test to spoil."""
    return copy.deepcopy(read_toml(language))


def refusal(language: Language, texts: dict[str, Any]) -> str:
    with pytest.raises(CatalogueError) as caught:
        parse(language, texts, PLACES)
    return str(caught.value)


def refused_places(**changes: object) -> str:
    with pytest.raises(CatalogueError) as caught:
        parse_places(read_toml("places") | changes)
    return str(caught.value)


def entries(catalogue: Catalogue) -> Iterator[Entry]:
    yield from catalogue.problems.values()
    yield from catalogue.failures.values()
    yield from catalogue.sync_errors.values()


def test_every_problem_reason_and_sync_error_has_an_entry_in_each_language(
    catalogue: Catalogue,
) -> None:
    assert set(catalogue.problems) == set(Problem)
    assert set(catalogue.failures) == set(FailureReason)
    assert set(catalogue.sync_errors) == set(range(1, 12))
    assert catalogue.problem(Problem.TOKEN_REMOVED) is catalogue.problems[Problem.TOKEN_REMOVED]
    assert catalogue.failure(FailureReason.PERMISSION) in catalogue.failures.values()
    assert catalogue.sync_error(3) in catalogue.sync_errors.values()
    for entry in entries(catalogue):
        assert entry.title
        assert entry.impact
        assert 3 <= len(entry.steps) <= 6


@pytest.mark.parametrize("section,key", ENTRIES)
def test_an_entry_that_is_missing_is_named(
    language: Language, texts: dict[str, Any], section: str, key: str
) -> None:
    del texts[section][key]

    assert refusal(language, texts) == f"{language}: {section} lacks {key}"


@pytest.mark.parametrize("section", SECTIONS)
def test_an_entry_that_nothing_asks_for_is_named(
    language: Language, texts: dict[str, Any], section: str
) -> None:
    texts[section]["left_over"] = next(iter(texts[section].values()))

    assert f"{language}: {section} has left_over" in refusal(language, texts)


@pytest.mark.parametrize("part", ["title", "impact", "steps"])
def test_an_entry_without_one_of_its_parts_is_named(
    language: Language, texts: dict[str, Any], part: str
) -> None:
    del texts["problems"]["ade_sync_failed"][part]

    assert refusal(language, texts) == f"{language}: problems.ade_sync_failed lacks {part}"


@pytest.mark.parametrize(
    "section", ["portals", "pages", "steps", "sync_error_groups", "words", "failures"]
)
def test_a_section_that_is_missing_is_named(
    language: Language, texts: dict[str, Any], section: str
) -> None:
    del texts[section]

    assert section in refusal(language, texts)


@pytest.mark.parametrize("text", ["", " ", 7, None, ["a list"]])
def test_a_text_that_is_empty_or_no_text_is_named(
    language: Language, texts: dict[str, Any], text: object
) -> None:
    texts["failures"]["throttled"]["impact"] = text

    assert refusal(language, texts).startswith(f"{language}: failures.throttled.impact is no text")


@pytest.mark.parametrize("steps", [[], ["One.", "Two."], ["One more."] * 7, "no list"])
def test_an_entry_has_three_to_six_steps(
    language: Language, texts: dict[str, Any], steps: object
) -> None:
    texts["sync_errors"]["row_4"]["steps"] = steps

    message = f"{language}: sync_errors.row_4.steps needs three to six steps"
    assert refusal(language, texts) == message


def test_a_shared_step_that_does_not_exist_is_named(
    language: Language, texts: dict[str, Any]
) -> None:
    texts["problems"]["vpp_sync_failed"]["steps"][0] = "@reboot"

    assert refusal(language, texts) == f"{language}: steps.reboot is missing"


@pytest.mark.parametrize("placeholder", ["{token_name}", "{apple_account}", "{}", "{n.real}"])
def test_no_placeholder_can_carry_text_from_outside(
    language: Language, texts: dict[str, Any], placeholder: str
) -> None:
    texts["words"]["fixed"]["solved"] = f"Fixed: {placeholder}"

    assert "words.fixed.solved has unknown placeholders" in refusal(language, texts)


def test_titles_and_impacts_are_whole_texts(language: Language, texts: dict[str, Any]) -> None:
    texts["problems"]["expiry_unknown"]["impact"] += " {intune_path}"

    assert "problems.expiry_unknown.impact has unknown placeholders" in refusal(language, texts)


def test_a_text_that_counts_has_a_form_for_every_number(
    language: Language, texts: dict[str, Any]
) -> None:
    texts["words"]["time"]["days_left"] = {"other": "{n}", "few": "{n}"}

    assert f"{language}: words.time.days_left has few" in refusal(language, texts)


def test_what_the_languages_share_is_checked_too() -> None:
    places = read_toml("places")
    learn = {key: url for key, url in PLACES.learn.items() if key != "push_renew"}

    assert refused_places(learn=learn) == "places: learn lacks push_renew"
    assert "spare" in refused_places(learn=PLACES.learn | {"spare": "https://learn.microsoft.com"})
    assert "not an https" in refused_places(
        apple=PLACES.apple | {"push": "http://identity.apple.com"}
    )
    assert refused_places(intune={}).startswith("places: intune lacks")
    assert "not every row once" in refused_places(sync_error_groups={"renew": [1, 1]})
    assert "places: " in refused_places(problems={"no_such_problem": {}})
    assert parse_places(places) == PLACES
