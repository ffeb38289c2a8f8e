"""(f) The deployment package against a plain install of the same libraries."""

from pathlib import Path

from benchmarks.figures import Figure, Target
from sandbox import package, remote_build

MAX_MB = 15


def measure() -> list[Figure]:
    """Build both and weigh them."""
    package.build()
    if not remote_build.FOLDER.is_dir():
        remote_build.build()
    (plain,) = remote_build.FOLDER.glob("lib/python*/site-packages")
    plain_files, plain_bytes = _weigh(plain)
    files, size = _weigh(package.TREE)
    return [
        Figure(
            part="f",
            what="the package, zipped",
            value=package.PACKAGE.stat().st_size / 1e6,
            unit="MB",
            target=Target(at_most=MAX_MB),
            beside=f"unpacked {size / 1e6:.0f} MB in {files:,} files, bytecode included; a plain "
            f"install {plain_bytes / 1e6:.0f} MB in {plain_files:,} files",
        )
    ]


def _weigh(folder: Path) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
