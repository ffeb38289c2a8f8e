"""The texts themselves: the same in both languages, in the right words, plain and short."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit

import pytest

from apple_tokens.model import ApplePortal, Cloud, Problem, TokenKind
from notify.remediation import Catalogue, Entry, Language, load, read_toml
from notify.remediation.parsing import parse_places

GLOSSARY = tomllib.loads((Path(__file__).parent / "glossary.toml").read_text(encoding="utf-8"))
TERMS: dict[str, list[str]] = GLOSSARY["terms"]
LATIN: dict[str, list[str]] = GLOSSARY["latin"]

HOSTS = {
    "business.apple.com",
    "identity.apple.com",
    "intune.microsoft.com",
    "intune.microsoft.us",
    "learn.microsoft.com",
    "portal.azure.com",
    "school.apple.com",
}

EVERYWHERE = [(kind, portal) for kind in TokenKind for portal in ApplePortal]


def leaves(section: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its dotted key; a text that counts in its form for many."""
    for key, value in section.items():
        if isinstance(value, Mapping):
            below = {"other": value["other"]} if "other" in value else value
            yield from leaves(below, f"{above}{key}.")
        elif isinstance(value, list):
            yield from ((f"{above}{key}.{number}", step) for number, step in enumerate(value, 1))
        else:
            yield f"{above}{key}", str(value)


TEXTS = {language: dict(leaves(read_toml(language))) for language in Language}
ENGLISH, JAPANESE = TEXTS[Language.EN], TEXTS[Language.JA]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def all_entries(catalogue: Catalogue) -> list[Entry]:
    sections = (catalogue.problems, catalogue.failures, catalogue.sync_errors)
    return [entry for section in sections for entry in section.values()]


def steps_everywhere(entry: Entry, catalogue: Catalogue) -> Iterator[str]:
    for kind, portal in EVERYWHERE:
        yield from catalogue.advise(entry, kinds=[kind], portal=portal, cloud=Cloud.GLOBAL).steps
    several = list(TokenKind)
    if entry in [catalogue.problem(Problem.COULD_NOT_CHECK), *catalogue.failures.values()]:
        portal, cloud = ApplePortal.UNKNOWN, Cloud.GLOBAL
        yield from catalogue.advise(entry, kinds=several, portal=portal, cloud=cloud).steps


def test_both_languages_have_the_same_texts() -> None:
    assert ENGLISH.keys() == JAPANESE.keys()


def test_both_languages_have_the_same_placeholders_and_shared_steps() -> None:
    different = {
        key: (english, JAPANESE[key])
        for key, english in ENGLISH.items()
        if placeholders(english) != placeholders(JAPANESE[key])
        or ("@" in english + JAPANESE[key] and JAPANESE[key] != english)
    }

    assert not different


def test_no_text_has_blanks_around_it_but_the_one_that_separates() -> None:
    for texts in TEXTS.values():
        assert [key for key, text in texts.items() if text != text.strip()] == [
            "words.list.separator"
        ]


def test_every_shared_step_is_used() -> None:
    used = {text.removeprefix("@") for text in ENGLISH.values() if text.startswith("@")}
    shared = {key.removeprefix("steps.") for key in ENGLISH if key.startswith("steps.")}

    assert used == shared


@pytest.mark.parametrize("term", TERMS)
def test_japanese_has_its_term_wherever_english_uses_its_own(term: str) -> None:
    names = re.compile("Apple Token Watch|Apple Push Certificates Portal|^@.*")
    using = [
        key for key, text in ENGLISH.items() if re.search(term, names.sub("", text), re.IGNORECASE)
    ]
    lacking = {
        key: (ENGLISH[key], JAPANESE[key])
        for key in using
        if not any(word in JAPANESE[key] for word in TERMS[term])
    }

    assert using, "the glossary has a term that no text uses"
    assert not lacking


def test_japanese_has_latin_words_only_for_names_and_for_screens_in_english() -> None:
    errors = [ENGLISH[f"sync_errors.row_{row}.title"] for row in range(1, 12)]
    allowed = sorted([*LATIN["labels"], *errors], key=len, reverse=True)
    strange = {}
    for key, text in JAPANESE.items():
        if text.startswith("@"):
            continue
        rest = re.sub(r"\{\w+\}", "", text)
        for label in allowed:
            rest = rest.replace(label, "")
        words = re.findall(r"[A-Za-z][A-Za-z0-9.-]*[A-Za-z0-9]|[A-Za-z]", rest)
        if others := set(words) - set(LATIN["names"]):
            strange[key] = others

    assert not strange


def test_japanese_error_titles_quote_the_english_text_that_the_screen_may_show() -> None:
    for row in range(1, 12):
        key = f"sync_errors.row_{row}.title"
        assert JAPANESE[key].endswith(f" ({ENGLISH[key]})")


def test_japanese_sentences_are_polite_throughout() -> None:
    polite = re.compile(r"(ます|です|ません|ました|ください|ませんか|でした|不要です)$")
    blunt = {
        key: sentence
        for key, text in JAPANESE.items()
        for sentence in re.sub(r" \([^()]*\)(?=。)|(?<=。)\([^()]*\)", "", text).split("。")[:-1]
        if not polite.search(sentence.removesuffix(")"))
    }

    assert not blunt


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_texts_hold_nothing_that_markdown_or_a_linkifier_would_change(
    texts: dict[str, str],
) -> None:
    special = re.compile(
        r"[*_`\[\]<\\#|~]|!\(|://|www\.|@\w|^\s*([-+>]|\d+[.)])\s|\.(com|org|net|us)\b"
    )
    marked = {
        key: text
        for key, text in texts.items()
        if special.search(re.sub(r"\{\w+\}", "", text)) and not re.fullmatch(r"@\w+", text)
    }

    assert not marked


@pytest.mark.parametrize("language", Language)
def test_texts_are_short_enough_to_be_read_on_a_telephone(language: Language) -> None:
    catalogue = load(language)
    for entry in all_entries(catalogue):
        assert len(entry.title) <= 80
        assert len(entry.impact) <= 250
        assert max(map(len, steps_everywhere(entry, catalogue))) <= 300

    words = {key: text for key, text in TEXTS[language].items() if key.startswith("words.")}
    assert not [key for key, text in words.items() if len(text) > 260]
    labels = {key: text for key, text in words.items() if key.startswith("words.label.")}
    assert not [key for key, text in labels.items() if len(text) > 40]


def test_links_are_https_and_lead_to_microsoft_and_apple_only() -> None:
    places = parse_places(read_toml("places"))
    pages = [url for clouds in places.intune.values() for url in clouds.values()]
    addresses = [urlsplit(url) for url in [*pages, *places.learn.values(), *places.apple.values()]]

    assert {address.scheme for address in addresses} == {"https"}
    assert {address.hostname for address in addresses} == HOSTS
    assert not [address for address in addresses if address.port or address.username]
