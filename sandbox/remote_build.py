"""Install what Azure's remote build installs: requirements.txt, nothing more and nothing less.

Azure runs `pip install -r requirements.txt` where the app will run. `build/remote-build` is that on
this machine: a clean environment of the deployed Python, with the libraries alone.
"""

import shutil
import subprocess
import sys

from sandbox.node import ROOT

OUTPUT = ROOT / "build"
FOLDER = OUTPUT / "remote-build"
PYTHON = "3.13"
"""What the function app runs on, see infra/modules/function-app.bicep."""


class BuildError(Exception):
    """What is deployed could not be built; the text says what is missing."""


def build() -> None:
    """Make the environment anew."""
    python = find_python()
    if subprocess.call([python, "-m", "venv", "--clear", FOLDER]) != 0:
        raise BuildError("On Debian and Ubuntu this takes the package python3-venv.")
    # Without bytecode: that of the generated models takes minutes, and nobody imports them.
    options = ("--quiet", "--no-compile", "--disable-pip-version-check", "--only-binary=:all:")
    install = (str(FOLDER / "bin" / "python"), "-m", "pip", "install", *options)
    if subprocess.call([*install, "--requirement", str(ROOT / "requirements.txt")]) != 0:
        raise BuildError("The libraries could not be installed: see above.")


def find_python() -> str:
    """Return a Python of the version that is deployed. Raise BuildError when there is none."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        return sys.executable
    found = shutil.which(f"python{PYTHON}")
    # A version manager's stand-in may be on the PATH without the Python behind it.
    if found is None or subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) != 0:
        raise BuildError(
            f"What is deployed is made with Python {PYTHON}, and there is none on the PATH. "
            f"Install it, or run: python{PYTHON} -m sandbox package"
        )
    return found
