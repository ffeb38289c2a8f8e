"""A client of the tables that lets something happen just before each of its requests."""

from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest
from azure.data.tables.aio import TableServiceClient

Before = Callable[[HttpRequest], Awaitable[None]]


def gated(connection_string: str, before: Before) -> TableServiceClient:
    """Return a client that awaits `before` with each request, repeated ones included."""
    return TableServiceClient.from_connection_string(
        connection_string, transport=_GatedTransport(before)
    )


class _GatedTransport(AioHttpTransport):  # type: ignore[misc] # azure loads the class lazily
    def __init__(self, before: Before) -> None:
        super().__init__()
        self._before = before

    async def send(self, request: HttpRequest, **options: Any) -> Any:  # noqa: ANN401 # azure's
        await self._before(request)
        return await super().send(request, **options)
