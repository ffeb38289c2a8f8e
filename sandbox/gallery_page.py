"""Draw every card in every language and look on one self-contained page, to be looked at."""

import html
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.card_page import Mode, Theme, fill_page, place
from sandbox.teams_flow import Card

_SWITCHES = {
    "en": "English",
    "ja": "日本語",
    "ja+en": "日本語 + English",
    "light": "light",
    "dark": "dark",
    "phone": "350 px wide",
}
_OFF_AT_FIRST = frozenset({"ja+en", "phone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A card in all languages, each by its name: `en`, or `ja+en` for two of them."""

    room: str
    name: str
    cards: Mapping[str, Card]


def draw_gallery(exhibits: Sequence[Exhibit], *, title: str, on_phone: bool = False) -> str:
    """Draw the exhibits room by room, the looks of each card side by side.

    Switches on the page hide a language or a look, and make all cards as narrow as a phone. Raise
    FileNotFoundError when the renderer is not installed.
    """
    lines = [_switches(on_phone=on_phone), _contents(exhibits)]
    numbers = itertools.count()
    for room, within in itertools.groupby(exhibits, key=lambda exhibit: exhibit.room):
        lines.append(f"<h2>{html.escape(room)}</h2>")
        for exhibit in within:
            numbered = {language: next(numbers) for language in exhibit.cards}
            lines.append(_article(exhibit.name, numbered))
    cards = [card for exhibit in exhibits for card in exhibit.cards.values()]
    return fill_page(lines, cards, title=title, theme=Theme.LIGHT, language="en", mode=Mode.GALLERY)


def _switches(*, on_phone: bool) -> str:
    boxes = []
    for name, label in _SWITCHES.items():
        is_on = on_phone if name == "phone" else name not in _OFF_AT_FIRST
        checked = " checked" if is_on else ""
        boxes.append(f'<label><input type="checkbox" name="{name}"{checked}> {label}</label>')
    return f'<form class="switches">{"".join(boxes)}</form>'


def _contents(exhibits: Sequence[Exhibit]) -> str:
    names = [html.escape(exhibit.name) for exhibit in exhibits]
    links = [f'<a href="#{name}">{name}</a>' for name in names]
    return f"<nav>{''.join(links)}</nav>"


def _article(name: str, numbered: Mapping[str, int]) -> str:
    variants = [
        f'<div class="variant" lang="{language.partition("+")[0]}" data-language="{language}" '
        f'data-theme="{theme}">{place(number)}</div>'
        for language, number in numbered.items()
        for theme in Theme
    ]
    shown = html.escape(name)
    return (
        f'<article id="{shown}"><header><a href="#{shown}">{shown}</a></header>'
        f'<div class="variants">{"".join(variants)}</div></article>'
    )
