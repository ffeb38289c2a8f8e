"""The files of the project: what git knows of it or would add, and nothing that a run made."""

import subprocess

from sandbox.node import ROOT


def project_files(*paths: str) -> list[str]:
    """Return the files of the project, relative to it; only what is below the paths, if given."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths],  # noqa: S607 - the git on the PATH
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    names = filter(None, listed.stdout.decode().split("\0"))
    return [name for name in names if (ROOT / name).is_file()]  # a deleted one is still listed
