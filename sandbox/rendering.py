"""See cards as a person sees them: drawn by Microsoft's renderer in a Chromium."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web

from sandbox.browser import open_browser
from sandbox.card_page import Theme, draw_cards
from sandbox.devtools import Box, BrowserError, Page
from sandbox.glyphs import FONTS_TO_INSTALL, uncovered_characters
from sandbox.server import LoopbackServer
from sandbox.teams_flow import Card

#: Chromium repeats the picture from here on.
_MAX_PICTURE_PX = 16_000
# Chromium lays out the whole page for each picture: with the others hidden, that is little.
_ALONE = """((elements, number) => {
  elements.forEach((element, index) => { element.style.display = index === number ? "" : "none"; });
  return elements[number].getBoundingClientRect().toJSON();
})(%s, %d)"""


@dataclass(frozen=True, slots=True)
class RenderedCard:
    """What a person sees of a card: what is folded away is not in it.

    `links` are those of the text and of the buttons. `overflow` names what is wider than its box or
    than the card; `complaints` are the renderer's own. `elements` are the names of all elements
    that the card became, the folded ones too. `height` is in CSS pixels.
    """

    text: str
    links: list[str]
    overflow: list[str]
    complaints: list[str]
    elements: list[str]
    height: float


class Renderer:
    """A browser window in which pages and cards are drawn."""

    def __init__(self, page: Page, server: "_PageServer") -> None:
        self.page = page
        self._server = server

    async def render(
        self,
        cards: Sequence[Card],
        *,
        width_px: int = 600,
        theme: Theme = Theme.LIGHT,
        language: str = "en",
        unfold: str = "",
    ) -> list[RenderedCard]:
        """Draw cards of this width and read back what is seen.

        `unfold` is the title of a button to be pressed on every card before it is read.
        """
        await self.draw(draw_cards(cards, theme=theme, language=language), width_px=width_px)
        if unfold:
            await self.press(unfold)
        return await self.read()

    async def draw(self, document: str, *, width_px: int = 600, scale: float = 1) -> None:
        """Draw a page in a window of this width, with `scale` dots for each pixel of it."""
        self._server.document = document
        await self.page.resize(width_px, scale)
        await self.page.open(self._server.url)

    async def press(self, title: str) -> None:
        """Press every button with this title."""
        await self.page.evaluate(
            "document.querySelectorAll('button').forEach("
            f"button => button.innerText.trim() === {_quote(title)} && button.click())"
        )

    async def unfold(self) -> None:
        """Press every button that unfolds something, the buttons within that too."""
        await self.page.evaluate(
            "document.querySelectorAll('button:not([data-url])').forEach(button => button.click())"
        )

    async def read(self, *, width_px: int | None = None) -> list[RenderedCard]:
        """Read back what is seen of each card, in a window of another width if one is given."""
        if width_px is not None:
            await self.page.resize(width_px)
        return msgspec.convert(await self.page.evaluate("report()"), list[RenderedCard])

    async def take_pictures(
        self, document: str, selector: str, *, width_px: int = 1_000, scale: float = 2
    ) -> list[bytes]:
        """Draw a page and take a PNG of each element that fits the CSS selector.

        Raise BrowserError where a character of the page would be shown as an empty box.
        """
        await self.draw(document, width_px=width_px, scale=scale)
        if missing := await uncovered_characters(self.page):
            raise BrowserError(f"no installed font has {missing}: {FONTS_TO_INSTALL}")
        elements = f"[...document.querySelectorAll({_quote(selector)})]"
        pictures = []
        for number in range(await self.page.evaluate(f"{elements}.length")):
            box = msgspec.convert(await self.page.evaluate(_ALONE % (elements, number)), Box)
            is_long = box.height * scale > _MAX_PICTURE_PX
            if is_long:
                await self.page.resize(width_px, _MAX_PICTURE_PX / box.height)
            pictures.append(await self.page.picture(box))
            if is_long:
                await self.page.resize(width_px, scale)
        return pictures


@asynccontextmanager
async def open_renderer(browser: Path) -> AsyncIterator[Renderer]:
    """Start a browser to draw with; raise BrowserError when it does not start."""
    async with _PageServer() as server, open_browser(browser) as page:
        yield Renderer(page, server)


class _PageServer(LoopbackServer):
    """Serve the page to be drawn: a browser in a box of its own may not read files of this user."""

    def __init__(self) -> None:
        super().__init__()
        self.document = ""

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer the page, and nothing for the icon that a browser asks for by itself."""
        if request.path != "/":
            return web.Response(status=404)
        return web.Response(text=self.document, content_type="text/html", charset="utf-8")


def _quote(text: str) -> str:
    return msgspec.json.encode(text).decode()
