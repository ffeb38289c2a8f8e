"""Draw what was posted to the channel as one self-contained page."""

import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.card_page import Mode, Theme, fill_page, place
from sandbox.teams_flow import Card


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
    """Draw the posts in their order, grouped by date.

    Raise FileNotFoundError when the renderer is not installed.
    """
    lines: list[str] = []
    days = itertools.groupby(enumerate(posts), key=lambda numbered: numbered[1].at.date())
    for day, of_day in days:
        lines.append(f"<h2>{day:%A} {day.isoformat()}</h2>")
        lines += [_article(number, post) for number, post in of_day]
    cards = [post.card for post in posts]
    return fill_page(lines, cards, title=title, theme=theme, language=language, mode=Mode.CHANNEL)


def _article(number: int, post: ChannelPost) -> str:
    shown = place(number)
    if post.failure:
        failure = html.escape(post.failure)
        shown = f'<p class="failure">Accepted with 202, but never shown: {failure}</p>'
    time = html.escape(f"{post.at:%H:%M %Z}")
    return (
        f'<article id="post-{number + 1}">'
        f'<header><time datetime="{post.at.isoformat()}">{time}</time>'
        f'<span class="caption">{html.escape(post.caption)}</span></header>{shown}</article>'
    )
