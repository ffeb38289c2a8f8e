"""`python3 -m sandbox mutants`: change the policy in small ways and see that a test notices each.

What is changed and which tests run stands in `[tool.mutmut]` of pyproject.toml. It happens in a
copy of the project, which is thrown away.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.node import ROOT

KNOWN = ROOT / "tests" / "mutants.md"
LEAST_KILLED_PERCENT = 90
_MUTMUT = Path(sysconfig.get_path("scripts")) / "mutmut"
_STATISTICS = Path("mutants") / "mutmut-cicd-stats.json"
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "demo", "build", "mutants")


def main(arguments: Sequence[str]) -> int:
    """Run every mutant. Return 1 when too few are killed or one survives that nobody explained."""
    if not _MUTMUT.exists():
        print("The mutants take a system that forks: Linux, macOS, or Windows' Linux subsystem.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        _mutmut(copy, "run", "--max-children", str(os.cpu_count() or 1), *arguments)
        _mutmut(copy, "export-cicd-stats")
        statistics = json.loads((copy / _STATISTICS).read_text(encoding="utf-8"))
        lines = _mutmut(copy, "results").splitlines()
        survivors = [line.split(":")[0].strip() for line in lines if "survived" in line]
        changes = {name: _change(_mutmut(copy, "show", name)) for name in survivors}
    killed, total = statistics["killed"], statistics["total"]
    print(f"{killed} of {total} mutants were killed.")
    explained = KNOWN.read_text(encoding="utf-8")
    unexplained = {name: change for name, change in changes.items() if change not in explained}
    for name, change in unexplained.items():
        print(f"\n{name} survives, and tests/mutants.md does not say why:\n{change}")
    return 1 if unexplained or 100 * killed < LEAST_KILLED_PERCENT * total else 0


def _change(difference: str) -> str:
    """Return the lines that a mutant takes away and adds, as tests/mutants.md shows them."""
    lines = difference.splitlines()
    return "\n".join(
        line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}
    )


def _mutmut(folder: Path, *words: str) -> str:
    """Run mutmut and return what it printed; raise when it could not do its work."""
    done = subprocess.run(
        [sys.executable, _MUTMUT, *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"mutmut {words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
