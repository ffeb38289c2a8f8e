"""Checks, notify and an operator at the same rows at the same time, in a hundred orders.

What holds after every single request: a writer changed its own columns and no other, and no told
step went down. What holds in the end: each step was posted at most once, and nothing was lost.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from azure.data.tables.aio import TableServiceClient

from apple_tokens import messages
from apple_tokens.codec import columns_of
from apple_tokens.messages import MessageKind
from apple_tokens.model import Reason, Tenant
from apple_tokens.operator_tables import Operator, OperatorTables
from apple_tokens.rows import AlertRow, RunRow, SourceRow, TokenRow
from apple_tokens.tables import ALERTS, STATUS, TokenTables
from check_tokens.check import tick
from check_tokens.policy import Policy
from notify.delivery import deliver
from notify.settings import Settings
from sandbox.azurite import Azurite
from sandbox.teams import TeamsChannel
from tests.changing_tenant import MONDAY, TUESDAY, WEDNESDAY, sources, tokens
from tests.turns import Turns

pytestmark = [pytest.mark.e2e, pytest.mark.no_cover]

SECOND = timedelta(seconds=1)
ORDERS = pytest.mark.parametrize("seed", range(100))

_KEYS = {"PartitionKey", "RowKey"}
_CHECK = {
    ALERTS: columns_of(AlertRow) - AlertRow.NOTIFY_COLUMNS - AlertRow.OPERATOR_COLUMNS,
    STATUS: (columns_of(TokenRow) | columns_of(SourceRow) | columns_of(RunRow))
    - TokenRow.OPERATOR_COLUMNS
    - RunRow.NOTIFY_COLUMNS
    - RunRow.OPERATOR_COLUMNS,
}
OWN_COLUMNS = {
    "check": _CHECK,
    "second_check": _CHECK,
    "notify": {ALERTS: AlertRow.NOTIFY_COLUMNS, STATUS: RunRow.NOTIFY_COLUMNS},
    "operator": {ALERTS: AlertRow.OPERATOR_COLUMNS, STATUS: RunRow.OPERATOR_COLUMNS},
}


class World:
    """One tenant with its rows, its channel, and all that may be written to them."""

    def __init__(self, service: TableServiceClient, teams: TeamsChannel, tenant: Tenant) -> None:
        self.service = service
        self.teams = teams
        self.tenant = tenant
        self._alert_cards: list[str] = []
        self._told_without_cards = Counter[str]()
        self._seen = dict[tuple[str, str], dict[str, object]]()

    def tables(self, service: TableServiceClient | None = None) -> TokenTables:
        return TokenTables(service or self.service, self.tenant.id)

    async def check(
        self, now: datetime, tickets: list[str], service: TableServiceClient | None = None
    ) -> None:
        """Run a check; its tickets join the others only when it is over, as the host does it."""
        queued = await tick(self.tenant, sources(now), self.tables(service), Policy(), now)
        tickets += [messages.encode(ticket) for ticket in queued]

    async def notify(
        self, now: datetime, tickets: Iterable[str], service: TableServiceClient | None = None
    ) -> None:
        """Deliver tickets, one after the other."""
        environment = {"TEAMS_WEBHOOK_URL": self.teams.webhook_url}
        for ticket in tickets:
            before = len(self.teams.posts)
            await deliver(
                ticket,
                1,
                settings=lambda: Settings.from_env(environment),
                tables=lambda _: self.tables(service),
                now=now,
            )
            if messages.decode(ticket).kind is MessageKind.ALERTS:
                self._alert_cards += [json.dumps(run.cards) for run in self.teams.posts[before:]]

    async def tell_without_cards(self, now: datetime, tickets: Iterable[str]) -> None:
        """Mark what tickets point to as told."""
        for ticket in map(messages.decode, tickets):
            alerts = await self.tables().untold(ticket.batch)
            await self.tables().stamp(alerts, told_at=now, check_date=ticket.check_date)
            self._told_without_cards.update(alert.row.token_id for alert in alerts)

    async def snooze(self, now: datetime, token_id: str, service: TableServiceClient) -> None:
        """Snooze the alert of a token, and ask for a check."""
        operator = Operator(name="operator@contoso.example", at=now, reason="known")
        orders = OperatorTables(service, self.tenant.id)
        alerts = [row for row in await self.tables().alert_rows() if row.token_id == token_id]
        for alert in alerts:
            await orders.snooze(alert, now + timedelta(days=10), operator)
        await orders.request_check(operator)

    async def rows(self) -> dict[tuple[str, str], dict[str, object]]:
        """Read all rows of the tenant as they stand in the tables."""
        found = dict[tuple[str, str], dict[str, object]]()
        for table in (ALERTS, STATUS):
            query = f"PartitionKey eq '{self.tenant.id}'"
            async for entity in self.service.get_table_client(table).query_entities(query):
                found[table, entity["RowKey"]] = dict(entity)
        return found

    async def look(self) -> None:
        """Remember how the rows are now."""
        self._seen = await self.rows()

    async def observe(self, writer: str) -> None:
        """See what one request changed since the last one."""
        before, after = self._seen, await self.rows()
        for place, row in after.items():
            known = before.get(place, {})
            cells = (row.keys() | known.keys()) - _KEYS
            changed = {name for name in cells if row.get(name) != known.get(name)}
            assert changed <= OWN_COLUMNS[writer][place[0]], f"{writer} wrote {changed} of {place}"
            assert known or writer in {"check", "second_check"}, f"{writer} made {place}"
            for name, told in told_steps(row).items():
                assert told >= told_steps(known)[name], f"{writer} took {name} of {place} down"
        gone = before.keys() - after.keys()
        assert not gone or writer in {"check", "second_check"}, f"{writer} deleted {gone}"
        self._seen = after

    async def assert_each_step_has_one_card(self) -> None:
        """Compare on how many cards each token stands with how many steps of it are told."""
        told = Counter[str]()
        for alert in await self.tables().alert_rows():
            told[alert.token_id] += alert.told_step
        for token in tokens(MONDAY):
            if token.name:
                cards = sum(token.name in card for card in self._alert_cards)
                steps = told[token.id] - self._told_without_cards[token.id]
                assert cards == steps, f"{token.name}: {cards} cards for {steps} steps"

    async def assert_nothing_is_lost(self) -> None:
        """See that the channel knows how every problem stands that it has to know of."""
        for alert in await self.tables().alert_rows():
            assert not alert.is_untold, alert.key
            is_over = alert.ended_at is not None
            if is_over and alert.was_told:
                assert alert.told_reason is Reason.FIXED, alert.key
            if not is_over and not alert.silenced and alert.snoozed_until is None:
                assert alert.told_stage == alert.stage, alert.key


def told_steps(row: Mapping[str, object]) -> dict[str, int]:
    """Return all that counts up and never down."""
    steps = dict[str, int]()
    for name in ("ToldStep", "WelcomeToldStep", "DigestToldStep"):
        told = row.get(name, 0)
        assert isinstance(told, int)
        steps[name] = told
    return steps


@pytest.fixture
async def world(azurite: Azurite, seed: int) -> AsyncIterator[World]:
    """Give a tenant of its own, so that no order finds the rows of another."""
    tenant = Tenant(id=f"{uuid4()}", name=f"Order {seed}")
    async with (
        TableServiceClient.from_connection_string(azurite.connection_string) as service,
        TeamsChannel(MONDAY) as teams,
    ):
        yield World(service, teams, tenant)


@ORDERS
async def test_two_checks_at_once_and_an_operator(
    azurite: Azurite, world: World, seed: int
) -> None:
    monday, tuesday = list[str](), list[str]()
    await world.check(MONDAY, monday)
    await world.tell_without_cards(MONDAY, monday)
    await world.look()

    turns = Turns(azurite.connection_string, seed, world.observe)
    async with (
        turns.client("check") as one,
        turns.client("second_check") as other,
        turns.client("operator") as orders,
    ):
        await turns.take(
            check=world.check(TUESDAY, tuesday, one),
            second_check=world.check(TUESDAY + SECOND, tuesday, other),
            operator=world.snooze(TUESDAY, "v-1", orders),
        )
    delivered = tuesday * 2
    Random(seed).shuffle(delivered)  # noqa: S311 -- an order, no secret
    await world.notify(TUESDAY, delivered)
    await world.assert_each_step_has_one_card()

    await quiet_day(world)


@ORDERS
async def test_a_check_during_a_stamp_and_an_operator(
    azurite: Azurite, world: World, seed: int
) -> None:
    monday, tuesday = list[str](), list[str]()
    await world.check(MONDAY, monday)
    await world.look()

    turns = Turns(azurite.connection_string, seed, world.observe)
    async with (
        turns.client("check") as one,
        turns.client("notify") as late,
        turns.client("operator") as orders,
    ):
        await turns.take(
            check=world.check(TUESDAY, tuesday, one),
            notify=world.notify(TUESDAY, monday, late),
            operator=world.snooze(TUESDAY, "v-1", orders),
        )
    delivered = monday + tuesday * 2
    Random(seed).shuffle(delivered)  # noqa: S311 -- an order, no secret
    await world.notify(TUESDAY, delivered)
    await world.assert_each_step_has_one_card()

    await quiet_day(world)


async def quiet_day(world: World) -> None:
    """Let the next day's check and its deliveries go by undisturbed: they mend what is late."""
    wednesday = list[str]()
    await world.check(WEDNESDAY, wednesday)
    await world.notify(WEDNESDAY, wednesday)
    await world.assert_each_step_has_one_card()
    await world.assert_nothing_is_lost()
