"""From TOML to a catalogue: every text is checked once, when it is loaded.

An error names the language, the section and the key. What is checked here holds for every card:
each problem, each reason of not checking and each ADE sync error has exactly one entry; no text is
empty; steps refer to shared steps that exist; placeholders are known, so that none can carry text
from outside; addresses are https.
"""

from collections.abc import Collection, Iterable, Mapping
from string import Formatter
from typing import TypeVar

import msgspec

from apple_tokens.model import ApplePortal, FailureReason, Problem, TokenKind
from notify.remediation.catalogue import Catalogue
from notify.remediation.entries import (
    AppleSite,
    CatalogueError,
    Counted,
    Entry,
    Language,
    OwnPlace,
    PageWords,
    Places,
    SyncErrorGroup,
)

SYNC_ERROR_ROWS = range(1, 12)
"""The rows of Microsoft's table of ADE sync errors, in its order."""

PORTAL_WORDS = frozenset(
    {
        "apple_portal",
        "apple_ade_role",
        "apple_ade_path",
        "apple_ade_download",
        "apple_vpp_role",
        "apple_vpp_path",
        "apple_terms_role",
    }
)
"""What differs between Apple Business and Apple School Manager: placeholders of the steps."""

STEP_PLACEHOLDERS = PORTAL_WORDS | {"intune_path"}

_NUMBERS_AND_DATES = frozenset({"n", "total", "time", "date", "old_date", "new_date", "code"})
_WORDS_IN_WORDS = frozenset({"row", "page", "portal", "label", "value"})
WORD_PLACEHOLDERS = _NUMBERS_AND_DATES | _WORDS_IN_WORDS
"""Any other name is refused, lest a token's name or an account be inserted into a text."""

_STEPS = range(3, 7)
"""How many steps an entry has."""

_SECTIONS = (
    "portals",
    "pages",
    "steps",
    "problems",
    "failures",
    "sync_errors",
    "sync_error_groups",
    "words",
)

Section = Mapping[str, object]
_Key = TypeVar("_Key", bound=str)


def parse_places(raw: Section) -> Places:
    """Check what the languages share, and make it values."""
    try:
        places = msgspec.convert(raw, type=Places)
    except msgspec.ValidationError as error:
        raise CatalogueError(f"places: {error}") from error
    _same_keys("places: kinds", places.kinds, TokenKind)
    _same_keys("places: intune", places.intune, TokenKind)
    sites = {ApplePortal.BUSINESS, ApplePortal.SCHOOL, AppleSite.PUSH}
    _same_keys("places: apple", places.apple, sites)
    rows = [row for group in places.sync_error_groups.values() for row in group]
    if sorted(rows) != list(SYNC_ERROR_ROWS):
        raise CatalogueError(f"places: sync_error_groups holds {sorted(rows)}, not every row once")
    own = [places.sync_errors, *places.problems.values(), *places.failures.values()]
    articles = {place.learn for place in own if place.learn}
    articles |= {place.learn for place in places.kinds.values()}
    _same_keys("places: learn", places.learn, articles)
    pages = [url for clouds in places.intune.values() for url in clouds.values()]
    for url in [*places.learn.values(), *places.apple.values(), *pages]:
        if not url.startswith("https://"):
            raise CatalogueError(f"places: {url} is not an https address")
    return places


def parse(language: Language, texts: Section, places: Places) -> Catalogue:
    """Check the texts of one language, and make them a catalogue."""
    reader = _Reader(language, texts)
    reader.keys("", _SECTIONS)
    rows = {f"row_{row}": row for row in SYNC_ERROR_ROWS}
    sync_errors = {
        rows[key]: reader.entry(f"sync_errors.{key}", places.sync_errors)
        for key in reader.keys("sync_errors", rows)
    }
    titles = reader.texts("sync_error_groups", places.sync_error_groups)
    return Catalogue(
        language=language,
        problems={
            problem: reader.entry(f"problems.{problem}", places.problems.get(problem, OwnPlace()))
            for problem in reader.keys("problems", Problem)
        },
        failures={
            reason: reader.entry(f"failures.{reason}", places.failures.get(reason, OwnPlace()))
            for reason in reader.keys("failures", FailureReason)
        },
        sync_errors=sync_errors,
        sync_error_groups=tuple(
            SyncErrorGroup(title=titles[group], rows=tuple(sync_errors[row] for row in members))
            for group, members in places.sync_error_groups.items()
        ),
        portals={
            portal: reader.texts(f"portals.{portal}", PORTAL_WORDS)
            for portal in reader.keys("portals", ApplePortal)
        },
        pages={
            kind: PageWords(**reader.texts(f"pages.{kind}", ["name", "path"]))
            for kind in reader.keys("pages", TokenKind)
        },
        words=reader.words("words"),
        places=places,
    )


