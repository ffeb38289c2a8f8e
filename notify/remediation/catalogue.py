"""The catalogue of one language: its entries, its fixed words, and advice for the tokens of a card.

Nothing here inserts text from outside: placeholders stand for numbers, dates and words of the
catalogue itself. What people typed (names, accounts, reasons) is the card's to set apart.
"""

from collections.abc import Collection

from msgspec import Struct

from apple_tokens.model import ApplePortal, Cloud, FailureReason, Problem, TokenKind
from notify.remediation.entries import (
    Advice,
    AppleSite,
    CatalogueError,
    Counted,
    Entry,
    Language,
    Link,
    PageWords,
    Places,
    SyncErrorGroup,
)


class Catalogue(Struct, frozen=True, kw_only=True):
    """Every text of a card in one language, complete: parsing refuses anything less."""

    language: Language
    problems: dict[Problem, Entry]
    failures: dict[FailureReason, Entry]
    sync_errors: dict[int, Entry]
    sync_error_groups: tuple[SyncErrorGroup, ...]
    """All rows once, for a card whose error number is not known to mean one of them."""
    portals: dict[ApplePortal, dict[str, str]]
    pages: dict[TokenKind, PageWords]
    words: dict[str, str | Counted]
    places: Places

    def problem(self, problem: Problem) -> Entry:
        """Return the entry of a problem."""
        return self.problems[problem]

    def failure(self, reason: FailureReason) -> Entry:
        """Return what to do when a source could not be checked for this reason."""
        return self.failures[reason]

    def sync_error(self, row: int) -> Entry:
        """Return a row of Microsoft's table of ADE sync errors, 1 to 11."""
        return self.sync_errors[row]

    def word(self, key: str, **values: int | str) -> str:
        """Return a fixed text by its dotted key, such as `label.expires`, with values filled in.

        Values are numbers, formatted dates and other words of the catalogue, never text from
        outside.
        """
        text = self._word(key)
        if isinstance(text, Counted):
            raise self._error(key, "counts: ask with `count`")
        return self._fill(key, text, values)

    def count(self, key: str, n: int, **values: int | str) -> str:
        """Return a fixed text that counts, in the form that fits the number."""
        text = self._word(key)
        if isinstance(text, str):
            raise self._error(key, "does not count: ask with `word`")
        return self._fill(key, text.one if n == 1 else text.other, {"n": n, **values})

    def advise(
        self, entry: Entry, *, kinds: Collection[TokenKind], portal: ApplePortal, cloud: Cloud
    ) -> Advice:
        """Make an entry definite for the tokens of one card.

        The advice must be right for each of them: `kinds` are all their kinds, and `portal` is
        `UNKNOWN`, which names both, unless they agree on one.
        """
        ordered = [kind for kind in TokenKind if kind in kinds]
        if not ordered:
            raise CatalogueError(f"{self.language}: advice on {entry.title!r} for no kind of token")
        path = self._click_path(ordered)
        fill = {**self.portals[portal], "intune_path": path}
        return Advice(
            title=entry.title,
            impact=entry.impact,
            steps=tuple(step.format_map(fill) for step in entry.steps),
            click_path=path,
            intune_links=self._intune_links(ordered, cloud),
            apple_links=self._apple_links(entry, ordered, portal),
            learn_links=self._learn_links(entry, ordered),
        )

    def _word(self, key: str) -> str | Counted:
        try:
            return self.words[key]
        except KeyError:
            raise self._error(key, "does not exist") from None

    def _fill(self, key: str, text: str, values: dict[str, int | str]) -> str:
        try:
            return text.format_map(values)
        except KeyError as error:
            raise self._error(key, f"needs a value for {error}") from error

    def _error(self, key: str, what: str) -> CatalogueError:
        return CatalogueError(f"{self.language}: words.{key} {what}")

    def _click_path(self, kinds: list[TokenKind]) -> str:
        # Each path ends in the name of its page: several of them need no labels.
        return self.word("list.separator").join(self.pages[kind].path for kind in kinds)

    def _intune_links(self, kinds: list[TokenKind], cloud: Cloud) -> tuple[Link, ...]:
        return tuple(
            Link(label=self._label("button.intune", kind, among=len(kinds)), url=url)
            for kind in kinds
            if (url := self.places.intune[kind].get(cloud))
        )

    def _apple_links(
        self, entry: Entry, kinds: list[TokenKind], portal: ApplePortal
    ) -> tuple[Link, ...]:
        sites = {entry.place.apple or self.places.kinds[kind].apple for kind in kinds}
        both = (ApplePortal.BUSINESS, ApplePortal.SCHOOL)
        portals = both if portal is ApplePortal.UNKNOWN else (portal,)
        links: list[Link] = []
        if AppleSite.PORTAL in sites:
            for one in portals:
                label = self.word("button.apple", portal=self.portals[one]["apple_portal"])
                links.append(Link(label=label, url=self.places.apple[one]))
        if AppleSite.PUSH in sites:
            label = self.word("button.push_portal")
            links.append(Link(label=label, url=self.places.apple[AppleSite.PUSH]))
        return tuple(links)

    def _learn_links(self, entry: Entry, kinds: list[TokenKind]) -> tuple[Link, ...]:
        # Kinds that share an article share a button, under the name of the first.
        articles: dict[str, TokenKind] = {}
        for kind in kinds:
            articles.setdefault(entry.place.learn or self.places.kinds[kind].learn, kind)
        return tuple(
            Link(
                label=self._label("button.learn", kind, among=len(articles)),
                url=self.places.learn[article],
            )
            for article, kind in articles.items()
        )

    def _label(self, key: str, kind: TokenKind, *, among: int) -> str:
        """Name a button; where several of its sort stand side by side, by its page too."""
        if among == 1:
            return self.word(key)
        return self.word(f"{key}_page", page=self.pages[kind].name)
