"""`python3 -m sandbox cards`: every card in every language and look, as a page and as pictures."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from sandbox.browser import NO_BROWSER, find_browser
from sandbox.card_page import draw_cards
from sandbox.devtools import BrowserError
from sandbox.exhibits import every_exhibit
from sandbox.gallery_page import Exhibit, draw_gallery
from sandbox.node import ROOT
from sandbox.palette import shrink
from sandbox.rendering import Renderer, open_renderer

OUTPUT: Final = ROOT / "demo" / "cards"
SCREENSHOTS: Final = ROOT / "docs" / "screenshots"
#: What the README shows: its name, the card and the language.
SHOWN: Final = {
    "ade_token_expired": ("ade_token_expired-critical-new-ade_token", "en"),
    "push_certificate_expiring.ja": (
        "push_certificate_expiring-warning-new-push_certificate",
        "ja",
    ),
    "fixed": ("renewed-synced", "en"),
}
_TITLE = "The cards of Apple Token Watch"
_GALLERY_PX = 1_640  # two looks side by side
_CARD_PX = 760
_SHARP = 1.5  # finer, and a picture is too large for a repository


def main(arguments: Sequence[str], output: Path | None = None) -> int:
    """Write the page and the pictures; return 1 where no pictures can be taken."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox cards", description=__doc__)
    parser.add_argument(
        "--screenshots",
        action="store_true",
        help=f"take the README's pictures anew, in {SCREENSHOTS.relative_to(ROOT)}, no others",
    )
    options = parser.parse_args(arguments)
    folder = output or (SCREENSHOTS if options.screenshots else OUTPUT)
    exhibits = list(every_exhibit())
    if not options.screenshots:
        page = write_gallery(exhibits, folder)
        print(f"{len(exhibits)} cards, each in every language and look: {page.as_uri()}")
    browser = find_browser()
    if browser is None:
        print(f"No pictures: {NO_BROWSER}.", file=sys.stderr)
        return 1
    print("Taking pictures …", flush=True)
    take = take_screenshots if options.screenshots else take_pictures
    try:
        asyncio.run(_with_renderer(browser, lambda renderer: take(renderer, exhibits, folder)))
    except (BrowserError, OSError) as error:
        print(f"No pictures: {error}", file=sys.stderr)
        return 1
    print(f"The pictures: {folder}")
    return 0


def write_gallery(exhibits: Sequence[Exhibit], folder: Path) -> Path:
    """Write the page, and delete the pictures of an earlier run: they may show other cards."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    page = folder / "index.html"
    page.write_text(draw_gallery(exhibits, title=_TITLE), encoding="utf-8", newline="\n")
    return page


async def take_pictures(renderer: Renderer, exhibits: Sequence[Exhibit], folder: Path) -> None:
    """Write two pictures of each exhibit: as on a desktop, and as on a phone."""
    for suffix, on_phone in (("", False), (".350px", True)):
        document = draw_gallery(exhibits, title=_TITLE, on_phone=on_phone)
        pictures = await renderer.take_pictures(document, "article", width_px=_GALLERY_PX, scale=1)
        for exhibit, picture in zip(exhibits, pictures, strict=True):
            (folder / f"{exhibit.name}{suffix}.png").write_bytes(picture)


async def take_screenshots(renderer: Renderer, exhibits: Sequence[Exhibit], folder: Path) -> None:
    """Write what the README shows, small enough for a repository."""
    by_name = {exhibit.name: exhibit for exhibit in exhibits}
    for shown, (name, language) in SHOWN.items():
        document = draw_cards([by_name[name].cards[language]], language=language)
        (picture,) = await renderer.take_pictures(
            document, ".card", width_px=_CARD_PX, scale=_SHARP
        )
        (folder / f"{shown}.png").write_bytes(await shrink(picture, renderer.page))


async def _with_renderer(browser: Path, take: Callable[[Renderer], Awaitable[None]]) -> None:
    async with open_renderer(browser) as renderer:
        await take(renderer)
