"""Break a copy of the project on purpose, and run a test or a command there.

A rule that is only ever seen to pass may check nothing at all. Such a test shows it failing.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.repository import project_files

__all__ = ["ROOT", "Copy", "copy_project", "project_files"]

ROOT = Path(__file__).resolve().parent.parent
_NODE_MODULES = ROOT / "sandbox" / "node_modules"


@dataclass(frozen=True)
class Copy:
    """A copy of the project that a test may do anything to."""

    root: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Seed one fault; the text must be there exactly once, or another fault is seeded."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}, not once"
        path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    def run(self, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy; return its status and, as stdout, all that it printed."""
        # The copy has no packages of its own, so it is lent those of the project. What this run of
        # pytest left in the environment belongs to this run.
        lent = {"PYTHONUTF8": "1", "TOKENWATCH_NODE_MODULES": str(_NODE_MODULES)} | os.environ
        for name in [*lent]:
            if name.startswith(("PYTEST_", "COV_")) or name == "TOKENWATCH_REQUIRE_ALL":
                del lent[name]
        return subprocess.run(
            words,
            cwd=self.root,
            env=lent | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def pytest(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run tests of the copy, named as pytest names them."""
        options = ("-p", "no:cacheprovider", "-p", "no:randomly", "-q")
        return self.run(sys.executable, "-m", "pytest", *options, *arguments, **env)


def copy_project(target: Path, *paths: str) -> Copy:
    """Copy the project without what the set-up made, or only what is below the paths."""
    root = target / "copy"
    for name in project_files(*paths):
        source, copy = ROOT / name, root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
        # Bytecode too, which halves the time of a pytest; a file that is changed is compiled anew.
        for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc"):
            (copy.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy2(compiled, copy.parent / "__pycache__" / compiled.name)
    # Tests of the copy ask git for its files too.
    subprocess.run(["git", "-c", "init.defaultBranch=main", "init", "--quiet", root], check=True)
    return Copy(root)
