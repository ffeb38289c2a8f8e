"""Cards are seen as a person sees them, and pictures are taken, in a real browser."""

import struct
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.card_page import Theme, draw_cards
from sandbox.channel_page import ChannelPost, draw_channel_page
from sandbox.channel_report import write_channel_report
from sandbox.devtools import BrowserError
from sandbox.rendering import Renderer, open_renderer
from sandbox.teams_flow import Card

pytestmark = [pytest.mark.rendering, pytest.mark.asyncio(loop_scope="session")]

AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def card(*body: object, **properties: object) -> Card:
    return {"type": "AdaptiveCard", "version": "1.4", "body": list(body), **properties}


def text(words: str, **properties: object) -> dict[str, object]:
    return {"type": "TextBlock", "text": words, "wrap": True, **properties}


def open_url(title: str, url: str) -> dict[str, object]:
    return {"type": "Action.OpenUrl", "title": title, "url": url}


def png_size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


async def test_the_text_and_the_links_of_each_card_are_read_back(renderer: Renderer) -> None:
    first = card(
        text("See **Intune** or [Apple](https://business.apple.com/)"),
        {"type": "FactSet", "facts": [{"title": "Token", "value": "東京店舗 📱"}]},
        {"type": "ActionSet", "actions": [open_url("Open", "https://intune.microsoft.com/")]},
    )

    seen, other = await renderer.render([first, card(text("Second"))])

    assert "See Intune or Apple" in seen.text
    assert "東京店舗 📱" in seen.text
    assert seen.links == ["https://business.apple.com/", "https://intune.microsoft.com/"]
    assert (other.text, other.links) == ("Second", [])
    assert seen.complaints == []


async def test_what_is_folded_away_is_seen_only_after_its_button_was_pressed(
    renderer: Renderer,
) -> None:
    folded = card(
        {
            "type": "ActionSet",
            "actions": [
                {
                    "type": "Action.ToggleVisibility",
                    "title": "日本語",
                    "targetElements": ["more"],
                }
            ],
        },
        {
            "type": "Container",
            "id": "more",
            "isVisible": False,
            "items": [text("More [here](https://learn.microsoft.com/)")],
        },
    )

    (closed,) = await renderer.render([folded])
    (opened,) = await renderer.render([folded], unfold="日本語")

    assert ("More" in closed.text, closed.links) == (False, [])
    assert ("More" in opened.text, opened.links) == (True, ["https://learn.microsoft.com/"])


@pytest.mark.parametrize("width_px", [320, 600, 1_000])
async def test_text_that_wraps_fits_every_width(width_px: int, renderer: Renderer) -> None:
    (seen,) = await renderer.render([card(text("word " * 100))], width_px=width_px)

    assert seen.overflow == []


async def test_what_is_cut_off_or_does_not_fit_is_reported(renderer: Renderer) -> None:
    cut = card(text("word " * 100, wrap=False))
    wide = card({"type": "FactSet", "facts": [{"title": "Name", "value": "x" * 300}]})

    for seen in await renderer.render([cut, wide], width_px=320):
        assert seen.overflow


async def test_a_narrower_card_is_higher(renderer: Renderer) -> None:
    cards = [card(text("word " * 100))]

    (narrow,) = await renderer.render(cards, width_px=320)
    (wide,) = await renderer.render(cards, width_px=1_000)

    assert narrow.height > 2 * wide.height


async def test_the_renderer_complains_about_what_it_does_not_know(renderer: Renderer) -> None:
    (seen,) = await renderer.render([card({"type": "Hologram"})])

    assert any("Hologram" in complaint for complaint in seen.complaints)


async def test_the_renderer_has_nothing_against_the_language_of_several_cards(
    renderer: Renderer,
) -> None:
    seen = await renderer.render([card(text("Hello"), lang="ja") for _ in range(3)])

    assert [one.complaints for one in seen] == [[], [], []]


async def test_hostile_markdown_and_html_run_nothing_and_lead_nowhere(renderer: Renderer) -> None:
    bad = (
        "<img src=x onerror=\"document.title='owned'\"> [a](javascript:alert(1)) "
        "![b](https://evil.example/pixel.png) <script>document.title='owned'</script>"
    )
    hostile = card(
        text(bad), {"type": "ActionSet", "actions": [open_url("Go", "javascript:alert(1)")]}
    )

    (seen,) = await renderer.render([hostile], unfold="Go")

    assert "<img src=x" in seen.text
    assert "<script>" in seen.text
    # An image is a link here, and the address of a button that leads nowhere is only read back.
    assert seen.links == ["https://evil.example/pixel.png", "javascript:alert(1)"]
    assert await renderer.page.evaluate("document.title") == "Cards"


async def test_pictures_have_the_size_of_what_they_show(renderer: Renderer) -> None:
    posts = [ChannelPost(at=AT, caption="new", card=card(text(t))) for t in ("One", "Two")]
    document = draw_channel_page(posts, title="Channel")

    (page,) = await renderer.take_pictures(document, "body", width_px=800, scale=1.5)
    cards = await renderer.take_pictures(document, ".card", width_px=800, scale=1)

    assert png_size(page)[0] == 1_200
    assert len(cards) == 2
    assert all(png_size(picture)[0] <= 514 for picture in cards)  # a card of no full width


async def test_a_very_long_page_is_pictured_whole_in_fewer_dots(renderer: Renderer) -> None:
    document = draw_channel_page(
        [ChannelPost(at=AT, caption="new", card=card(*[text("line")] * 500))], title="Channel"
    )

    (page,) = await renderer.take_pictures(document, "body", width_px=400, scale=2)

    assert 15_000 < png_size(page)[1] <= 16_001


WITHOUT_JAPANESE_AND_EMOJI = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <selectfont><rejectfont>
    <pattern><patelt name="lang"><string>ja</string></patelt></pattern>
    <pattern><patelt name="lang"><string>zh-cn</string></patelt></pattern>
    <pattern><patelt name="color"><bool>true</bool></patelt></pattern>
  </rejectfont></selectfont>
</fontconfig>
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fonts can be hidden on Linux only")
async def test_no_picture_is_taken_of_characters_that_no_font_has(
    browser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = tmp_path / "fonts.conf"
    without.write_text(WITHOUT_JAPANESE_AND_EMOJI, encoding="utf-8")
    monkeypatch.setenv("FONTCONFIG_FILE", str(without))

    async with open_renderer(browser) as renderer:
        pictures = await renderer.take_pictures(draw_cards([card(text("Token é"))]), ".card")
        with pytest.raises(BrowserError) as failure:
            await renderer.take_pictures(draw_cards([card(text("Token 東京 📱"))]), ".card")

    assert len(pictures) == 1
    assert "no installed font has 東 京 📱: install fonts for Japanese" in str(failure.value)


@pytest.mark.parametrize("theme", list(Theme))
async def test_the_report_holds_the_page_and_a_picture_of_each_card(
    theme: Theme, browser: Path, tmp_path: Path
) -> None:
    posts = [ChannelPost(at=AT, caption="new", card=card(text(t))) for t in ("One", "Two")]

    report = await write_channel_report(posts, tmp_path, title="Channel", theme=theme)

    assert report.note == ""
    assert [path.name for path in report.pictures] == ["channel.png", "card-01.png", "card-02.png"]
    assert all(png_size(path.read_bytes()) > (0, 0) for path in report.pictures)
