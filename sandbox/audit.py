"""`python3 -m sandbox audit`: ask whether a locked package has a known vulnerability.

pip-audit asks PyPI about every Python package of the locks, npm asks its registry about what the
sandbox takes from there. A service that did not answer is no health: pip-audit on its own prints
"No known vulnerabilities found" and ends with 0 when PyPI knew none of the packages it asked for.
"""

import json
import re
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sandbox import node
from sandbox.node import ROOT

PIP_AUDIT = "pip-audit==2.10.1"
LOCKS = ("requirements.txt", "requirements-dev.txt", "sandbox/requirements-node.txt")
VULNERABLE, NOT_AUDITED = 1, 75
"""Exit statuses. 75 is the one of sysexits.h for what may succeed when tried later."""
ACCEPTED: dict[str, str] = {}
"""Ids of vulnerabilities that do not concern the project, each with the reason why."""
# What runs on a developer's machine, for the developer alone, need not be mended for less.
_GRAVE = {"high", "critical"}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)
_LONGEST_S = 300


@dataclass
class Audit:
    """What the services said, a line each."""

    found: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def main(_arguments: Sequence[str]) -> int:
    """Return 0 when no vulnerability is known, VULNERABLE, or else NOT_AUDITED."""
    audit = Audit()
    locks = [(ROOT / lock).read_text(encoding="utf-8") for lock in LOCKS]
    uvx = (Path(sysconfig.get_path("scripts")) / "uvx", "--quiet", "--from", PIP_AUDIT)
    for packages in rounds(locks):
        audit_python(packages, (*uvx, "pip-audit"), audit)
    audit_npm(node.require().npm, audit)
    return report(audit)


def rounds(locks: Sequence[str]) -> Iterator[list[str]]:
    """Yield every pinned package, in lists that hold each name once, as pip-audit wants it.

    The locks hold several versions of some packages, for one Python or platform each. pip-audit
    would look only at those for the Python that it happens to run on.
    """
    versions: dict[str, set[str]] = {}
    for name, version in _PIN.findall("\n".join(locks)):
        versions.setdefault(name, set()).add(version)
    pins = [[f"{name}=={v}" for v in sorted(found)] for name, found in sorted(versions.items())]
    for packages in zip_longest(*pins):
        yield [package for package in packages if package]


def audit_python(packages: Sequence[str], pip_audit: Sequence[str | Path], audit: Audit) -> None:
    """Ask about these packages, as they are pinned: nothing is resolved or installed."""
    options = ("--disable-pip", "--no-deps", "--progress-spinner=off", "--desc=off")
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "pinned.txt"
        pinned.write_text("\n".join(packages), encoding="utf-8")
        answer, trouble = _ask([*pip_audit, *options, "--format=json", "--requirement", pinned])
    dependencies = answer.get("dependencies", [])
    for package in dependencies:
        for known in package.get("vulns", []):
            mended = ", ".join(known["fix_versions"]) or "no version"
            line = f"{package['name']} {package['version']}: {known['id']}, mended in {mended}"
            _add(line, {known["id"], *known.get("aliases", [])}, audit)
    unknown = [package["skip_reason"] for package in dependencies if "skip_reason" in package]
    if len(dependencies) < len(packages):
        audit.unanswered.append(f"{len(packages)} Python packages: {trouble}")
    elif unknown:
        audit.unanswered.append(f"{len(unknown)} Python packages, first of all: {unknown[0]}")


def audit_npm(npm: Sequence[str | Path], audit: Audit) -> None:
    """Ask about everything in the lock of npm."""
    answer, trouble = _ask([*npm, "audit", "--json", "--package-lock-only", "--prefix", "sandbox"])
    if "vulnerabilities" not in answer:
        said = str(answer.get("message") or trouble)
        audit.unanswered.append(f"the packages from npm: {said}")
        return
    for package in answer["vulnerabilities"].values():
        for known in package["via"]:
            # A text in place of an object names the package through which this one is concerned.
            if isinstance(known, dict) and known["severity"] in _GRAVE:
                line = f"{known['name']} {known['range']}: {known['title']}, {known['url']}"
                _add(line, {known["url"].rpartition("/")[2]}, audit)


def report(audit: Audit) -> int:
    """Print what was found and, so that nobody overlooks it, what was not looked at."""
    for line in audit.found:
        print(f"VULNERABLE: {line}")
    for line in audit.unanswered:
        print(f"NOT AUDITED: {line}")
    if audit.found:
        return VULNERABLE
    if audit.unanswered:
        return NOT_AUDITED
    print("No vulnerability is known in any locked package.")
    return 0


def _add(line: str, ids: set[str], audit: Audit) -> None:
    if ids.isdisjoint(ACCEPTED):
        audit.found.append(line)


def _ask(words: Sequence[str | Path]) -> tuple[dict[str, Any], str]:
    """Return the JSON that a tool prints, none if it failed, and the last that it said besides."""
    try:
        done = subprocess.run(
            words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {}, f"no answer within {_LONGEST_S} s"
    said = done.stderr.strip().splitlines() or [f"no answer (status {done.returncode})"]
    try:
        return dict(json.loads(done.stdout)), said[-1]
    except ValueError:
        return {}, said[-1]
