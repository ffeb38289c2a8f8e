"""Break a copy of the project on purpose, and run a test or a command there.

A rule that is only ever seen to pass may check nothing at all. Such a test shows it failing.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

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
        return subprocess.run(
            words,
            cwd=self.root,
            env=_lent() | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def pytest(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run tests of the copy, named as pytest names them."""
        words = ["-p", "no:cacheprovider", "-p", "no:randomly", "-q", *arguments]
        if sys.platform != "linux":  # only there, every library stands a fork
            return self.run(sys.executable, "-m", "pytest", *words, **env)
        with NamedTemporaryFile() as output:
            status = _nursery().run(
                folder=str(self.root), env=_lent() | env, arguments=words, output=output.name
            )
            printed = Path(output.name).read_text(encoding="utf-8", errors="replace")
        return subprocess.CompletedProcess(words, status, printed)


class _Nursery:
    """The process that forks each pytest: it has loaded the libraries, half of the time of one."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", ROOT / "tests" / "forked_pytest.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_lent(),
            encoding="utf-8",
        )
        atexit.register(self.end)

    def run(self, **run: str | dict[str, str] | list[str]) -> int:
        """Let it run pytest once; return the status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(run), file=self._process.stdin, flush=True)
            return int(self._process.stdout.readline())
        except BaseException:
            # Whoever gave up waiting must not leave the answer to the next one.
            self.end()
            _nursery.cache_clear()
            raise

    def end(self) -> None:
        """End it, and the run that it waits for."""
        atexit.unregister(self.end)
        with self._process:
            self._process.kill()


@cache
def _nursery() -> _Nursery:
    return _Nursery()


def _lent() -> dict[str, str]:
    # The copy has no packages of its own, so it is lent those of the project. It keeps no bytecode,
    # which Python knows by the second and the size of its file: a fault may change neither.
    lent = {"TOKENWATCH_NODE_MODULES": str(_NODE_MODULES)} | os.environ
    lent |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    # What this run of pytest left in the environment belongs to this run.
    for name in [*lent]:
        if name.startswith(("PYTEST_", "COV_")) or name == "TOKENWATCH_REQUIRE_ALL":
            del lent[name]
    return lent


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
