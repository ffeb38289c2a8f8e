"""What a check does to the storage: how often, in which order, and cut off at any point."""

import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta

import pytest
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest
from azure.data.tables.aio import TableServiceClient

from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.model import SourceResult, Tenant, TokenKind
from apple_tokens.tables import ALERTS, HISTORY, STATUS, TokenTables
from check_tokens.check import tick
from check_tokens.policy import Policy
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.storage_proxy import StorageProxy
from tests.changing_tenant import MONDAY, TUESDAY, sources, tokens
from tests.gated_storage import gated
from tests.survival import Promise, survives

pytestmark = pytest.mark.e2e

TENANT = Tenant(id="5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17")
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
async def service(storage: str) -> AsyncIterator[TableServiceClient]:
    async with TableServiceClient.from_connection_string(storage) as service:
        for table in (ALERTS, HISTORY, STATUS):
            await service.create_table(table)
        yield service


async def check(
    service: TableServiceClient, now: datetime, tenant: Tenant = TENANT
) -> list[RemediationMessage]:
    """Run one tick of the tenant whose tokens change."""
    return await tick(tenant, sources(now), TokenTables(service, tenant.id), Policy(), now)


async def tell(
    service: TableServiceClient, tickets: list[RemediationMessage], tenant: Tenant = TENANT
) -> None:
    """Mark what tickets point to as told, as `notify` does once Teams has accepted the cards."""
    tables = TokenTables(service, tenant.id)
    for ticket in tickets:
        alerts = await tables.untold(ticket.batch)
        await tables.stamp(alerts, told_at=ticket.checked_at, check_date=ticket.check_date)


def said(tickets: list[RemediationMessage]) -> list[tuple[object, ...]]:
    """Return what tickets say, whichever check made them."""
    return [(t.kind, t.problem, t.reason, t.stage, t.severity, t.count) for t in tickets]


async def kept(service: TableServiceClient, tenant: Tenant) -> list[object]:
    """Return what the tables hold that does not depend on the minute of the check."""
    tables = TokenTables(service, tenant.id)
    found: list[object] = [
        (row.key, row.health, row.problem, row.stage) for row in await tables.token_rows()
    ]
    found += [
        (row.key, row.step, row.told_step, row.reason, row.stage, row.ended_at is None)
        for row in await tables.alert_rows()
    ]
    for token in tokens(TUESDAY):
        rows = await tables.history(token.kind, token.id)
        found += [(row.key, row.changed) for row in rows]
    return found


