"""The gallery holds every problem, in every language and look, and the README shows some of it."""

import base64
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from apple_tokens.model import FailureReason, Problem, Reason
from notify.remediation import Language
from sandbox import gallery
from sandbox.card_page import Theme, draw_cards
from sandbox.exhibits import ROOMS, every_exhibit
from sandbox.gallery_page import draw_gallery
from sandbox.npm import npm_file
from sandbox.palette import shrink
from sandbox.rendering import Renderer
from sandbox.specimens.tokens import severities_of
from tests.seeded import ROOT, project_files

EXHIBITS = list(every_exhibit())
NAMES = [exhibit.name for exhibit in EXHIBITS]
LANGUAGES = ["en", "ja", "ja+en"]
MOST_BYTES = 150_000
"""Of a picture in the repository."""
OF_TOKENS = [problem for problem in Problem if problem is not Problem.COULD_NOT_CHECK]
CASES = [
    *(f"{problem}-{worst}-new-*" for problem in OF_TOKENS for worst in severities_of(problem)),
    *(f"{problem}-fixed" for problem in OF_TOKENS),
    *(f"could_not_check-{cause}" for cause in FailureReason),
    *(f"*-{reason}-*" for reason in (Reason.WORSE, Reason.AGAIN, Reason.REMINDER)),
    *("renewed-*", "accepted", "test", "welcome-*", "digest-*", "*-many", "*-bare", "*-row_*"),
]
# Reads two pictures and returns how far the colour of a pixel is from that of the other at most.
LARGEST_GAP = """(async (pictures) => {
  const read = async (png) => {
    const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  };
  const [one, other] = await Promise.all(pictures.map(read));
  if (one.length !== other.length) return 256;
  return one.reduce((largest, value, at) => Math.max(largest, Math.abs(value - other[at])), 0);
})(%s)"""


@pytest.fixture(name="installed")
def _installed() -> None:
    try:
        npm_file("adaptivecards/package.json")
    except FileNotFoundError as error:
        pytest.skip(f"needs Microsoft's card renderer: {error}")


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


@pytest.mark.parametrize("case", CASES)
def test_the_gallery_shows(case: str) -> None:
    assert [name for name in NAMES if fnmatchcase(name, case)]


def test_no_card_hangs_in_two_rooms_and_no_room_is_empty() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert list(dict.fromkeys(exhibit.room for exhibit in EXHIBITS)) == list(ROOMS)


def test_every_card_is_there_in_every_language() -> None:
    assert {part for name in LANGUAGES for part in name.split("+")} == set(Language)
    for exhibit in EXHIBITS:
        assert list(exhibit.cards) == LANGUAGES
        assert [card["lang"] for card in exhibit.cards.values()] == ["en", "ja", "ja"]


def test_the_gallery_is_the_same_on_every_run() -> None:
    assert list(every_exhibit()) == EXHIBITS


def test_the_readme_shows_pictures_that_the_command_takes_and_that_are_small() -> None:
    shown = re.findall(r"\((docs/screenshots/[^)]+)\)", (ROOT / "README.md").read_text("utf-8"))

    assert sorted(shown) == sorted(project_files("docs/screenshots"))
    assert {Path(path).stem for path in shown} == set(gallery.SHOWN)
    for path in shown:
        assert 0 < (ROOT / path).stat().st_size < MOST_BYTES, path


@pytest.mark.usefixtures("installed")
def test_without_a_browser_the_page_is_complete_and_the_command_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHROME", str(tmp_path / "no-browser"))
    (tmp_path / "of-an-earlier-run.png").touch()

    status = gallery.main([], tmp_path)

    assert status == 1
    assert "No pictures: no Chromium, Chrome or Edge was found" in capsys.readouterr().err
    assert list(sizes(tmp_path)) == ["index.html"]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<article id="([^"]+)">', page) == NAMES
    assert page.count('class="variant"') == len(NAMES) * len(LANGUAGES) * len(Theme)


@pytest.mark.usefixtures("installed")
def test_a_browser_that_does_not_start_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "chrome"
    broken.write_text("no program")
    monkeypatch.setenv("CHROME", str(broken))

    status = gallery.main(["--screenshots"], tmp_path)

    assert status == 1
    assert "No pictures: " in capsys.readouterr().err
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.rendering
@pytest.mark.asyncio(loop_scope="session")
async def test_a_card_hangs_in_both_looks_and_switches_choose_what_is_seen(
    renderer: Renderer,
) -> None:
    await renderer.draw(draw_gallery(EXHIBITS[:1], title="Gallery"), width_px=1_640)
    backgrounds = await renderer.page.evaluate(
        "[...document.querySelectorAll('.card > *')].map("
        "one => getComputedStyle(one).backgroundColor)"
    )
    visible = "[...document.querySelectorAll('.card')].filter(one => one.offsetWidth).length"
    switch = "document.querySelector('[name=\"{}\"]').click()"

    assert len(set(backgrounds)) == len(Theme)
    assert await renderer.page.evaluate(visible) == 4
    for name, seen in (("ja+en", 6), ("dark", 3), ("en", 2), ("ja", 1), ("light", 0)):
        await renderer.page.evaluate(switch.format(name))
        assert await renderer.page.evaluate(visible) == seen


@pytest.mark.rendering
@pytest.mark.asyncio(loop_scope="session")
async def test_each_card_is_pictured_as_on_a_desktop_and_as_on_a_phone(
    renderer: Renderer, tmp_path: Path
) -> None:
    await gallery.take_pictures(renderer, EXHIBITS[:2], tmp_path)

    assert set(sizes(tmp_path)) == {
        f"{name}{suffix}.png" for name in NAMES[:2] for suffix in ("", ".350px")
    }


@pytest.mark.rendering
@pytest.mark.asyncio(loop_scope="session")
async def test_the_pictures_of_the_readme_are_small_and_show_what_the_browser_drew(
    renderer: Renderer, tmp_path: Path
) -> None:
    await gallery.take_screenshots(renderer, EXHIBITS, tmp_path)

    taken = sizes(tmp_path)
    assert set(taken) == {f"{name}.png" for name in gallery.SHOWN}
    assert max(taken.values()) < MOST_BYTES


@pytest.mark.rendering
@pytest.mark.asyncio(loop_scope="session")
async def test_a_picture_in_fewer_colours_looks_the_same(renderer: Renderer) -> None:
    document = draw_cards([EXHIBITS[0].cards["en"]])
    (picture,) = await renderer.take_pictures(document, ".card", width_px=400, scale=1)

    small = await shrink(picture, renderer.page)

    encoded = [base64.b64encode(one).decode() for one in (picture, small)]
    assert len(small) < len(picture) / 2
    assert await renderer.page.evaluate(LARGEST_GAP % encoded) < 20
