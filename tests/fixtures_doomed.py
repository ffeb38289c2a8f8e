"""A stage for processes that are killed: one for each worker of pytest-xdist."""

import sys
from typing import TYPE_CHECKING

import pytest

from sandbox.azurite import Azurite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash_plays import Stage


@pytest.fixture(scope="session")
def stage(azurite: Azurite) -> "Iterator[Stage]":
    """Give scenes around an app that runs in a process of its own."""
    # Imported here because they import the app, and this plugin is loaded for every test.
    from tests.crash_plays import Stage  # noqa: PLC0415
    from tests.doomed import Doomed  # noqa: PLC0415

    if sys.platform == "win32":
        pytest.skip("needs POSIX, where a process can fork and be killed")
    with Doomed() as doomed:
        yield Stage(azurite, doomed)
