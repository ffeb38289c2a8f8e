"""`python3 -m sandbox survive`: break what can break, and see that each promise still holds.

Runs the rows of the survival matrix (tests/survival.py), prints what came of each fault, and writes
the number of rows that hold each promise into the README. What follows goes to pytest.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from sandbox.marked import between_marks
from sandbox.node import ROOT

README = ROOT / "README.md"
MARK = "survival"
_WORKERS = ("--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal")
_OUTCOMES = {"passed": "held", "failed": "BROKEN", "error": "BROKEN", "skipped": "not run here"}

Row = dict[str, Any]
"""As tests/survival.py writes it: id, outcome, fault, promises, happened."""


def main(arguments: Sequence[str]) -> int:
    """Run the rows. Return pytest's status: 0 when every promise held."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        pytest = (sys.executable, "-m", "pytest", "-m", "survives", "--rows-to", path, *_WORKERS)
        status = subprocess.call([*pytest, *arguments, *files_with_rows()], cwd=ROOT)
        if not path.exists():
            return status
        found = json.loads(path.read_text(encoding="utf-8"))
    rows: list[Row] = found["rows"]
    print("\n".join(table(rows)))
    print(f"\n{_totals(rows)}")
    if not arguments and status == 0 and all(row["outcome"] == "passed" for row in rows):
        text = README.read_text(encoding="utf-8")
        written = between_marks(text, MARK, counts(rows, found["promises"]))
        README.write_text(written, encoding="utf-8", newline="\n")
    return status


def files_with_rows() -> list[Path]:
    """Return the test files that have rows: to look only there saves much time."""
    files = sorted((ROOT / "tests").glob("test_*.py"))
    return [path for path in files if "@survives(" in path.read_text(encoding="utf-8")]


def table(rows: Iterable[Row]) -> Iterable[str]:
    """Return the lines of the matrix, those of the same promises under one heading."""

    def promises(row: Row) -> str:
        return " · ".join(row["promises"])

    for heading, group in groupby(sorted(rows, key=promises), promises):
        yield f"\n{heading}"
        for row in sorted(group, key=lambda row: str(row["fault"])):
            outcome = _OUTCOMES[row["outcome"]]
            yield f"  {outcome:6}  {row['fault']}  →  {row.get('happened', row['id'])}"


def counts(rows: Iterable[Row], promises: Iterable[str]) -> str:
    """Return the README's table: how many rows hold each promise."""
    held = Counter(promise for row in rows for promise in row["promises"])
    lines = [f"| {promise} | {held[promise]} |" for promise in promises]
    return "\n".join(["| Promise | Faults under which it holds |", "|---|---:|", *lines])


def _totals(rows: Sequence[Row]) -> str:
    outcomes = Counter(_OUTCOMES[row["outcome"]] for row in rows)
    parts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    return f"{len(rows)} rows: {parts}."
