"""`python3 -m sandbox docs`: write what the documents take from a run of the app."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox import timelapse
from sandbox.azurite import Azurite
from sandbox.marked import between_marks
from sandbox.node import ROOT

DESIGN = ROOT / "docs" / "design.md"
MARK = "sixty-days"


def main(_arguments: Sequence[str]) -> int:
    """Write the table of the sixty days into docs/design.md."""
    logging.getLogger("apple_tokens").setLevel(logging.CRITICAL)  # the story is no trouble
    with tempfile.TemporaryDirectory() as data, Azurite(Path(data)) as azurite:
        reports, _ = asyncio.run(timelapse.play_all(azurite, timelapse.DAYS))
    text = DESIGN.read_text(encoding="utf-8")
    text = between_marks(text, MARK, timelapse.as_table(reports))
    DESIGN.write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote the sixty days into {DESIGN.relative_to(ROOT)}")
    return 0
