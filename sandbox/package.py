"""`python3 -m sandbox package`: build the zip that is deployed, for Linux x86-64, Python 3.13.

Made of the pinned wheels, each checked against its hash, without what is never imported
(infra/package-exclude.txt) and without debug information, with bytecode. Its time stamps would go
stale inside of a zip, so the bytecode is marked as unchecked: the app starts without compiling or
comparing anything. `--remote-build` makes what Azure makes where no package is deployed.
"""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox import remote_build
from sandbox.node import ROOT
from sandbox.remote_build import OUTPUT, PYTHON, BuildError

PACKAGE = OUTPUT / "apple-token-watch.zip"
TREE = OUTPUT / "package"
LIBRARIES = Path(".python_packages", "lib", "site-packages")
"""Where the Functions host looks for an app's libraries."""
_PLATFORM = "x86_64-manylinux_2_28"
APP = ("function_app.py", "host.json", "apple_tokens", "check_tokens", "notify")
_EXCLUDE = ROOT / "infra" / "package-exclude.txt"
_WWWROOT = "/home/site/wwwroot"
"""Where Functions mounts the package: the place that tracebacks name."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def main(arguments: Sequence[str]) -> int:
    """Build the package and say how large it is."""
    if [*arguments] not in ([], ["--remote-build"]):
        print("usage: python3 -m sandbox package [--remote-build]", file=sys.stderr)
        return 2
    try:
        if arguments:
            remote_build.build()
            print(f"{remote_build.FOLDER.relative_to(ROOT)}: what Azure installs")
            return 0
        left_out = build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    files = sum(path.is_file() for path in TREE.rglob("*"))
    size_mb = PACKAGE.stat().st_size / 1_000_000
    print(f"{PACKAGE.relative_to(ROOT)}: {size_mb:.1f} MB, {files:,} files; {left_out:,} left out")
    return 0


def build() -> int:
    """Build the tree and the zip anew and return how many files were left out."""
    python = remote_build.find_python()
    shutil.rmtree(TREE, ignore_errors=True)
    _install(TREE / LIBRARIES)
    left_out = _leave_out(TREE / LIBRARIES)
    _strip_debug_information(TREE / LIBRARIES)
    copy_app(TREE)
    _compile(python)
    _zip()
    return left_out


def patterns() -> list[tuple[str, str]]:
    """Return the patterns of the exclusion list with their reasons."""
    lines = _EXCLUDE.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(pattern, reason) for pattern, reason in pairs]


def copy_app(target: Path) -> None:
    """Copy what is the app's own into a folder that exists."""
    for name in APP:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)


def _install(target: Path) -> None:
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    words: list[str | Path] = [
        *(uv, "pip", "install", "--quiet", "--target", target, "--no-config"),
        *("--python-version", PYTHON, "--python-platform", _PLATFORM),
        *("--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"),
        *("--requirement", ROOT / "requirements.txt"),
    ]
    if subprocess.call(words) != 0:
        raise BuildError("The libraries could not be installed: see above.")


def _leave_out(folder: Path) -> int:
    count = 0
    for pattern, _ in patterns():
        found = sorted(folder.glob(pattern))
        if not found:
            raise BuildError(f"{_EXCLUDE.name}: nothing matches {pattern}, so drop the line")
        for path in found:
            if path.is_dir():
                count += sum(inside.is_file() for inside in path.rglob("*"))
                shutil.rmtree(path)
            elif path.exists():
                count += 1
                path.unlink()
    return count


def _strip_debug_information(folder: Path) -> None:
    """Take out of the compiled modules what only a debugger reads: a sixth of the package."""
    strip = shutil.which("strip")
    if strip is None:
        raise BuildError("The package takes the command strip: install binutils.")
    if subprocess.call([strip, "--strip-debug", *sorted(folder.rglob("*.so"))]) != 0:
        raise BuildError("This strip takes no debug information out of Linux x86-64: see above.")


def _compile(python: str) -> None:
    words: list[str | Path] = [
        *(python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
        *("-s", TREE, "-p", _WWWROOT, TREE),
    ]
    if subprocess.call(words) != 0:
        raise BuildError("The bytecode could not be compiled: see above.")


def _zip() -> None:
    """Write the tree in a fixed order with a fixed time, so that the same tree is the same zip."""
    PACKAGE.unlink(missing_ok=True)
    with zipfile.ZipFile(PACKAGE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in _files():
            entry = zipfile.ZipInfo(path.relative_to(TREE).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def _files() -> Iterator[Path]:
    yield from sorted(path for path in TREE.rglob("*") if path.is_file())