async def test_a_tick_with_nothing_to_do_is_one_request_and_silent(
    storage: str, service: TableServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    await check(service, MONDAY)
    requests = list[HttpRequest]()

    async def count(request: HttpRequest) -> None:
        requests.append(request)

    caplog.clear()
    caplog.set_level(logging.INFO)
    async with gated(storage, count) as counted:
        assert await check(counted, MONDAY + HALF_AN_HOUR) == []

    assert len(requests) == 1
    # The SDK's own lines are kept out by the module that opens the connection (test_storage.py).
    assert [record for record in caplog.records if not record.name.startswith("azure")] == []


async def test_history_is_written_before_alerts_before_status_rows_before_run_rows(
    storage: str, service: TableServiceClient
) -> None:
    await tell(service, await check(service, MONDAY))
    written = list[str]()

    async def note(request: HttpRequest) -> None:
        if request.url.endswith("/$batch"):
            changed = re.findall(r"/(token\w+)\([^)]*RowKey='([a-z]+)", request.content.decode())
            written.extend(dict.fromkeys(f"{table} {kind}" for table, kind in changed))

    async with gated(storage, note) as noted:
        await check(noted, TUESDAY)

    places = ["tokenhistory ade", "tokenalerts ade", "tokenstatus ade", "tokenstatus run"]
    assert [place for place in written if place in places] == places
    assert written[-1] == "tokenstatus run"


class Crash(BaseException):  # not even an Exception: nothing of the app can catch it by mistake
    """The host dies."""


@pytest.mark.parametrize("morning", [MONDAY, TUESDAY], ids=["the first check", "the second check"])
async def test_a_check_that_is_cut_off_anywhere_is_made_up_for_by_the_next_tick(
    storage: str, service: TableServiceClient, morning: datetime
) -> None:
    undisturbed = Tenant(id="undisturbed")
    if morning == TUESDAY:
        await tell(service, await check(service, MONDAY, undisturbed), undisturbed)
    requests = 0

    async def count(_request: HttpRequest) -> None:
        nonlocal requests
        requests += 1

    async with gated(storage, count) as counted:
        expected = said(await check(counted, morning, undisturbed))
    as_expected = await kept(service, undisturbed)
    assert requests >= 6

    for last in range(requests):
        tenant = Tenant(id=f"cut off after {last} requests")
        if morning == TUESDAY:
            await tell(service, await check(service, MONDAY, tenant), tenant)
        left = last

        async def die(_request: HttpRequest) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        async with gated(storage, die) as dying:
            with pytest.raises(Crash):
                await check(dying, morning, tenant)

        assert said(await check(service, morning + HALF_AN_HOUR, tenant)) == expected, tenant.id
        assert await kept(service, tenant) == as_expected, tenant.id


@survives(Promise.NOTHING_LOST, fault="Queue: the messages of a check never arrive")
async def test_tickets_that_were_lost_after_the_check_are_made_again_an_hour_later(
    service: TableServiceClient, happened: Callable[[str], None]
) -> None:
    lost = await check(service, MONDAY)

    assert await check(service, MONDAY + HALF_AN_HOUR) == []
    again = await check(service, MONDAY + 2 * HALF_AN_HOUR)

    # The same tickets: the card counts for the check that made them, and says what it said.
    alerts = [ticket for ticket in lost if ticket.kind is MessageKind.ALERTS]
    assert [ticket for ticket in again if ticket.kind is MessageKind.ALERTS] == alerts
    assert said(again) == said(lost)
    assert {ticket.check_date for ticket in again} == {date(2026, 3, 2)}
    assert await check(service, MONDAY + 4 * HALF_AN_HOUR) == []
    happened(f"the same {len(again)} messages an hour later, once")


async def test_storage_that_stays_down_is_an_error_and_the_next_tick_goes_on(
    azurite: Azurite, storage: str, service: TableServiceClient
) -> None:
    assert storage  # emptied
    async with StorageProxy(azurite) as proxy:
        proxy.table.before.always(faults.answer(403))
        connection = proxy.connection_string
        async with TableServiceClient.from_connection_string(connection) as down:
            with pytest.raises(AzureError):
                await check(down, MONDAY)

    assert len(await check(service, MONDAY + HALF_AN_HOUR)) == 5


@survives(
    Promise.NOTHING_LOST, Promise.NOT_TWICE, fault="Storage: somebody edited ToldStep to {edited!r}"
)
@pytest.mark.parametrize("edited", ["", "?!", 0, -5])
async def test_an_alert_whose_told_step_somebody_edited_is_told_once_more_and_no_more(
    service: TableServiceClient, edited: object, happened: Callable[[str], None]
) -> None:
    tables = TokenTables(service, TENANT.id)
    await tell(service, await check(service, MONDAY))
    # An alert that began after it had been told, ended and forgotten before.
    stale = {"PartitionKey": TENANT.id, "BaseStep": 7, "Step": 8, "ToldStep": edited}
    alerts = service.get_table_client(ALERTS)
    await alerts.upsert_entity(stale | {"RowKey": "ade_token.a-2.ade_token_expiring"})

    said_on = []
    for day in range(1, 4):
        tickets = await check(service, MONDAY + timedelta(days=day))
        await tell(service, tickets)
        told = {alert.key: alert.told_check_date for alert in await tables.alert_rows()}
        said_on.append(told["ade_token.a-2.ade_token_expiring"])

    assert said_on == [date(2026, 3, 3)] * 3, "told anew with every check"
    happened("told once more, and no more")


async def test_the_sources_are_read_before_the_rows_so_that_what_is_told_meanwhile_is_known(
    service: TableServiceClient,
) -> None:
    tickets = await check(service, MONDAY)
    read = sources(TUESDAY)

    async def read_slowly(kinds: tuple[TokenKind, ...]) -> dict[TokenKind, SourceResult]:
        await tell(service, tickets)
        return await read(kinds)

    tables = TokenTables(service, TENANT.id)
    queued = await tick(TENANT, read_slowly, tables, Policy(), TUESDAY)

    assert Counter(ticket.reason for ticket in queued if ticket.reason) == Counter(
        {"reminder": 2, "worse": 1, "new": 1, "fixed": 1}
    )
