"""The parts that welcome and digest share (pure): sources, problems and dates, as room allows."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from notify import overview_lines as lines
from notify import parts
from notify.elements import Element, buttons, container, heading, toggle, words
from notify.standing import Group, Standing
from notify.voice import Voice

_Item = TypeVar("_Item")

_NEXT: Final = 5
"""So many dates are seen at once; further ones are folded away."""
_WORTH_A_BUTTON: Final = 3
"""Fewer dates than these are not folded away: they are seen, or counted where they have no room."""


class Room(Struct, frozen=True, kw_only=True):
    """How much a card has room for."""

    tokens: int
    """Of each problem."""
    lines: int
    """Of each other list."""
    dates: int
    """Behind their button."""
    steps: bool
    """Whether there is room for the steps of what the welcome tells."""


def sources(standing: Standing, voice: Voice) -> list[Element]:
    """Return how many tokens of each kind there are, how many are well, and when it was read."""
    return [
        lines.of_source(
            source.kind, lines.read_source(source, standing.of(source.kind), voice), voice
        )
        for source in standing.sources
        if not standing.is_unread(source.kind)
    ]


def unread(standing: Standing, voice: Voice) -> list[Element]:
    """Return which sources could not be read, and that this is no all-clear."""
    if not standing.unread:
        return []
    tone = parts.tone(standing.unread_severities)
    title = words(f"{tone.icon} {voice.word('overview.unread')}", weight="Bolder")
    found = (
        lines.of_source(source.kind, lines.unread_source(source, voice), voice)
        for source in standing.unread
    )
    no_all_clear = words(voice.word("overview.no_all_clear"), spacing="Small")
    return [container([title, *found, no_all_clear], style=tone.style, spacing="Medium")]


def problems(standing: Standing, room: Room, voice: Voice) -> list[Element]:
    """Return each open problem with its tokens, and since when it is open."""
    if not room.tokens:
        return titles(standing, voice)
    return [
        container(
            [
                words(_title(group, voice), weight="Bolder"),
                *capped(
                    group.subjects,
                    room.tokens,
                    lambda subject, voice: lines.open_problem(subject, standing, voice),
                    voice,
                ),
            ],
            style="emphasis",
            spacing="Small",
        )
        for group in standing.groups
    ]


def titles(standing: Standing, voice: Voice) -> list[Element]:
    """Return each open problem in a line, with the number of its tokens."""
    return [words(_title(group, voice), spacing="Small") for group in standing.groups]


def upcoming(standing: Standing, room: Room, voice: Voice) -> list[Element]:
    """Return the next dates, and the later ones behind a button."""
    found = standing.upcoming
    if not found:
        return []
    part = [heading(voice.word("heading.next_expiries"))]
    shown = min(_NEXT if len(found) >= _NEXT + _WORTH_A_BUTTON else len(found), room.lines)
    part += (lines.dated(row, standing, voice) for row in found[:shown])
    later = found[shown:]
    if not later:
        return part
    if room.dates < _WORTH_A_BUTTON:
        return [*part, lines.and_more(len(later), voice)]
    title = voice.count("overview.show_more", min(len(later), room.dates))
    listed = capped(later, room.dates, lambda row, voice: lines.dated(row, standing, voice), voice)
    return [*part, *folded("dates", title, listed, voice)]


def capped(
    items: Sequence[_Item], most: int, draw: Callable[[_Item, Voice], Element], voice: Voice
) -> list[Element]:
    """Return the first items of a list, and how many more there are."""
    shown = [draw(item, voice) for item in items[:most]]
    if len(shown) < len(items):
        shown.append(lines.and_more(len(items) - len(shown), voice))
    return shown


def folded(name: str, title: str, elements: Sequence[Element], voice: Voice) -> list[Element]:
    """Return elements behind a button. The language makes the name one of its own."""
    target = f"{name}_{voice.catalogue.language}"
    return [buttons([toggle(title, target)]), container(elements, id=target, isVisible=False)]


def _title(group: Group, voice: Voice) -> str:
    """Return a problem with its severity, and the number of its tokens where it has several."""
    tone = parts.tone([group.severity])
    title = voice.catalogue.problem(group.problem).title
    said = f"{tone.icon} {voice.labelled(voice.word(tone.word), title)}"
    if len(group.subjects) == 1:
        return said
    return f"{said} · {voice.count('count.tokens', len(group.subjects))}"
