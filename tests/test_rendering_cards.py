"""Every card as a person sees it: it says what it was given, all of it, and nothing is cut off."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import Struct

from notify.remediation import Language
from sandbox.card_page import Theme, draw_cards
from sandbox.exhibits import every_exhibit
from sandbox.rendering import RenderedCard, Renderer
from sandbox.specimens.every import everything
from tests.card_reading import visible_lines, visible_nodes

PAGE = Path(__file__).parent.parent / "sandbox" / "page"
FULL_PX, PHONE_PX = 760, 350
GALLERY = {
    f"{exhibit.name} ({language})": card
    for exhibit in every_exhibit()
    for language, card in exhibit.cards.items()
}
"""In English, in Japanese, and with English folded below Japanese."""
EVERY_SORT = {
    f"{name} (ja+en)": specimen.card(Language.JA, Language.EN)
    for name, specimen in everything().items()
}
CARDS = GALLERY | EVERY_SORT


class Look(Struct, frozen=True, kw_only=True):
    """How cards are looked at."""

    theme: Theme
    width_px: int
    is_unfolded: bool

    def __str__(self) -> str:
        """Name the look in the report of a test."""
        return f"{self.theme}-{self.width_px}px-{'unfolded' if self.is_unfolded else 'folded'}"


LOOKS = [
    Look(theme=theme, width_px=width_px, is_unfolded=is_unfolded)
    for theme in Theme
    for is_unfolded in (False, True)
    for width_px in (FULL_PX, PHONE_PX)
]
Seen = Mapping[Look, Mapping[str, RenderedCard]]

pytestmark = [
    pytest.mark.rendering,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("rendering_cards"),  # drawn once, read by every test
    pytest.mark.timeout(240),  # seconds; the first test draws a thousand cards on a busy machine
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(renderer: Renderer) -> Seen:
    """Draw each theme once, and read it at each width, folded and unfolded."""
    readings = {}
    for theme in Theme:
        # The looks differ in colours only: one of them shows every sort of card that there is.
        cards = CARDS if theme is Theme.LIGHT else GALLERY
        await renderer.draw(draw_cards(list(cards.values()), theme=theme))
        for look in LOOKS:
            if look.theme is not theme:
                continue
            if look.is_unfolded and look.width_px == FULL_PX:
                await renderer.unfold()
            read = await renderer.read(width_px=look.width_px)
            readings[look] = dict(zip(cards, read, strict=True))
    return readings


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_nothing_is_cut_off_or_wider_than_its_place(look: Look, seen: Seen) -> None:
    assert {name: card.overflow for name, card in seen[look].items() if card.overflow} == {}


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_a_person_reads_what_the_card_says_and_nothing_else(look: Look, seen: Seen) -> None:
    for name, card in seen[look].items():
        said = visible_lines(CARDS[name], is_unfolded=look.is_unfolded)
        assert [line for line in card.text.split("\n") if line] == said, name


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_only_links_are_the_buttons_that_the_card_gives(look: Look, seen: Seen) -> None:
    for name, card in seen[look].items():
        visible = visible_nodes(CARDS[name], is_unfolded=look.is_unfolded)
        assert card.links == [
            node["url"] for node in visible if node["type"] == "Action.OpenUrl"
        ], name


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_renderer_has_no_complaint_and_no_backslash_is_left(
    look: Look, seen: Seen
) -> None:
    for name, card in seen[look].items():
        assert (card.complaints, card.text.count("\\")) == ([], 0), name


async def test_a_card_on_a_phone_is_read_in_the_width_of_a_phone(seen: Seen) -> None:
    full, phone = (
        seen[Look(theme=Theme.LIGHT, width_px=width_px, is_unfolded=False)]
        for width_px in (FULL_PX, PHONE_PX)
    )

    assert all(phone[name].height > full[name].height for name in CARDS)


async def test_the_looks_of_teams_differ_in_colours_only() -> None:
    light, dark = (json.loads((PAGE / f"teams-{theme}.json").read_text("utf-8")) for theme in Theme)

    assert without_colours(light) == without_colours(dark)


def without_colours(value: object) -> object:
    """Return a host configuration with every colour made the same."""
    if isinstance(value, dict):
        return {key: without_colours(part) for key, part in value.items()}
    return "#" if isinstance(value, str) and value.startswith("#") else value
