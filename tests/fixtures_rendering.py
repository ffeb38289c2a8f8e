"""A browser that draws cards, one for each worker of pytest-xdist.

It lives on the event loop of the session: tests that use it are marked
`pytest.mark.asyncio(loop_scope="session")`.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.browser import NO_BROWSER, find_browser
from sandbox.npm import npm_file
from sandbox.rendering import Renderer, open_renderer


@pytest.fixture(scope="session")
def browser() -> Path:
    """Find the browser, and the renderer that runs in it."""
    found = find_browser()
    if found is None:
        pytest.skip(f"needs a browser: {NO_BROWSER}")
    try:
        npm_file("adaptivecards/package.json")
    except FileNotFoundError as error:
        pytest.skip(f"needs Microsoft's card renderer: {error}")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def renderer(browser: Path) -> AsyncIterator[Renderer]:
    """Draw cards with Microsoft's renderer in a browser."""
    async with open_renderer(browser) as renderer:
        yield renderer
