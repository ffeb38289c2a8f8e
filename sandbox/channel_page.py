"""Draw what was posted to the channel as one self-contained page."""

import base64
import hashlib
import html
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPost:
    """A card in the channel: posted when, in the time zone of `at`, and why.

    A post with a `failure` was accepted by the webhook and never shown; it needs no card.
    """

    at: datetime
    caption: str
    card: Card = field(default_factory=dict)
    failure: str = ""


def draw_channel_page(
    posts: Sequence[ChannelPost],
    *,
    title: str,
    theme: Theme = Theme.LIGHT,
    language: str = "en",
) -> str:
    """Draw the posts in their order, grouped by date, with Microsoft's renderer inside the page.

    The page fetches nothing and runs nothing but its own scripts, whatever the cards contain. Raise
    FileNotFoundError when the renderer is not installed.
    """
    lines: list[str] = []
    days = itertools.groupby(enumerate(posts), key=lambda numbered: numbered[1].at.date())
    for day, of_day in days:
        lines.append(f"<h2>{day:%A} {day.isoformat()}</h2>")
        lines += [_article(number, post) for number, post in of_day]
    return _fill(lines, [post.card for post in posts], title, theme, language)


def draw_cards(cards: Sequence[Card], *, theme: Theme = Theme.LIGHT, language: str = "en") -> str:
    """Draw nothing but the cards, as wide as the window: for pictures and for reading them back."""
    lines = [
        f'<article><div class="card" data-post="{number}"></div></article>'
        for number in range(len(cards))
    ]
    return _fill(lines, cards, "Cards", theme, language, mode="bare")


def _article(number: int, post: ChannelPost) -> str:
    shown = f'<div class="card" data-post="{number}"></div>'
    if post.failure:
        failure = html.escape(post.failure)
        shown = f'<p class="failure">Accepted with 202, but never shown: {failure}</p>'
    time = html.escape(f"{post.at:%H:%M %Z}")
    return (
        f'<article id="post-{number + 1}">'
        f'<header><time datetime="{post.at.isoformat()}">{time}</time>'
        f'<span class="caption">{html.escape(post.caption)}</span></header>{shown}</article>'
    )


def _fill(
    lines: Sequence[str],
    cards: Sequence[Card],
    title: str,
    theme: Theme,
    language: str,
    *,
    mode: str = "channel",
) -> str:
    host_config = json.loads((_PAGE / f"teams-{theme}.json").read_text(encoding="utf-8"))
    scripts = [_read_script(npm_file(_RENDERER)), _read_script(npm_file(_MARKDOWN))]
    scripts.append(_read_script(_PAGE / "channel.js"))
    parts = {
        "language": html.escape(language),
        "theme": theme.value,
        "mode": mode,
        "title": html.escape(title),
        "policy": _policy(scripts),
        "style": (_PAGE / "channel.css").read_text(encoding="utf-8"),
        "sections": "\n".join(lines),
        # A "<" could end the element that the data stands in.
        "data": json.dumps({"posts": cards, "hostConfig": host_config}).replace("<", "\\u003c"),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    template = (_PAGE / "channel.html").read_text(encoding="utf-8")
    # In one pass: what a card contains must not be taken for a place to fill.
    return re.sub(r"@@(\w+)@@", lambda place: parts[place[1]], template)


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


def _read_script(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