class _Reader:
    """Read texts of one language by their dotted keys, and say which one is wrong."""

    def __init__(self, language: Language, texts: Section) -> None:
        self._language = language
        self._texts = texts

    def keys(self, where: str, expected: Iterable[_Key]) -> list[_Key]:
        """Return the keys of a section, in the order expected; refuse a missing or another one."""
        wanted = list(expected)
        _same_keys(self._name(where), self._section(where), wanted)
        return wanted

    def texts(self, where: str, expected: Iterable[str]) -> dict[str, str]:
        """Return a section of whole texts that has exactly these keys."""
        return {key: self._text(f"{where}.{key}") for key in self.keys(where, expected)}

    def entry(self, where: str, place: OwnPlace) -> Entry:
        """Return an entry, its shared steps in their places."""
        self.keys(where, ["title", "impact", "steps"])
        steps = self._find(f"{where}.steps")
        if not isinstance(steps, list) or len(steps) not in _STEPS:
            raise self._error(f"{where}.steps", "needs three to six steps")
        return Entry(
            title=self._text(f"{where}.title"),
            impact=self._text(f"{where}.impact"),
            steps=tuple(self._step(f"{where}.steps", step) for step in steps),
            place=place,
        )

    def words(self, where: str) -> dict[str, str | Counted]:
        """Return the fixed words below a section, by dotted keys without the section's own."""
        found: dict[str, str | Counted] = {}
        for key, value in self._section(where).items():
            below = f"{where}.{key}"
            short = below.removeprefix("words.")
            if not isinstance(value, Mapping):
                found[short] = self._text(below, WORD_PLACEHOLDERS)
            elif "other" in value:
                found[short] = self._counted(below, value)
            else:
                found |= self.words(below)
        return found

    def _counted(self, where: str, forms: Section) -> Counted:
        # Japanese has one form for every number, English another for 1.
        _same_keys(self._name(where), forms, {"other"} | ({"one"} & forms.keys()))
        other = self._text(f"{where}.other", WORD_PLACEHOLDERS)
        one = self._text(f"{where}.one", WORD_PLACEHOLDERS) if "one" in forms else other
        return Counted(one=one, other=other)

    def _step(self, where: str, step: object) -> str:
        if isinstance(step, str) and step.startswith("@"):
            return self._text(f"steps.{step.removeprefix('@')}", STEP_PLACEHOLDERS)
        return self._checked(where, step, STEP_PLACEHOLDERS)

    def _text(self, where: str, placeholders: Collection[str] = ()) -> str:
        return self._checked(where, self._find(where), placeholders)

    def _checked(self, where: str, text: object, placeholders: Collection[str]) -> str:
        if not isinstance(text, str) or not text.strip():
            raise self._error(where, "is no text, or an empty one")
        unknown = set(_placeholders(text)) - set(placeholders)
        if unknown:
            raise self._error(where, f"has unknown placeholders: {', '.join(sorted(unknown))}")
        return text

    def _section(self, where: str) -> Section:
        section = self._find(where) if where else self._texts
        if not isinstance(section, Mapping):
            raise self._error(where, "is no section")
        return section

    def _find(self, where: str) -> object:
        found: object = self._texts
        for key in where.split("."):
            if not isinstance(found, Mapping) or key not in found:
                raise self._error(where, "is missing")
            found = found[key]
        return found

    def _error(self, where: str, what: str) -> CatalogueError:
        return CatalogueError(f"{self._name(where)} {what}")

    def _name(self, where: str) -> str:
        return f"{self._language}: {where}" if where else f"{self._language}:"


def _placeholders(text: str) -> Iterable[str]:
    return (name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _same_keys(where: str, found: Collection[str], expected: Iterable[str]) -> None:
    wanted = set(expected)
    if missing := wanted - set(found):
        raise CatalogueError(f"{where} lacks {', '.join(sorted(missing))}")
    if surplus := set(found) - wanted:
        raise CatalogueError(f"{where} has {', '.join(sorted(surplus))}, which nothing asks for")
