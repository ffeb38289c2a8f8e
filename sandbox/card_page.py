"""Put cards into one self-contained page, to be drawn by Microsoft's renderer inside of it."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from sandbox.npm import npm_file
from sandbox.teams_flow import Card

_PAGE = Path(__file__).parent / "page"
_RENDERER = "adaptivecards/dist/adaptivecards.min.js"
_MARKDOWN = "markdown-it/dist/browser/markdown-it.umd.min.js"


class Theme(StrEnum):
    """The looks of Teams for which Microsoft publishes a host configuration."""

    LIGHT = "light"
    DARK = "dark"


class Markdown(StrEnum):
    """How much of a text is read as markup."""

    TEAMS = "teams"
    """Emphasis, links and lists: what Teams understands."""
    ALL = "all"
    """All markdown, HTML too, and every address becomes a link: the worst that could happen."""


class Mode(StrEnum):
    """What a page is for, which decides how it is laid out."""

    CHANNEL = "channel"
    GALLERY = "gallery"
    BARE = "bare"
    """Nothing but the cards, as wide as the window."""


def draw_cards(
    cards: Sequence[Card],
    *,
    theme: Theme = Theme.LIGHT,
    language: str = "en",
    markdown: Markdown = Markdown.TEAMS,
) -> str:
    """Draw nothing but the cards, as wide as the window: for pictures and for reading them back."""
    lines = [f"<article>{place(number)}</article>" for number in range(len(cards))]
    return fill_page(
        lines,
        cards,
        title="Cards",
        theme=theme,
        language=language,
        mode=Mode.BARE,
        markdown=markdown,
    )


def place(number: int) -> str:
    """Return the element in which a card is drawn; the number counts the cards of the page."""
    return f'<div class="card" data-post="{number}"></div>'


def fill_page(
    lines: Sequence[str],
    cards: Sequence[Card],
    *,
    title: str,
    theme: Theme,
    language: str,
    mode: Mode,
    markdown: Markdown = Markdown.TEAMS,
) -> str:
    """Return a page of these lines of HTML, each card drawn at its place.

    A card has the look of the nearest element around it with a `data-theme`, which is the page's
    own in the end. The page fetches nothing and runs nothing but its own scripts, whatever the
    cards contain. Raise FileNotFoundError when the renderer is not installed.
    """
    looks = {look: json.loads(_read(f"teams-{look}.json")) for look in Theme}
    data = {"posts": cards, "hostConfigs": looks, "markdown": markdown}
    scripts = [_read_script(npm_file(_RENDERER)), _read_script(npm_file(_MARKDOWN))]
    scripts.append(_read_script(_PAGE / "cards.js"))
    parts = {
        "language": html.escape(language),
        "theme": theme.value,
        "mode": mode.value,
        "title": html.escape(title),
        "policy": _policy(scripts),
        "style": _read("page.css"),
        "sections": "\n".join(lines),
        # A "<" could end the element that the data stands in.
        "data": json.dumps(data).replace("<", "\\u003c"),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    # In one pass: what a card contains must not be taken for a place to fill.
    return re.sub(r"@@(\w+)@@", lambda found: parts[found[1]], _read("page.html"))


def _policy(scripts: Sequence[str]) -> str:
    """Allow exactly these scripts, and nothing to be fetched or sent."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _read_script(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
