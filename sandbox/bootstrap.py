"""Set up what the commands run on: `.venv` with the locked packages, Node.js with its own.

Only the standard library is used, since nothing else is there yet. Each step leaves a stamp, the
hash of the lock that it carried out: as long as it fits, the step takes no time and no network.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox import node
from sandbox.node import NODE_MODULES, ROOT, VENV, Node

_PYTHON_LOCK = ROOT / "requirements-dev.txt"
_NODE_LOCK = ROOT / "sandbox" / "requirements-node.txt"
_NODE_MODULES_LOCK = ROOT / "sandbox" / "package-lock.json"
_SHOWN_LINES = 15


class SetupError(Exception):
    """A step of the set-up failed; the message says what to do."""


def prepare() -> Path:
    """Bring `.venv` and `node_modules` to what the locks say; return the Python of `.venv`.

    Safe to repeat: a step that was interrupted left no stamp and is done again.
    """
    python = _prepare_python()
    _prepare_node_modules(_prepare_node(python))
    return python


def is_running_in_venv() -> bool:
    """Say whether this very process runs under `.venv`."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def _prepare_python() -> Path:
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stamp = VENV / "packages.stamp"
    wanted = f"{version} {_hash(_PYTHON_LOCK)}"
    if _read(stamp) == wanted and _starts(python):
        return python
    stamp.unlink(missing_ok=True)
    if (
        not is_running_in_venv()
    ):  # it can't be made anew under its own feet, only be brought up to date
        with _step(f"Python {version} environment in .venv"):
            _call(
                [sys.executable, "-m", "venv", "--clear", VENV],
                "On Debian and Ubuntu this takes the package python3-venv.",
            )
    with _step("Python packages, each checked against its hash (about a minute)"):
        _install(python, _PYTHON_LOCK)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _prepare_node(python: Path) -> Node:
    found = node.find()
    if found is None:
        with _step(f"Node.js from PyPI, for want of Node.js {node.OLDEST} or newer with npm"):
            _install(python, _NODE_LOCK)
        found = node.find()
    if found is None:
        raise SetupError(
            f"Node.js does not start. Install version {node.OLDEST} or newer, with npm."
        )
    return found


def _prepare_node_modules(found: Node) -> None:
    stamp = NODE_MODULES / "packages.stamp"
    wanted = _hash(_NODE_MODULES_LOCK)
    if _read(stamp) == wanted:
        return
    with _step("Node.js packages: storage emulator, card renderer, workflow linter"):
        _call(
            [*found.npm, "ci", "--no-audit", "--no-fund", "--no-update-notifier"],
            "Is npm's registry reached? `npm config get registry` names it.",
            cwd=NODE_MODULES.parent,
        )
    stamp.write_text(wanted, encoding="utf-8")


def _install(python: Path, lock: Path) -> None:
    # Not compiled ahead: of the thousands of modules in the Graph SDK a few dozen are ever loaded.
    options = ("--require-hashes", "--no-compile", "--no-input", "--disable-pip-version-check")
    _call(
        [python, "-m", "pip", "install", *options, "--requirement", lock],
        "Is PyPI, or the mirror in pip's settings, reached? Windows needs long paths switched on.",
    )


def _call(words: Sequence[str | Path], advice: str, cwd: Path = ROOT) -> None:
    """Run one step silently; when it fails, raise with the end of its output and the advice."""
    try:
        done = subprocess.run(
            words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError as error:
        raise SetupError(f"{words[0]} does not start: {error}") from error
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").splitlines()[-_SHOWN_LINES:]
        raise SetupError(
            "\n".join([*lines, f"The step failed (status {done.returncode}). {advice}"])
        )


def _starts(python: Path) -> bool:
    # A Python that was updated or removed since leaves an environment that points nowhere.
    try:
        return subprocess.run([python, "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def _hash(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _read(stamp: Path) -> str:
    return stamp.read_text(encoding="utf-8") if stamp.exists() else ""


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Say what is going on, and afterwards how many seconds it took."""
    print(f"  {what} ...", end="", flush=True)
    started_s = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started_s:.0f} s", flush=True)
