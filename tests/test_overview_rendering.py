"""Welcome and digest as a person sees them: nothing cut off, and nothing that others put there."""

import pytest

from notify.remediation import Language, load
from sandbox.card_page import Theme
from sandbox.rendering import RenderedCard, Renderer
from sandbox.specimens.every import every_overview
from tests.test_card_text import HOSTILE
from tests.test_overview_cards import planted

pytestmark = [pytest.mark.rendering, pytest.mark.asyncio(loop_scope="session")]

OVERVIEWS = dict(every_overview())
EN, JA = Language.EN, Language.JA
SHOW_ENGLISH = load(EN).word("button.this_language")


def complaints(seen: RenderedCard) -> list[str]:
    """Return what the renderer complains about.

    It refuses every second language that is two letters long: its pattern keeps the place of its
    last match from card to card.
    """
    return [one for one in seen.complaints if 'for property "lang"' not in one]


@pytest.mark.parametrize("width_px", [350, 700])
@pytest.mark.parametrize("language", Language)
async def test_every_card_fits_a_telephone_and_a_desktop(
    language: Language, width_px: int, renderer: Renderer
) -> None:
    cards = [found.card(language) for found in OVERVIEWS.values()]

    seen = await renderer.render(cards, width_px=width_px, language=language)

    for name, one in zip(OVERVIEWS, seen, strict=True):
        assert (one.overflow, complaints(one)) == ([], []), name


@pytest.mark.parametrize(
    "title", ["How to renew: ADE token", "How to renew: VPP token", "Show 7 more"]
)
async def test_what_is_folded_away_fits_once_it_is_unfolded(title: str, renderer: Renderer) -> None:
    cards = [OVERVIEWS["welcome-first_day"].card()]

    (closed,) = await renderer.render(cards, width_px=350)
    (opened,) = await renderer.render(cards, width_px=350, unfold=title)

    assert len(opened.text) > len(closed.text) + 200
    assert opened.overflow == []


async def test_the_second_language_is_seen_only_after_its_button_was_pressed(
    renderer: Renderer,
) -> None:
    cards = [OVERVIEWS["digest-troubled"].card(JA, EN)]

    (closed,) = await renderer.render(cards)
    (opened,) = await renderer.render(cards, unfold=SHOW_ENGLISH)

    assert "5 open problems" not in closed.text
    assert "5 open problems" in opened.text


@pytest.mark.parametrize("name", ["welcome-first_day", "digest-troubled"])
async def test_what_others_wrote_becomes_no_link_and_no_text_of_ours(
    name: str, renderer: Renderer
) -> None:
    found = OVERVIEWS[name]
    hostile = [planted(found, written).card() for written in HOSTILE]
    (plain,) = await renderer.render([found.card()])

    for one in await renderer.render(hostile, width_px=350, theme=Theme.DARK):
        assert one.links == plain.links
        assert complaints(one) == []
    assert await renderer.page.evaluate("document.title") == "Cards"
