"""Text that others wrote becomes no element, no link and no mention, whatever Teams may read in it.

The renderer is told to read all markdown and HTML, and to make a link of every address.
"""

import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from apple_tokens.model import Problem
from notify.elements import Element, card, words
from notify.text import clean
from sandbox.card_page import Markdown, draw_cards
from sandbox.rendering import RenderedCard, Renderer
from sandbox.specimens.alerts import Specimen, fixed
from sandbox.specimens.every import everything
from tests import test_card_structure, test_overview_cards
from tests.card_reading import visible_lines
from tests.hostile import LISTED, generated_names, scenario_names
from tests.seeded import copy_project
from tests.specimens import of_tenant, with_tokens

pytestmark = [
    pytest.mark.rendering,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),  # seconds; hundreds of cards, on a machine that does more than this
]

PHONE_PX = 350
NAMES = [*dict.fromkeys([*LISTED, *scenario_names()])]
GENERATED, SEED = 10_000, 20260803
ON_A_CARD = 20
"""So many tokens are listed at most."""
SPECIMENS = {
    name: specimen
    for name, specimen in everything().items()
    if "many" not in name and "every_problem" not in name  # they have no room for long names
}


async def test_listed_names_wherever_others_can_write_change_nothing_of_any_card(
    renderer: Renderer,
) -> None:
    hostile, plain = [], []
    for name, written in zip(SPECIMENS, itertools.cycle(NAMES), strict=False):
        hostile.append(written_into(name, written))
        plain.append(written_into(name, "Plain" if clean(written) else ""))
    fallbacks = [[words(str(one["fallbackText"])) for one in made] for made in (hostile, plain)]
    assert len(hostile) > 3 * len(NAMES)

    seen = await look(renderer, [*hostile, *plain, *map(of_words, fallbacks)])

    said = seen[-2:]
    for made, one, other in zip(hostile, seen, seen[len(hostile) :], strict=False):
        assert_harmless(one, other)
        assert visible(one) == visible_lines(made)
    assert_harmless(*said)


async def test_10000_generated_names_are_shown_and_nothing_else_appears(
    renderer: Renderer,
) -> None:
    names = generated_names(GENERATED, SEED)
    batches = [names[at : at + ON_A_CARD] for at in range(0, GENERATED, ON_A_CARD)]
    hostile = [listing(batch).card() for batch in batches]
    plain = listing(["Plain"] * ON_A_CARD).card()

    other, *seen = await look(renderer, [plain, *hostile])

    rest = bullets(other)[0].removeprefix("• Plain")
    shown = 0
    for batch, one in zip(batches, seen, strict=True):
        assert_harmless(one, other)
        by_id = sorted((f"ade-{number}", name) for number, name in enumerate(batch))
        assert bullets(one) == [f"• {clean(name) or token_id}{rest}" for token_id, name in by_id]
        shown += len(bullets(one))
    assert shown == len(set(names)) == GENERATED


FAULTS = {
    "text of others is read as markdown": (
        "notify/elements.py",
        'return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}',
        'return words("".join(str(one["text"]) for one in runs), spacing=spacing)',
        "assert seen.elements == plain.elements",
    ),
    "mentions and functions stay whole": (
        "notify/text.py",
        "for pattern, replacement in _BROKEN_OPENERS:",
        "for pattern, replacement in ():",
        "assert evaluated not in text.lower()",
    ),
    "hidden characters stay": (
        "notify/text.py",
        '_HIDDEN = frozenset({"Cf", "Cs", "Co", "Cn"})',
        '_HIDDEN = frozenset({"Cs"})',
        "assert not {unicodedata.category(one) for one in text}",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_in_what_protects_the_card_is_found(
    fault: str, browser: Path, tmp_path: Path
) -> None:
    file, old, new, found_by = FAULTS[fault]
    copy = copy_project(tmp_path)
    copy.replace(file, old, new)

    done = copy.pytest(f"tests/{Path(__file__).name}", "-k", "listed_names")

    assert done.returncode == 1, done.stdout
    assert re.search(rf"^>\s+{re.escape(found_by)}", done.stdout, re.MULTILINE), done.stdout
    assert "1 failed" in done.stdout


async def look(renderer: Renderer, cards: Sequence[Element]) -> list[RenderedCard]:
    """Draw cards as narrow as on a phone, with all markup read, and return what became of them."""
    await renderer.draw(draw_cards(cards, markdown=Markdown.ALL), width_px=PHONE_PX)
    seen = await renderer.read()
    assert await renderer.page.evaluate("document.title") == "Cards"
    return seen


def assert_harmless(seen: RenderedCard, plain: RenderedCard) -> None:
    """Fail if a card holds anything but text that the same card with plain names does not hold."""
    assert seen.elements == plain.elements
    assert seen.links == plain.links
    assert (seen.overflow, seen.complaints) == ([], [])
    text = seen.text.replace("\n", "")
    assert not {unicodedata.category(one) for one in text} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    for evaluated in ("<at", "</at", "{{", "${"):
        assert evaluated not in text.lower()


def visible(seen: RenderedCard) -> list[str]:
    return [line for line in seen.text.split("\n") if line]


def bullets(seen: RenderedCard) -> list[str]:
    return [line for line in visible(seen) if line.startswith("• ")]


def written_into(name: str, written: str) -> Element:
    """Return a card with the same text wherever others can write."""
    specimen = SPECIMENS[name]
    if isinstance(specimen, Specimen):
        return test_card_structure.planted(specimen, written).card()
    return test_overview_cards.planted(specimen, written).card()


def of_words(blocks: Sequence[Element]) -> Element:
    return card(blocks, fallback="", language="en")


def listing(names: Sequence[str]) -> Specimen:
    """Return a batch of tokens with these names, of a tenant that has the first of them."""
    specimen = fixed(Problem.ADE_SYNC_FAILED, count=len(names))
    return of_tenant(with_tokens(specimen, *({"name": name} for name in names)), names[0])
