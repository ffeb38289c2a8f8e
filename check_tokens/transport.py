"""The HTTP client below the Graph SDK: its middleware, a deadline for waits, a bound for bodies.

The SDK's redirect handler is left out, so that a redirect is an answer like any other: the handler
would take the answer of whatever host a `Location` names for Graph's.
"""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO
from typing import TYPE_CHECKING, cast

import httpx
from kiota_abstractions.request_option import RequestOption
from kiota_http.middleware import BaseMiddleware, RetryHandler
from kiota_http.middleware.options import RetryHandlerOption
from kiota_http.middleware.user_agent_handler import UserAgentHandler
from msgraph_core import GraphClientFactory
from msgraph_core.middleware import GraphTelemetryHandler

if TYPE_CHECKING:
    from msgraph_core.middleware.telemetry import GraphRequest

MAX_BODY_BYTES = 32 * 1024 * 1024
"""After decompression. The largest page seen has 1,000 tokens and about 1 MiB."""

# Beyond this, bodies are read one at a time. No true page comes near it; three hostile ones side by
# side would otherwise take three times 32 MiB.
_LARGE_BODY_BYTES = 4 * 1024 * 1024
_UNPACKED_AT_ONCE_BYTES = 64 * 1024
# A request that hangs must leave time for another one before a deadline of two minutes.
_TIMEOUT = httpx.Timeout(50.0, connect=15.0)

_TALKATIVE = {
    "httpx": logging.WARNING,  # full addresses
    "httpcore": logging.WARNING,  # all headers of the answers
    "hpack": logging.WARNING,  # all headers of the requests, should HTTP/2 ever be switched on
    "azure.core": logging.WARNING,  # headers and addresses of the identity endpoint
    "azure.identity": logging.CRITICAL,  # the answers of the identity endpoint, names of people
    "msal": logging.WARNING,  # the exchanges of a sign-in
    "urllib3": logging.WARNING,  # addresses of a sign-in
}


class UnreadableBodyError(Exception):
    """A body that is too long, or compressed in a way that was not asked for."""


class Deadline(RequestOption):
    """When an answer is no longer of use, as a time of the running event loop."""

    def __init__(self, at: float) -> None:
        self.at = at

    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self.at - asyncio.get_running_loop().time()

    @staticmethod
    def get_key() -> str:
        """Return the name of the option, as the SDK wants it."""
        return "AppleTokenWatchDeadline"


class RetryBeforeDeadline(RetryHandler):
    """The SDK's retries of 429, 503 and 504, given up at once when the wait outlasts the deadline.

    Otherwise a `Retry-After` of two minutes would be waited for in vain, and the result would be
    "timed out" although Graph said "throttled".
    """

    def __init__(self, longest_own_wait_s: int) -> None:
        super().__init__()
        # Holds for waits without `Retry-After`; what Graph asks for is never shortened.
        self.backoff_max = longest_own_wait_s

    def get_delay_time(
        self,
        retry_count: int,
        response: httpx.Response | None = None,
        delay: float = RetryHandlerOption.DEFAULT_DELAY,
    ) -> float:
        """Return the seconds to wait; the SDK gives up where these are `MAX_DELAY` or more."""
        wait_s = super().get_delay_time(retry_count, response, delay)
        if response is None:
            return wait_s
        # The options of a request live on its context: those on the request are gone once it was
        # sent (kiota_http.middleware.BaseMiddleware.send).
        options = cast("GraphRequest", response.request).context.middleware_control
        deadline = cast("Deadline", options[Deadline.get_key()])
        return wait_s if wait_s < deadline.left_s() else RetryHandlerOption.MAX_DELAY


class BoundBody(BaseMiddleware):
    """Unpacks the bodies of answers while they stream in, and stops one that grows too long."""

    def __init__(self) -> None:
        super().__init__()
        self._one_at_a_time = asyncio.Lock()

    async def send(
        self, request: httpx.Request, transport: httpx.AsyncBaseTransport
    ) -> httpx.Response:
        """Send the request, and put a bound stream in the place of the answer's own."""
        response = await super().send(request, transport)
        encoding = response.headers.pop("Content-Encoding", "identity").strip().lower()
        response.headers.pop("Content-Length", None)  # of the packed body
        packed = cast("httpx.AsyncByteStream", response.stream)
        response.stream = _BoundStream(packed, encoding, self._one_at_a_time)
        return response


class _BoundStream(httpx.AsyncByteStream):
    def __init__(
        self, packed: httpx.AsyncByteStream, encoding: str, one_at_a_time: asyncio.Lock
    ) -> None:
        self._packed = packed
        self._encoding = encoding
        self._one_at_a_time = one_at_a_time

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # Handed on in one piece: httpx joins parts in the end, which takes twice their size. Closed
        # on the way out: an error keeps this frame alive while the next body comes in.
        is_alone = False
        async with AsyncExitStack() as alone:
            body = alone.enter_context(BytesIO())
            async for part in self._unpacked():
                body.write(part)
                if body.tell() > MAX_BODY_BYTES:
                    raise UnreadableBodyError(f"is longer than {MAX_BODY_BYTES // 1024**2} MiB")
                if body.tell() > _LARGE_BODY_BYTES and not is_alone:
                    is_alone = True
                    await alone.enter_async_context(self._one_at_a_time)
            whole = body.getvalue()
        yield whole

    async def aclose(self) -> None:
        await self._packed.aclose()

    async def _unpacked(self) -> AsyncIterator[bytes]:
        if self._encoding == "identity":
            async for part in self._packed:
                yield part
            return
        if self._encoding != "gzip":
            raise UnreadableBodyError("is compressed in a way that was not asked for")
        # httpx unpacks a chunk in one go: 64 KiB of zeros become 64 MiB before anybody can count.
        gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            async for chunk in self._packed:
                rest = chunk
                while rest and not gzip.eof:
                    yield gzip.decompress(rest, _UNPACKED_AT_ONCE_BYTES)
                    rest = gzip.unconsumed_tail
        except zlib.error as error:
            raise UnreadableBodyError("cannot be decompressed") from error
        if not gzip.eof:
            raise UnreadableBodyError("ends in the middle of its compressed data")


class _ClientTransport(httpx.AsyncBaseTransport):
    """Sends through an httpx client of its own.

    It exists because the SDK's transport never closes the one that it wraps, and only a whole
    client knows the proxies of the environment, which a desk behind a proxy needs.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)


class GraphHttp:
    """The SDK's pipeline around one connection pool. Call `close` in the end."""

    def __init__(self, *, behind_proxies: bool, longest_own_wait_s: int) -> None:
        silence_talkative_libraries()
        # HTTP/1.1: three requests a day gain nothing from HTTP/2, whose header compression logs
        # the access token at DEBUG.
        self._pool = httpx.AsyncClient(trust_env=behind_proxies)
        self.client = GraphClientFactory.create_with_custom_middleware(
            [
                RetryBeforeDeadline(longest_own_wait_s),
                UserAgentHandler(),
                GraphTelemetryHandler(),
                BoundBody(),
            ],
            client=httpx.AsyncClient(
                transport=_ClientTransport(self._pool),
                timeout=_TIMEOUT,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
        await self._pool.aclose()


def silence_talkative_libraries() -> None:
    """Keep addresses, headers and answers out of the log, whatever level the host logs at.

    What these libraries have to say about a failure reaches the administrator as the result of the
    source, in words that are known to hold no secret.
    """
    for name, level in _TALKATIVE.items():
        logging.getLogger(name).setLevel(level)
