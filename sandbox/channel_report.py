"""Write down what was posted: the channel as a page, and as pictures where a browser is found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.browser import NO_BROWSER, find_browser
from sandbox.card_page import Theme
from sandbox.channel_page import ChannelPost, draw_channel_page
from sandbox.devtools import BrowserError
from sandbox.rendering import open_renderer


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """Where the page and the pictures are; `note` says in a line why pictures were left out."""

    page: Path
    pictures: tuple[Path, ...]
    note: str


async def write_channel_report(
    posts: Sequence[ChannelPost],
    folder: Path,
    *,
    title: str,
    theme: Theme = Theme.LIGHT,
    language: str = "en",
) -> ChannelReport:
    """Write `channel.html`, and `channel.png` and `card-01.png` and so on if there is a browser.

    The page is complete without a browser. Pictures of an earlier run are deleted: they would show
    what was not posted.
    """
    document = draw_channel_page(posts, title=title, theme=theme, language=language)
    page = _write_page(document, folder)
    browser = find_browser()
    if browser is None:
        return ChannelReport(page, (), f"Pictures were left out: {NO_BROWSER}.")
    try:
        async with open_renderer(browser) as renderer:
            (whole,) = await renderer.take_pictures(document, "body")
            cards = await renderer.take_pictures(document, ".card")
    except (BrowserError, OSError) as error:
        return ChannelReport(page, (), f"Pictures were left out: {error}.")
    return ChannelReport(page, _write_pictures(whole, cards, folder), "")


def _write_page(document: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("card-*.png"), *folder.glob("channel.png")):
        old.unlink()
    page = folder / "channel.html"
    page.write_text(document, encoding="utf-8", newline="\n")
    return page


def _write_pictures(whole: bytes, cards: Sequence[bytes], folder: Path) -> tuple[Path, ...]:
    names = ["channel.png", *(f"card-{number:02}.png" for number in range(1, len(cards) + 1))]
    for name, picture in zip(names, [whole, *cards], strict=True):
        (folder / name).write_bytes(picture)
    return tuple(folder / name for name in names)
