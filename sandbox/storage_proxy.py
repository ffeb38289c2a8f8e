"""Stand between the app and Azurite, so that storage fails on demand and keeps what it holds."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.azurite import ACCOUNT_NAME, SERVICES, Azurite, connect_to
from sandbox.faults import FaultPlan
from sandbox.server import LoopbackServer

# They belong to one connection, and each side of the proxy has its own.
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class ServiceProxy(LoopbackServer):
    """One storage service with faults before and after its work.

    A fault of `before` keeps the request from the service. One of `after` strikes when the service
    has done its work: what was written is written, and the app does not hear of it. While the
    proxy is stopped, connections are refused.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self.before = FaultPlan()
        self.after = FaultPlan()
        self.requests: list[str] = []

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass one request on, unless a fault is due."""
        self.requests.append(f"{request.method} {request.path}")
        body = await request.read()
        fault = self.before.next()
        if fault is not None and not fault.is_gap:
            return await fault.play(request, web.Response(status=503))
        regular = await self._pass_on(request, body)
        fault = self.after.next()
        return regular if fault is None else await fault.play(request, regular)

    async def _pass_on(self, request: web.BaseRequest, body: bytes) -> web.Response:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                URL(f"{self._target}{request.raw_path}", encoded=True),
                headers=[pair for pair in request.headers.items() if _is_passed_on(pair[0])],
                data=body,
                skip_auto_headers=("Content-Type", "Accept", "Accept-Encoding", "User-Agent"),
            ) as answer,
        ):
            response = web.Response(status=answer.status, body=await answer.read())
            for name, value in answer.headers.items():
                if _is_passed_on(name):
                    response.headers[name] = value
            return response


class StorageProxy:
    """A storage account in front of a running Azurite, with a proxy for each of its services."""

    def __init__(self, azurite: Azurite) -> None:
        self._services = {
            service: ServiceProxy(azurite.endpoint(service).removesuffix(f"/{ACCOUNT_NAME}"))
            for service in SERVICES
        }
        self._running = AsyncExitStack()

    @property
    def table(self) -> ServiceProxy:
        """The table service."""
        return self._services["table"]

    @property
    def queue(self) -> ServiceProxy:
        """The queue service."""
        return self._services["queue"]

    @property
    def connection_string(self) -> str:
        """The full connection string, as AzureWebJobsStorage takes it."""
        return connect_to(
            {service: f"{proxy.url}/{ACCOUNT_NAME}" for service, proxy in self._services.items()}
        )

    async def __aenter__(self) -> Self:
        for proxy in self._services.values():
            await self._running.enter_async_context(proxy)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._running.aclose()


def _is_passed_on(header: str) -> bool:
    return header.lower() not in _OF_THE_CONNECTION
