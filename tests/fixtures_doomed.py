"""A stage for processes that are killed: one for each worker of pytest-xdist."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.azurite import Azurite
    from tests.crash_plays import Stage


@pytest.fixture(scope="session")
def stage(azurite: Azurite) -> Iterator[Stage]:
    """Give scenes around an app that runs in a process of its own."""
    if sys.platform == "win32":
        pytest.skip("needs POSIX, where a process can fork and be killed")
    # Loaded here only: every test has this plugin, and few of them what it runs on.
    from tests.crash_plays import Stage  # noqa: PLC0415
    from tests.doomed import Doomed  # noqa: PLC0415

    with Doomed() as doomed:
        yield Stage(azurite, doomed)
