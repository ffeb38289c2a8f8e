"""Find the files of the packages that the set-up installed from npm."""

import os
from pathlib import Path

from sandbox.node import NODE_MODULES


def npm_file(path: str) -> Path:
    """Return a file of an installed package, for example `azurite/dist/src/azurite.js`.

    TOKENWATCH_NODE_MODULES names another folder of packages, so that several checkouts can share
    one. Raise FileNotFoundError with the way to install what is missing.
    """
    found = Path(os.environ.get("TOKENWATCH_NODE_MODULES", NODE_MODULES)) / path
    if not found.is_file():
        raise FileNotFoundError(f"{found} is missing. Set it up with: python3 -m sandbox demo")
    return found
