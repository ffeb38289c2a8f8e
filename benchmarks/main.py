"""`python3 -m sandbox bench`: measure everything, write docs/performance.md, judge the targets."""

import argparse
import asyncio
from collections.abc import Sequence

from benchmarks import checking, growing, packing, reading, starting
from benchmarks.figures import Figure, as_table, missed
from benchmarks.plan import Plan
from sandbox.azurite import Azurite
from sandbox.node import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures -->\n", "<!-- /figures -->"


def main(arguments: Sequence[str]) -> int:
    """Return 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=Plan().pairs, help="how often, default 15")
    parser.add_argument("--without-typed", action="store_true", help="leave out the slow peer")
    options = parser.parse_args(arguments)
    typed = 0 if options.without_typed else min(Plan().typed_pairs, options.pairs)
    plan = Plan(pairs=options.pairs, typed_pairs=typed)
    figures = [*packing.measure(), *asyncio.run(measure(plan))]
    figures.sort(key=lambda figure: figure.part)
    print(as_table(figures))
    if typed:
        text = with_table(DOCUMENT.read_text(encoding="utf-8"), as_table(figures))
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
    for figure in missed(figures):
        print(f"MISSED: {figure.what}: {figure.value:.2f} {figure.unit}, {figure.target}")
    return 1 if missed(figures) else 0


async def measure(plan: Plan) -> list[Figure]:
    """Measure what runs, part by part."""
    figures = list[Figure]()
    with Azurite() as azurite:
        for part in (reading, checking, starting, growing):
            print(f"measuring: {part.__name__}", flush=True)
            figures += await part.measure(plan, azurite)
    return figures


def with_table(document: str, table: str) -> str:
    """Return the document with the table between its two marks."""
    before, begin, rest = document.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the document lacks {_BEGIN.strip()} or {_END}")
    return f"{before}{begin}{table}\n{end}{after}"
