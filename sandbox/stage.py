"""A whole sandbox: tenant, Graph, sign-in, storage, Teams channel and host, around the real app."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from azure.data.tables.aio import TableServiceClient

from apple_tokens.messages import MalformedMessageError, RemediationMessage, decode
from apple_tokens.rows import AlertRow, TokenRow
from apple_tokens.tables import TokenTables
from check_tokens.blueprint import check
from check_tokens.waits import Waits
from notify.blueprint import tell
from sandbox.azurite import Azurite
from sandbox.graph import GraphServer
from sandbox.host import Delivery, SandboxHost
from sandbox.host_settings import read_queue_settings
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.node import ROOT
from sandbox.teams import Run, TeamsChannel
from sandbox.tenant import SimulatedTenant

_NO_WAITS = Waits(after_trouble_s=(0.0, 0.0, 0.0), longest_own_wait_s=0)
"""Simulated days do not wait for a simulated Graph to recover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A run of the flow, the ticket that brought it about, and the tokens that it was about."""

    message: RemediationMessage
    run: Run
    names: tuple[str, ...]


class Stage:
    """The app with everything around it. Use it as an async context manager.

    The two functions of the app run as they are, in this process: they read their settings from
    `environment`, and the clock is an argument. `azurite` may be shared; it is then left running.
    """

    def __init__(
        self,
        tenant: SimulatedTenant,
        now: datetime,
        *,
        azurite: Azurite,
        settings: Mapping[str, str] | None = None,
        waits: Waits = _NO_WAITS,
    ) -> None:
        self.tenant = tenant
        self.identity = IdentityEndpoint(tenant_id=tenant.tenant_id)
        self.graph = GraphServer(tenant, self.identity)
        self.teams = TeamsChannel(now)
        self._azurite = azurite
        self._settings = dict(settings or {})
        self._waits = waits
        self._open = AsyncExitStack()
        self.environment = dict[str, str]()
        self.posted: list[Posted] = []

    @property
    def tables(self) -> TokenTables:
        """The rows of the tenant, as the app reads them."""
        return TokenTables(self.service, self.tenant.tenant_id)

    async def tick(self, now: datetime) -> list[str]:
        """Fire the timer; return the bodies of the messages that were handed over."""
        self.teams.now = now
        return await self.host.tick(now)

    async def deliver(self, now: datetime) -> list[Delivery]:
        """Deliver what is visible in the queue at `now`."""
        self.teams.now = now
        return await self.host.drain(now)

    async def token_rows(self) -> list[TokenRow]:
        """Read all status rows."""
        return await self.tables.token_rows()

    async def alert_rows(self) -> list[AlertRow]:
        """Read all alerts."""
        return await self.tables.alert_rows()

    async def _check(self, now: datetime) -> list[str]:
        return await check(now, self.environment, waits=self._waits)

    async def _notify(self, now: datetime, body: str, dequeue_count: int) -> None:
        before = len(self.teams.runs)
        names = await self._names(body)
        try:
            await tell(now, self.environment, body, dequeue_count)
        finally:
            new = self.teams.runs[before:]
            self.posted += [Posted(message=decode(body), run=run, names=names) for run in new]

    async def _names(self, body: str) -> tuple[str, ...]:
        try:
            batch = decode(body).batch
        except MalformedMessageError:
            return ()
        names = {(row.token.kind, row.token.id): row.token.name for row in await self.token_rows()}
        found = await self.tables.untold(batch)
        return tuple(sorted({names.get((a.row.kind, a.row.token_id)) or a.row.kind for a in found}))

    async def __aenter__(self) -> Self:
        enter = self._open.enter_async_context
        await enter(self.identity)
        await enter(self.graph)
        await enter(self.teams)
        connection_string = self._azurite.connection_string
        self.service = await enter(TableServiceClient.from_connection_string(connection_string))
        self.environment = {
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AzureWebJobsStorage": connection_string,
            "GRAPH_ENDPOINT": self.graph.url,
            "TEAMS_WEBHOOK_URL": self.teams.webhook_url,
            "TENANT_ID": self.tenant.tenant_id,
            **self._settings,
        }
        # azure-identity reads these two from the process and from nowhere else.
        self._open.enter_context(_process_environment(self.identity.environment()))
        self.host = await enter(
            SandboxHost(
                connection_string,
                check=self._check,
                notify=self._notify,
                settings=read_queue_settings(ROOT / "host.json"),
            )
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()


@contextmanager
def _process_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
