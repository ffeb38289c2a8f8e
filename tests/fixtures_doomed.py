"""A stage for processes that are killed: one for each worker of pytest-xdist."""

import sys
from collections.abc import Iterator

import pytest

from sandbox.azurite import Azurite
from tests.crash_plays import Stage
from tests.doomed import Doomed


@pytest.fixture(scope="session")
def stage(azurite: Azurite) -> Iterator[Stage]:
    """Give scenes around an app that runs in a process of its own."""
    if sys.platform == "win32":
        pytest.skip("needs POSIX, where a process can fork and be killed")
    with Doomed() as doomed:
        yield Stage(azurite, doomed)
