"""The parts that every card is put together from (pure): header, tokens, steps, links, footer."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar
from unicodedata import east_asian_width

from msgspec import Struct

from apple_tokens.model import Severity, Tenant
from notify.elements import (
    Element,
    buttons,
    container,
    foreign,
    heading,
    line,
    open_url,
    run,
    words,
)
from notify.remediation.entries import Advice, Link
from notify.text import clean
from notify.voice import Voice

Item = TypeVar("Item")

_NARROW_PX: Final = 318
"""The room inside of a card that is 350 px wide."""
_BUTTON_PX: Final = 34
"""What a button needs around its label."""


class Tone(Struct, frozen=True):
    """How urgent a card looks: colour never says anything that icon and word do not."""

    style: str
    icon: str
    word: str


CRITICAL = Tone("attention", "⛔", "severity.critical")
WARNING = Tone("warning", "⚠️", "severity.warning")
FIXED = Tone("good", "✅", "severity.fixed")
ACCEPTED = Tone("accent", "☑️", "severity.accepted")
INFORMATION = Tone("accent", "ℹ️", "severity.information")  # noqa: RUF001 - the sign, not an i


class Listing(Struct, frozen=True):
    """How many tokens a card lists, and whether with all their facts."""

    shown: int
    in_full: bool


class Body(Struct, frozen=True, kw_only=True):
    """What one variant of a card says, in one language; head and foot are the same for all."""

    tone: Tone
    title: str
    notes: tuple[str, ...] = ()
    """Why it is told now, and how old it is."""
    elements: list[Element]


def header(body: Body, tenant: Tenant, voice: Voice) -> Element:
    """Return the head: severity and tenant, what is wrong, and why it is told now."""
    return container(
        [
            line(
                run(f"{body.tone.icon} {voice.word(body.tone.word)}", weight="Bolder"),
                run(" · "),
                foreign(clean(tenant.name) or tenant.id),
            ),
            words(body.title, size="Large", weight="Bolder", spacing="Small"),
            *(line(run(note)) for note in body.notes),
        ],
        style=body.tone.style,
        bleed=True,
    )


def tone(severities: Iterable[Severity]) -> Tone:
    """Return how urgent a card looks: as urgent as the worst of what it tells."""
    return CRITICAL if Severity.CRITICAL in severities else WARNING


def listed(
    items: Sequence[Item],
    listing: Listing,
    in_full: Callable[[Item], Iterable[Element]],
    in_brief: Callable[[Item], Element],
    voice: Voice,
    *,
    worst_first: bool,
) -> list[Element]:
    """Return the tokens of a batch, in the order given, and how many of them had no room."""
    total, shown = len(items), items[: listing.shown]
    part = [heading(voice.count("heading.tokens", total))] if total > 1 else []
    if worst_first and len(shown) < total:
        part.append(words(voice.word("card.shown_of", n=len(shown), total=total), spacing="None"))
    if listing.in_full:
        part += (container(in_full(item), style="emphasis", spacing="Small") for item in shown)
    else:
        part += (in_brief(item) for item in shown)
    if len(shown) < total:
        part.append(words(voice.count("card.and_more", total - len(shown)), weight="Bolder"))
    return part


def links(advice: Advice, voice: Voice) -> list[Element]:
    """Return the way in words, and the buttons: addresses inside the admin center change."""
    way = voice.labelled(voice.word("heading.click_path"))
    found = (*advice.intune_links, *advice.apple_links, *advice.learn_links)
    return [
        line(run(way, weight="Bolder"), run(advice.click_path), spacing="Medium"),
        *(
            buttons(open_url(link.label, link.url) for link in row)
            for row in _rows_of_buttons(found)
        ),
    ]


def _rows_of_buttons(found: Iterable[Link]) -> list[list[Link]]:
    """Put each button into the first row that has room for it on a narrow phone.

    A row of its own shows all buttons; further ones in a row that is full are cut off.
    """
    rows: list[list[Link]] = []
    for link in found:
        fitting = (row for row in rows if _width_px([*row, link]) <= _NARROW_PX)
        row = next(fitting, None)
        if row is None:
            rows.append([link])
        else:
            row.append(link)
    return rows


def _width_px(row: Iterable[Link]) -> int:
    """Estimate the width of a row: wide (Japanese) characters take twice the room."""
    return sum(
        _BUTTON_PX + sum(14 if east_asian_width(char) in "WF" else 7 for char in link.label)
        for link in row
    )


def footer(voice: Voice) -> Element:
    """Return when the check was and who posts: flows can run twice, and cards are read later."""
    checked = voice.word("card.checked_at", time=voice.time(voice.checked_at))
    sender = voice.word("card.sent_by")
    return {
        **line(run(f"{checked} · {sender}", size="Small", isSubtle=True), spacing="Medium"),
        "separator": True,
    }
