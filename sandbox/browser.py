"""Find a Chromium on this machine, start it, and end it."""

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from sandbox.devtools import BrowserError, Page
from sandbox.server import HOST

#: Said where pictures would have been taken.
NO_BROWSER = "no Chromium, Chrome or Edge was found (CHROME can name one)"

_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
_WINDOWS_ROOTS = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")
_WINDOWS_PATHS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
_MACOS_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",  # containers have a small one
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}",  # a page reaches nothing outside
    "--remote-debugging-port=0",
)
_START_TIMEOUT_S = 60.0  # a second on an idle machine
_STOP_TIMEOUT_S = 10.0
_LISTENING = re.compile(rb"DevTools listening on (ws://\S+)")


def find_browser() -> Path | None:
    """Find Chromium, Chrome or Edge: named by CHROME, on the PATH, or at its usual place."""
    named = os.environ.get("CHROME")
    if named:
        return Path(named) if Path(named).is_file() else None
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    return next((path for path in _usual_places() if path.is_file()), None)


@asynccontextmanager
async def open_browser(browser: Path) -> AsyncIterator[Page]:
    """Start the browser with a profile of its own and give its window; end it afterwards.

    Raise BrowserError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        flags = [*_FLAGS, f"--user-data-dir={profile}"]
        if sys.platform == "linux" and os.geteuid() == 0:
            flags.append("--no-sandbox")  # refuses to start as root otherwise, as in a container
        process = await asyncio.create_subprocess_exec(
            browser,
            *flags,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        drained: asyncio.Task[bytes] | None = None
        try:
            address = await _await_listening(process)
            if process.stderr is not None:  # or it would stand still once the pipe is full
                drained = asyncio.create_task(process.stderr.read())
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                page = Page(socket)
                await page.attach()
                yield page
                await page.close_browser()
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await process.wait()
        except TimeoutError as error:
            raise BrowserError(f"{browser} does not answer") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if drained is not None:
                await drained


def _usual_places() -> list[Path]:
    if sys.platform == "win32":
        roots = [Path(root) for name in _WINDOWS_ROOTS if (root := os.environ.get(name))]
        return [root / path for root in roots for path in _WINDOWS_PATHS]
    return [Path(path) for path in _MACOS_PATHS]


async def _await_listening(process: asyncio.subprocess.Process) -> str:
    printed: list[bytes] = []
    if process.stderr is not None:
        async with asyncio.timeout(_START_TIMEOUT_S):
            async for line in process.stderr:
                printed.append(line)
                if listening := _LISTENING.search(line):
                    return listening[1].decode()
    said = b"".join(printed).decode(errors="replace").strip()
    raise BrowserError(f"the browser ended at once: {said}")
