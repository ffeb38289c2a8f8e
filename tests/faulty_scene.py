"""One tenant from its check to the channel, on real storage and HTTP that can be made to fail.

Each scene has a tenant of its own, so that many can share one storage account.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from azure.data.tables.aio import TableServiceClient

from apple_tokens import messages
from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.model import SourceResult, Tenant, TokenKind
from apple_tokens.rows import AlertRow
from apple_tokens.settings import CONNECTION
from apple_tokens.storage import Patience, table_service
from apple_tokens.tables import ALERTS, HISTORY, STATUS, TokenTables
from check_tokens.check import tick
from check_tokens.policy import Policy
from notify.delivery import deliver
from notify.settings import Settings
from sandbox.azurite import Azurite
from sandbox.storage_proxy import StorageProxy
from sandbox.teams import TeamsChannel
from tests.changing_tenant import MONDAY, sources

QUICK = Patience(pause_s=0)
"""What the app does when storage fails, without its pauses."""
IMPATIENT = Patience(connect_s=1, answer_s=0.2, retries=1, pause_s=0)
"""The same for storage that never answers."""
HALF_AN_HOUR = timedelta(minutes=30)

Said = tuple[object, ...]


@dataclass
class Scene:
    """The rows of a tenant whose tokens change, its channel, and the two functions between them."""

    service: TableServiceClient
    teams: TeamsChannel
    tenant: Tenant = field(default_factory=lambda: Tenant(id=f"{uuid4()}"))
    asked: int = 0
    """How often the sources were read."""

    @property
    def tables(self) -> TokenTables:
        return TokenTables(self.service, self.tenant.id)

    async def check(self, now: datetime, service: TableServiceClient | None = None) -> list[str]:
        """Fire the timer; return the bodies of the messages that are handed over."""
        read = sources(now)

        async def counted(kinds: tuple[TokenKind, ...]) -> dict[TokenKind, SourceResult]:
            self.asked += 1
            return await read(kinds)

        tables = TokenTables(service or self.service, self.tenant.id)
        tickets = await tick(self.tenant, counted, tables, Policy(), now)
        return [messages.encode(ticket) for ticket in tickets]

    async def deliver(
        self,
        body: str | bytes,
        now: datetime,
        *,
        dequeue_count: int = 1,
        service: TableServiceClient | None = None,
    ) -> None:
        """Deliver one message of the queue."""
        environment = {"TEAMS_WEBHOOK_URL": self.teams.webhook_url}
        await deliver(
            body,
            dequeue_count,
            settings=lambda: Settings.from_env(environment),
            tables=lambda tenant_id: TokenTables(service or self.service, tenant_id),
            now=now,
        )

    async def tell(
        self, bodies: Iterable[str], now: datetime, service: TableServiceClient | None = None
    ) -> None:
        """Deliver messages, one after the other."""
        for body in bodies:
            await self.deliver(body, now, service=service)

    async def live(self, now: datetime) -> list[Said]:
        """Let a check and its deliveries go by; return what was told."""
        bodies = await self.check(now)
        await self.tell(bodies, now)
        return said(bodies)

    async def has_heard(self, now: datetime) -> list[Said]:
        """Check, and mark what was found as told without a card; return what would be told."""
        bodies = await self.check(now)
        for body in bodies:
            ticket = messages.decode(body)
            alerts = await self.tables.untold(ticket.batch)
            await self.tables.stamp(alerts, told_at=now, check_date=ticket.check_date)
        return said(bodies)

    async def kept(self) -> list[object]:
        """Return what the tables hold that does not depend on the minute of the check."""
        found: list[object] = [
            (row.key, row.health, row.problem, row.stage) for row in await self.tables.token_rows()
        ]
        found += [
            (row.key, row.step, row.told_step, row.reason, row.stage, row.ended_at is None)
            for row in await self.tables.alert_rows()
        ]
        for key, cells in (await self.cells(HISTORY)).items():
            found.append((key, cells["Changed"]))
        return found

    async def cells(self, table: str) -> dict[str, dict[str, object]]:
        """Return the tenant's rows of a table as they stand there, by key."""
        query = f"PartitionKey eq '{self.tenant.id}'"
        found = self.service.get_table_client(table).query_entities(query)
        return {entity["RowKey"]: dict(entity) async for entity in found}

    async def told_steps(self) -> dict[str, int]:
        """Return how often each alert was told."""
        return {row.key: row.told_step for row in await self.tables.alert_rows()}

    async def assert_nothing_is_untold(self) -> list[AlertRow]:
        """See that the channel knows how each open problem stands; return the alerts."""
        alerts = await self.tables.alert_rows()
        for alert in alerts:
            assert not alert.is_untold, f"{alert.key} is still untold"
            if alert.ended_at is None and not alert.silenced:
                assert alert.told_stage == alert.stage, f"{alert.key}: the channel was not told"
        return alerts


@asynccontextmanager
async def scenes(azurite: Azurite) -> AsyncIterator["Scenes"]:
    """Open storage and a channel, for any number of tenants."""
    async with (
        TableServiceClient.from_connection_string(azurite.connection_string) as service,
        TeamsChannel(MONDAY) as teams,
        StorageProxy(azurite) as proxy,
    ):
        for table in (ALERTS, HISTORY, STATUS):
            await service.create_table_if_not_exists(table)
        yield Scenes(service, teams, proxy)


@dataclass(frozen=True)
class Scenes:
    """Makes scenes that share storage and channel."""

    service: TableServiceClient
    teams: TeamsChannel
    proxy: StorageProxy

    def new(self) -> Scene:
        """Give a tenant of its own."""
        return Scene(self.service, self.teams)

    def failing(
        self, patience: Patience = QUICK
    ) -> AbstractAsyncContextManager[TableServiceClient]:
        """Open the tables as the app does, by way of the proxy that can fail."""
        return table_service({CONNECTION: self.proxy.connection_string}, patience=patience)


def said(bodies: Sequence[str]) -> list[Said]:
    """Return what tickets say, whichever check made them."""
    return [_said(messages.decode(body)) for body in bodies]


def of_alerts(bodies: Sequence[str]) -> list[str]:
    """Return the tickets of alerts, without welcome and digest."""
    return [body for body in bodies if messages.decode(body).kind is MessageKind.ALERTS]


def _said(ticket: RemediationMessage) -> Said:
    return (ticket.kind, ticket.problem, ticket.reason, ticket.stage, ticket.severity, ticket.count)
