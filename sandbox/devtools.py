"""Talk to a Chromium in its debugging protocol: load a page, read from it, take pictures of it.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import itertools
import json
from dataclasses import dataclass
from typing import Any

import aiohttp

_ANSWER_TIMEOUT_S = 60.0


class BrowserError(Exception):
    """Chromium did not start, or did not do what it was told."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a page, in CSS pixels."""

    x: float
    y: float
    width: float
    height: float


class Page:
    """One window of the browser. Its commands are sent one after the other, never side by side."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._session: dict[str, str] = {}
        self._events: list[str] = []

    async def attach(self) -> None:
        """Open the window."""
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = {"sessionId": attached["sessionId"]}
        await self._call("Page.enable")

    async def resize(self, width_px: int, scale: float = 1) -> None:
        """Make the window so wide, with `scale` dots for each pixel of it."""
        await self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=800,
            deviceScaleFactor=scale,
            mobile=False,
        )

    async def open(self, url: str) -> None:
        """Load an address; return when everything on it has run and the fonts are there."""
        self._events.clear()
        answer = await self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url} does not load: {answer['errorText']}")
        while "Page.loadEventFired" not in self._events:
            await self._receive()
        await self.evaluate("document.fonts.ready.then(() => null)")

    async def evaluate(self, expression: str) -> Any:  # noqa: ANN401  # any JSON; callers parse it
        """Run JavaScript in the page and return its value, awaited where it is a promise."""
        answer = await self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"].get("exception", {}).get("description")
            raise BrowserError(f"the page threw {thrown or answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    async def picture(self, box: Box) -> bytes:
        """Take a picture of a part of the page, also of what lies below the window, as PNG."""
        clip = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "scale": 1}
        answer = await self._call(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
        )
        return base64.b64decode(answer["data"])

    async def close_browser(self) -> None:
        """End the browser, this window with it."""
        self._session = {}
        await self._call("Browser.close")

    async def _call(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": params, **self._session}
        await self._socket.send_str(json.dumps(command))
        while True:
            message = await self._receive()
            if message.get("id") == number:
                break
        if "error" in message:
            raise BrowserError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    async def _receive(self) -> dict[str, Any]:
        received = await self._socket.receive(timeout=_ANSWER_TIMEOUT_S)
        if received.type is not aiohttp.WSMsgType.TEXT:
            raise BrowserError("the browser ended the connection")
        message: dict[str, Any] = json.loads(received.data)
        if "method" in message:
            self._events.append(message["method"])
        return message
