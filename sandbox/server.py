"""Serve HTTP on 127.0.0.1, go away, and come back on the same port."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

HOST = "127.0.0.1"

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Around = Callable[[web.BaseRequest, Respond], Awaitable[web.StreamResponse]]


class LoopbackServer(ABC):
    """A simulated service on a free port of the loopback interface.

    The port is chosen at the first start and kept: while the server is stopped, connections to
    `url` are refused, and after the next `start` the same `url` works again.

    `around` sees each request before the service does and each answer before the client does: it
    gets the request, and what carries it out.
    """

    def __init__(self) -> None:
        self.around: Around | None = None
        self._port = 0
        self._runner: web.ServerRunner | None = None

    @abstractmethod
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""

    @property
    def url(self) -> str:
        """The address of the service, without a slash at its end."""
        if not self._port:
            raise RuntimeError(f"{type(self).__name__} has no address before its first start")
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        """Listen."""
        # No access log: it would write the webhook's signature, which the tests look for in logs.
        # Cancellation: a fault that waits for ever must end with the connection it holds.
        server = web.Server(
            self._respond_within,
            request_factory=_request_of_any_size,
            access_log=None,
            handler_cancellation=True,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def _respond_within(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.around is None:
            return await self.respond(request)
        return await self.around(request, self.respond)

    async def stop(self) -> None:
        """Close every connection and refuse new ones."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()


def _request_of_any_size(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    # Some of the real services take more than the megabyte that aiohttp would let be read.
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=0)
