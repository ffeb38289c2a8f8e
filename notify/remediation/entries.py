"""The parts of the catalogue as values: entries with their places, and the advice made of them."""

from enum import StrEnum

from msgspec import Struct

from apple_tokens.model import Cloud, FailureReason, Problem, TokenKind


class Language(StrEnum):
    """The languages that the catalogue speaks."""

    EN = "en"
    JA = "ja"


class CatalogueError(Exception):
    """A packaged text is missing or wrong, or a card asked for one that does not exist.

    The text names the language, the section and the key. Only a change to the catalogue or to the
    card helps, so nothing catches it.
    """


class AppleSite(StrEnum):
    """Where at Apple something is done about an entry."""

    PORTAL = "portal"
    """Apple Business or Apple School Manager, as the token says."""
    PUSH = "push"
    """The Apple Push Certificates Portal."""
    NONE = "none"


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where tokens of one kind are repaired at Apple, and the article that explains it."""

    apple: AppleSite
    learn: str
    """The name of an article in `Places.learn`."""


class OwnPlace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an entry differs from the kind of its tokens."""

    apple: AppleSite | None = None
    learn: str | None = None


class Places(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the languages share: addresses, and which of them belong to which entry."""

    learn: dict[str, str]
    intune: dict[TokenKind, dict[Cloud, str]]
    """A cloud that is missing has no address that is known: the click path must do."""
    apple: dict[str, str]
    kinds: dict[TokenKind, Place]
    problems: dict[Problem, OwnPlace]
    failures: dict[FailureReason, OwnPlace]
    sync_errors: OwnPlace
    """One for all rows: they stand in one table of one article."""
    sync_error_groups: dict[str, tuple[int, ...]]


class Counted(Struct, frozen=True, kw_only=True):
    """A text that counts: `one` for 1, `other` for every other number."""

    one: str
    other: str


class PageWords(Struct, frozen=True, kw_only=True):
    """What a page of the Intune admin center is called, and the clicks that lead to it."""

    name: str
    path: str


class Entry(Struct, frozen=True, kw_only=True):
    """What a card says about one problem, one cause of not checking, or one ADE sync error.

    Title and impact are whole texts. Steps still hold placeholders: see `Catalogue.advise`.
    """

    title: str
    impact: str
    steps: tuple[str, ...]
    place: OwnPlace


class SyncErrorGroup(Struct, frozen=True, kw_only=True):
    """Rows of Microsoft's table of ADE sync errors for which the same is to be done."""

    title: str
    rows: tuple[Entry, ...]


class Link(Struct, frozen=True, kw_only=True):
    """A button: its label and an https address of the catalogue."""

    label: str
    url: str


class Advice(Struct, frozen=True, kw_only=True):
    """An entry made definite for the tokens of one card."""

    title: str
    impact: str
    steps: tuple[str, ...]
    click_path: str
    """The way to the page in Intune, in words: it holds where a link is unknown or has changed."""
    intune_links: tuple[Link, ...]
    """Empty in a cloud where no address is known."""
    apple_links: tuple[Link, ...]
    learn_links: tuple[Link, ...]
