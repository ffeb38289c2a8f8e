"""Say what goes wrong with a request: the faults that any of the simulated services can show."""

import asyncio
import os
import socket
import struct
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a request to go wrong; `play` gets the answer that would have been right."""

    name: str
    play: Callable[[web.BaseRequest, web.Response], Awaitable[web.StreamResponse]]
    is_gap: bool = False
    """Whether nothing goes wrong: whoever has no right answer yet must go and get it."""


class FaultPlan:
    """Decide which fault the next request meets: first the queued ones, then the standing one."""

    def __init__(self) -> None:
        self._queued: deque[Fault] = deque()
        self._standing: Fault | None = None

    def once(self, *faults: Fault) -> None:
        """Let the next requests fail, one fault each; `healthy()` lets one of them pass."""
        self._queued.extend(faults)

    def always(self, fault: Fault) -> None:
        """Let every request fail this way until `clear`, after the queued faults are used up."""
        self._standing = fault

    def clear(self) -> None:
        """Heal: forget the queued faults and the standing one."""
        self._queued.clear()
        self._standing = None

    def next(self) -> Fault | None:
        """Take the fault of the request that has just arrived."""
        return self._queued.popleft() if self._queued else self._standing


def healthy() -> Fault:
    """Answer as if nothing were wrong: a gap between queued faults."""

    async def play(_: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        return regular

    return Fault("healthy", play, is_gap=True)


def answer(
    status: int,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    name: str = "",
) -> Fault:
    """Answer this, whatever was asked."""

    async def play(_: web.BaseRequest, __: web.Response) -> web.StreamResponse:
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)

    return Fault(name or f"answers {status}", play)


def html_page(status: int = 200) -> Fault:
    """Answer with a web page, as a proxy or a sign-in wall between the two would."""
    page = b"<!DOCTYPE html><html><body><h1>Please sign in to the network</h1></body></html>"
    return answer(status, page, content_type="text/html", name=f"HTML page with status {status}")


def empty_body() -> Fault:
    """Answer 200 with nothing in it."""
    return answer(200, name="empty body")


def truncated() -> Fault:
    """Answer 200 with the first half of the right body, as if that were all of it."""

    async def play(_: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        body = _body(regular)
        return web.Response(body=body[: len(body) // 2], content_type="application/json")

    return Fault("truncated JSON", play)


def redirect(location: str, status: int = 302) -> Fault:
    """Send the client elsewhere."""
    return answer(status, headers={"Location": location}, name=f"redirect {status}")


def reset() -> Fault:
    """Reset the connection before the first byte of an answer."""

    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        _reset_connection(request)
        return regular

    return Fault("connection reset", play)


def reset_mid_body() -> Fault:
    """Promise the whole body, send half of it, reset the connection."""

    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        body = _body(regular)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        _reset_connection(request)
        return response

    return Fault("connection reset in the middle of the body", play)


def slow(*, chunk_bytes: int = 1, every_s: float = 0.05) -> Fault:
    """Send the right body a few bytes at a time."""

    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        body = _body(regular)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(request)
        for start in range(0, len(body), chunk_bytes):
            await response.write(body[start : start + chunk_bytes])
            await asyncio.sleep(every_s)
        return response

    return Fault("slow bytes", play)


def silence() -> Fault:
    """Take the request and never answer, until the client gives up or the server stops."""

    async def play(_: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        await asyncio.Event().wait()
        return regular

    return Fault("never answers", play)


def huge(size_bytes: int = 100_000_000) -> Fault:
    """Stream correct JSON of this size, without a length and without ever holding it in memory."""

    async def play(request: web.BaseRequest, _: web.Response) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for chunk in _large_json(size_bytes):
            await response.write(chunk)
        return response

    return Fault(f"body of {size_bytes:,} bytes", play)


def gzip_bomb(size_bytes: int = 1_000_000_000) -> Fault:
    """Stream the same JSON compressed: about a thousandth on the wire, all of it when unpacked."""

    async def play(request: web.BaseRequest, _: web.Response) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
        )
        await response.prepare(request)
        compressor = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS | 16)
        for chunk in _large_json(size_bytes):
            if packed := compressor.compress(chunk):
                await response.write(packed)
        await response.write(compressor.flush())
        return response

    return Fault(f"gzip bomb of {size_bytes:,} bytes", play)


def _large_json(size_bytes: int) -> Iterator[bytes]:
    head, tail = b'{"value": [{"id": "1", "tokenName": "', b'"}]}'
    filler = b"a" * _CHUNK_BYTES
    yield head
    left = size_bytes - len(head) - len(tail)
    while left > 0:
        yield filler[:left]
        left -= _CHUNK_BYTES
    yield tail


def _body(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


def _reset_connection(request: web.BaseRequest) -> None:
    transport = request.transport
    if transport is None:  # the client was faster
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for 0 s makes the system send RST; a plain close would look like a short answer.
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
