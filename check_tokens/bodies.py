"""Unpacks and bounds the bodies of answers while they stream in.

A middleware of the Graph SDK, since the SDK hands out whole bodies only, and httpx unpacks whatever
it gets.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO
from typing import cast

import httpx
from kiota_http.middleware import BaseMiddleware

MAX_BODY_BYTES = 8 * 1024 * 1024
"""After decompression. The 3,000 VPP tokens of the largest simulated tenant take 1.3 MiB."""

# Beyond this, bodies are read one at a time. A true page hardly ever waits for another; three
# hostile ones side by side would take three times the most.
_LARGE_BODY_BYTES = 1024 * 1024
_UNPACKED_AT_ONCE_BYTES = 64 * 1024


class UnreadableBodyError(Exception):
    """A body that is too long, or compressed in a way that was not asked for."""


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
