"""The channel page is complete in itself, and nothing that a card contains can change it."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sandbox.browser import find_browser
from sandbox.card_page import Theme
from sandbox.channel_page import ChannelPost, draw_channel_page
from sandbox.channel_report import write_channel_report
from sandbox.npm import npm_file
from sandbox.teams_flow import Card

AT = datetime(2026, 1, 5, 8, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
HOSTILE = (
    "</script><script>document.title = 'owned'</script><!--<img src=x onerror=alert(1)>@@data@@"
)


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        npm_file("adaptivecards/package.json")
    except FileNotFoundError as error:
        pytest.skip(f"needs Microsoft's card renderer: {error}")


def card(text: str) -> Card:
    body = [{"type": "TextBlock", "text": text, "wrap": True}]
    return {"type": "AdaptiveCard", "version": "1.4", "body": body}


def post(text: str = "Hello", at: datetime = AT, caption: str = "new") -> ChannelPost:
    return ChannelPost(at=at, caption=caption, card=card(text))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class Outline(HTMLParser):
    """Lists the elements and the visible text of a page, as a browser would take it apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []
        self.policy = ""
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and data.strip():
            self.scripts.append(data)
        elif data.strip():
            self.texts.append(data.strip())


def test_posts_stand_in_order_under_their_dates_with_time_and_reason() -> None:
    posts = [post(caption="first"), post(caption="second"), post(at=AT + timedelta(days=1))]

    texts = Outline(draw_channel_page(posts, title="Channel")).texts

    assert texts[texts.index("Monday 2026-01-05") :][:7] == [
        "Monday 2026-01-05",
        "08:00 JST",
        "first",
        "08:00 JST",
        "second",
        "Tuesday 2026-01-06",
        "08:00 JST",
    ]


def test_a_post_that_was_never_shown_says_why_instead_of_a_card() -> None:
    failed = ChannelPost(at=AT, caption="new", failure="version <1.5>")

    page = draw_channel_page([failed, post()], title="Channel")

    assert "never shown: version &lt;1.5&gt;" in page
    assert re.findall(r'data-post="(\d)"', page) == ["1"]


@pytest.mark.parametrize("place", ["card", "caption", "title"])
def test_hostile_text_stays_text(place: str) -> None:
    harmless = Outline(draw_channel_page([post()], title="Channel"))

    hostile = Outline(
        draw_channel_page(
            [
                post(
                    HOSTILE if place == "card" else "Hello",
                    caption=HOSTILE if place == "caption" else "new",
                )
            ],
            title=HOSTILE if place == "title" else "Channel",
        )
    )

    assert hostile.tags == harmless.tags


def test_the_cards_arrive_in_the_page_as_they_were_posted() -> None:
    page = Outline(draw_channel_page([post(HOSTILE), post("東京 📱 \ud800")], title="Channel"))

    assert json.loads(page.scripts[0])["posts"] == [card(HOSTILE), card("東京 📱 \ud800")]


def test_the_page_fetches_nothing_and_runs_only_its_own_scripts() -> None:
    page = draw_channel_page([post()], title="Channel")
    outline = Outline(page)

    assert "default-src 'none'" in outline.policy
    assert outline.policy.count("'sha256-") == len(outline.scripts) - 1  # the data runs not
    assert "script-src 'unsafe" not in outline.policy
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)


@pytest.mark.parametrize("theme", list(Theme))
def test_both_looks_of_teams_can_be_drawn(theme: Theme) -> None:
    page = draw_channel_page([post()], title="Channel", theme=theme, language="ja")

    assert f'<html lang="ja" data-theme="{theme}"' in page


async def test_without_a_browser_the_page_is_complete_and_a_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROME", str(tmp_path / "no-browser"))
    (tmp_path / "card-01.png").write_bytes(b"of an earlier run")

    report = await write_channel_report([post()], tmp_path, title="Channel")

    assert report.note == (
        "Pictures were left out: no Chromium, Chrome or Edge was found (CHROME can name one)."
    )
    assert report.page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert names_in(tmp_path) == ["channel.html"]


async def test_a_browser_that_does_not_start_costs_the_pictures_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "chrome"
    broken.write_text("no program")
    monkeypatch.setenv("CHROME", str(broken))

    report = await write_channel_report([post()], tmp_path, title="Channel")

    assert report.page.exists()
    assert report.pictures == ()
    assert report.note.startswith("Pictures were left out: ")


def test_times_are_shown_in_the_zone_they_are_given_in() -> None:
    page = draw_channel_page([post(at=AT.astimezone(UTC))], title="Channel")

    assert "Sunday 2026-01-04" in page
    assert "23:00 UTC" in page


def test_a_browser_is_taken_from_the_path_unless_chrome_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "chromium.exe" if sys.platform == "win32" else "chromium"
    on_path, named = tmp_path / name, tmp_path / "mine"
    for program in (on_path, named):
        program.touch()
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROME", raising=False)
    assert find_browser() == on_path

    monkeypatch.setenv("CHROME", str(named))

    assert find_browser() == named
