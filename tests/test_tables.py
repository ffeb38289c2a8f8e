"""The tables of a tenant on a real storage emulator: who writes what, in how many requests."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables.aio import TableServiceClient
from msgspec.structs import replace

from apple_tokens.codec import columns_of
from apple_tokens.model import Facts, Problem, Reason, Severity, TokenKind
from apple_tokens.operator_tables import Operator, OperatorTables
from apple_tokens.rows import AlertRow, HistoryRow, RunRow, SourceRow, TokenRow
from apple_tokens.tables import (
    ALERTS,
    HISTORY,
    STATUS,
    StampConflictError,
    StoredAlert,
    TokenTables,
)
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.storage_proxy import StorageProxy
from tests.builders import ade, push, row, vpp
from tests.gated_storage import gated
from tests.survival import Promise, survives

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY = date(2026, 3, 2)
TENANT = "5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17"
BATCH = "20260302T080000.000000Z vpp_sync_failed warning new"
OPERATOR = Operator(name="operator@contoso.example", at=NOW, reason="moving house")


def alert(number: int = 0, **changes: object) -> AlertRow:
    """Return an alert as a check leaves it: its first step is untold."""
    untold = AlertRow(
        kind=TokenKind.VPP,
        token_id=f"v-{number}",
        problem=Problem.VPP_SYNC_FAILED,
        since=NOW,
        seen_at=NOW,
        step=1,
        reason=Reason.NEW,
        stage="warning",
        batch=BATCH,
        due_since=NOW,
    )
    return replace(untold, **changes)


def alerts(count: int) -> list[AlertRow]:
    return [alert(number) for number in range(count)]


@pytest.fixture
async def service(storage: str) -> AsyncIterator[TableServiceClient]:
    """Give a client of an empty account."""
    async with TableServiceClient.from_connection_string(storage) as service:
        yield service


@pytest.fixture
def tables(service: TableServiceClient) -> TokenTables:
    return TokenTables(service, TENANT)


@pytest.fixture
def operator(service: TableServiceClient) -> OperatorTables:
    return OperatorTables(service, TENANT)


@pytest.fixture
async def proxy(azurite: Azurite, storage: str) -> AsyncIterator[StorageProxy]:
    """Give an empty account that counts requests, and fails on demand."""
    assert storage  # emptied
    async with StorageProxy(azurite) as proxy:
        yield proxy


@pytest.fixture
async def counted(proxy: StorageProxy) -> AsyncIterator[TokenTables]:
    """Give the same tenant's tables by way of the proxy."""
    async with TableServiceClient.from_connection_string(proxy.connection_string) as service:
        yield TokenTables(service, TENANT)


def transactions(proxy: StorageProxy) -> int:
    """Count the transactions so far, and forget them."""
    count = sum(request.endswith("/$batch") for request in proxy.table.requests)
    proxy.table.requests.clear()
    return count


async def cells(service: TableServiceClient, table: str) -> dict[str, dict[str, object]]:
    """Return all rows of a table as they stand there, by key."""
    query = service.get_table_client(table).list_entities()
    return {entity["RowKey"]: dict(entity) async for entity in query}


async def stamp(tables: TokenTables, posted: Iterable[StoredAlert]) -> int:
    return await tables.stamp(list(posted), told_at=NOW, check_date=TODAY)


class TestReading:
    async def test_takes_a_cell_whose_type_somebody_changed_for_what_it_says(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        await tables.write_alerts([alert()])
        until = datetime(2026, 4, 1, tzinfo=UTC)
        await service.get_table_client(ALERTS).upsert_entity(
            {
                "PartitionKey": TENANT,
                "RowKey": alert().key,
                "ToldStep": EntityProperty(4, EdmType.INT64),
                "BaseStep": 1.0,
                "SnoozedUntil": until,
                "SnoozedBy": EntityProperty(UUID(int=7), EdmType.GUID),
            }
        )

        (row,) = await tables.alert_rows()

        assert (row.told_step, row.base_step, row.snoozed_until) == (4, 1, until)
        assert row.snoozed_by == str(UUID(int=7))

    async def test_finds_nothing_where_nothing_was_written_and_makes_no_table(
        self, counted: TokenTables, proxy: StorageProxy, service: TableServiceClient
    ) -> None:
        assert (await counted.run_rows()).run == RunRow()
        assert await counted.token_rows() == []
        assert await counted.alert_rows() == []
        assert await counted.untold(BATCH) == []
        assert await counted.history(TokenKind.ADE, "a-1") == []

        assert len(proxy.table.requests) == 5
        assert [table.name async for table in service.list_tables()] == []

    @pytest.mark.parametrize("count, requests", [(999, 1), (1_001, 2), (2_001, 3)])
    async def test_takes_one_request_for_a_thousand_rows(
        self, counted: TokenTables, proxy: StorageProxy, count: int, requests: int
    ) -> None:
        await counted.write_alerts(alerts(count))
        proxy.table.requests.clear()

        assert len(await counted.alert_rows()) == count
        assert len(proxy.table.requests) == requests

    async def test_of_some_kinds_finds_no_others(self, tables: TokenTables) -> None:
        rows = [row(ade()), row(vpp()), row(push())]
        await tables.write_tokens(rows)
        await tables.write_run(RunRow(), [SourceRow(kind=TokenKind.ADE)])

        assert sorted(found.key for found in await tables.token_rows()) == sorted(
            each.key for each in rows
        )
        assert await tables.token_rows([TokenKind.VPP]) == [rows[1]]
        assert await tables.token_rows([TokenKind.PUSH, TokenKind.ADE]) == [rows[0], rows[2]]

    @pytest.mark.parametrize(
        "token_id", ["a'b", "a/b", "a#b?c", "a\\b", "100%", "あ 📱", "..", "t" * 2_000]
    )
    async def test_finds_tokens_whatever_their_ids_are(
        self, tables: TokenTables, token_id: str
    ) -> None:
        token, problem = row(ade(id=token_id)), alert(token_id=token_id)
        await tables.write_tokens([token])
        await tables.write_alerts([problem])
        await stamp(tables, await tables.untold(BATCH))

        assert await tables.token_rows() == [token]
        assert [found.told_step for found in await tables.alert_rows()] == [1]
        await tables.delete_alerts([problem])
        assert await tables.alert_rows() == []

    @pytest.mark.parametrize(
        "name", ["あ 📱", "null", "5", 'a "quote"', "two\nlines\ttab", "<b>&amp;</b>", "\x07", " "]
    )
    async def test_gives_back_names_as_they_were(self, tables: TokenTables, name: str) -> None:
        token = row(ade(name=name))
        await tables.write_tokens([token])

        assert await tables.token_rows() == [token]

    async def test_leaves_out_a_row_that_is_unreadable_and_says_so(
        self, tables: TokenTables, service: TableServiceClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        await tables.write_alerts([alert()])
        later = {"PartitionKey": TENANT, "RowKey": "vpp_token.v-0.vpp_token_lost", "Step": 1}
        await service.get_table_client(ALERTS).create_entity(later)

        with caplog.at_level(logging.WARNING):
            found = await tables.alert_rows()

        assert found == [alert()]
        event = json.loads(caplog.messages[0])
        assert (event["event"], event["key"]) == ("row_unreadable", later["RowKey"])

    async def test_takes_an_alerts_last_change_for_its_beginning_where_that_is_nonsense(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        await tables.write_alerts([alert()])
        edited = {"PartitionKey": TENANT, "RowKey": alert().key, "Since": "long ago"}
        await service.get_table_client(ALERTS).upsert_entity(edited)

        (found,) = await tables.alert_rows()

        assert abs(found.since - datetime.now(UTC)) < timedelta(hours=1)  # noqa: TID251 -- storage's clock
        assert replace(found, since=NOW) == alert()


class TestTenants:
    @pytest.mark.parametrize(
        "other", ["5f0c8b1e", TENANT.upper(), f"{TENANT}'", f"{TENANT}/x", "あ"]
    )
    async def test_never_see_each_others_rows(
        self, service: TableServiceClient, tables: TokenTables, other: str
    ) -> None:
        theirs = TokenTables(service, other)
        for some, name in ((tables, "ours"), (theirs, "theirs")):
            await some.write_tokens([row(ade(name=name))])
            await some.write_alerts([alert(stage=name)])
            await some.write_run(RunRow(), [SourceRow(kind=TokenKind.ADE, detail=name)])

        assert await stamp(theirs, await theirs.untold(BATCH)) == 1
        await theirs.delete_tokens([row(ade())])

        assert [found.token.name for found in await tables.token_rows()] == ["ours"]
        assert [(found.stage, found.told_step) for found in await tables.alert_rows()] == [
            ("ours", 0)
        ]
        assert [found.told_stage for found in await theirs.alert_rows()] == ["theirs"]
        assert (await tables.run_rows()).sources[TokenKind.ADE].detail == "ours"


class TestWriting:
    async def test_makes_the_tables_that_are_missing(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        await tables.write_history([history()])
        await tables.write_alerts([alert()])
        await tables.write_tokens([row(ade())])

        assert {table.name async for table in service.list_tables()} == {ALERTS, HISTORY, STATUS}

    async def test_makes_a_table_again_that_somebody_deleted(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        await tables.write_run(RunRow(checked_at=NOW), [])
        await service.delete_table(STATUS)
        await tables.write_run(RunRow(checked_at=NOW), [])

        assert (await tables.run_rows()).run.checked_at == NOW

    @pytest.mark.parametrize("count, expected", [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
    async def test_takes_one_transaction_for_a_hundred_rows(
        self, counted: TokenTables, proxy: StorageProxy, count: int, expected: int
    ) -> None:
        await counted.write_alerts([alert(1_000)])
        transactions(proxy)

        await counted.write_alerts(alerts(count))

        assert transactions(proxy) == expected

    async def test_of_the_run_rows_is_one_transaction(
        self, counted: TokenTables, proxy: StorageProxy
    ) -> None:
        sources = [SourceRow(kind=kind, tries=3) for kind in TokenKind]
        await counted.write_run(RunRow(), [])
        transactions(proxy)

        await counted.write_run(RunRow(checked_at=NOW), sources)

        assert transactions(proxy) == 1
        assert (await counted.run_rows()).sources == {source.kind: source for source in sources}

    async def test_the_same_again_changes_nothing(self, tables: TokenTables) -> None:
        for _ in range(2):
            await tables.write_alerts(alerts(3))
            await tables.write_tokens([row(ade())])

        assert await tables.alert_rows() == alerts(3)
        assert await tables.token_rows() == [row(ade())]

    @survives(Promise.KEPT, fault="Storage: MERGE, which keeps every column that is left out")
    async def test_empties_what_is_empty_now(
        self, tables: TokenTables, happened: Callable[[str], None]
    ) -> None:
        full = alert(
            clear_since=NOW,
            ended_at=NOW,
            silenced=True,
            escalated_at=NOW,
            facts=Facts(old_topic="com.apple.mgmt"),
        )
        bare = AlertRow(
            kind=full.kind, token_id=full.token_id, problem=full.problem, since=NOW, seen_at=NOW
        )
        await tables.write_alerts([full])
        await tables.write_alerts([bare])

        assert await tables.alert_rows() == [bare]
        happened("all that is empty now was emptied: the row is the one that was written")

    @pytest.mark.parametrize("fault", [faults.answer(503), faults.reset()], ids=lambda f: f.name)
    async def test_is_tried_again_when_storage_fails_before_or_after_its_work(
        self, counted: TokenTables, proxy: StorageProxy, fault: faults.Fault
    ) -> None:
        await counted.write_alerts([alert()])
        proxy.table.before.once(fault)
        proxy.table.after.once(faults.healthy(), fault)

        await counted.write_alerts([alert(stage="critical")])
        await counted.write_alerts([alert(1)])

        assert [found.stage for found in await counted.alert_rows()] == ["critical", "warning"]

    async def test_that_storage_refuses_is_an_error_and_nothing_of_it_is_written(
        self, tables: TokenTables
    ) -> None:
        await tables.write_alerts([alert()])

        with pytest.raises(HttpResponseError, match="PropertyValueTooLarge"):
            await tables.write_alerts([alert(1), alert(2, facts=Facts(detail="x" * 40_000))])

        assert await tables.alert_rows() == [alert()]


class TestColumns:
    def test_of_an_alert_have_one_writer_each(self) -> None:
        assert not AlertRow.NOTIFY_COLUMNS & AlertRow.OPERATOR_COLUMNS
        assert columns_of(AlertRow) >= AlertRow.NOTIFY_COLUMNS | AlertRow.OPERATOR_COLUMNS
        assert columns_of(TokenRow) >= TokenRow.OPERATOR_COLUMNS
        assert not RunRow.NOTIFY_COLUMNS & RunRow.OPERATOR_COLUMNS
        assert columns_of(RunRow) >= RunRow.NOTIFY_COLUMNS | RunRow.OPERATOR_COLUMNS

    async def test_that_a_check_writes_are_all_but_those_of_the_others(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        keys = {"PartitionKey", "RowKey"}
        others = AlertRow.NOTIFY_COLUMNS | AlertRow.OPERATOR_COLUMNS
        await tables.write_alerts([alert(told_step=5, snoozed_until=NOW)])
        await tables.write_tokens([row(ade(), accepted_topic="x")])
        await tables.write_run(RunRow(check_requested_at=NOW, digest_told_step=3), [])

        (written,) = (await cells(service, ALERTS)).values()
        status = await cells(service, STATUS)

        assert written.keys() - keys == columns_of(AlertRow) - others
        assert (
            status[row(ade()).key].keys() - keys == columns_of(TokenRow) - TokenRow.OPERATOR_COLUMNS
        )
        others = RunRow.NOTIFY_COLUMNS | RunRow.OPERATOR_COLUMNS
        assert status[RunRow.key].keys() - keys == columns_of(RunRow) - others

    async def test_of_an_alert_keep_what_each_writer_wrote_last(
        self, tables: TokenTables, operator: OperatorTables
    ) -> None:
        await tables.write_alerts([alert()])
        (read_before,) = await tables.alert_rows()
        await stamp(tables, await tables.untold(BATCH))
        await operator.snooze(read_before, NOW + timedelta(days=7), OPERATOR)

        # A check that had read the row before both of them.
        await tables.write_alerts([replace(read_before, stage="critical")])

        (found,) = await tables.alert_rows()
        assert found == alert(
            stage="critical",
            told_step=1,
            told_reason=Reason.NEW,
            told_stage="warning",
            told_at=NOW,
            told_check_date=TODAY,
            snoozed_until=NOW + timedelta(days=7),
            snooze_reason="moving house",
            snoozed_by="operator@contoso.example",
            snoozed_at=NOW,
        )

    async def test_of_a_status_row_keep_what_an_operator_accepted(
        self, tables: TokenTables, operator: OperatorTables
    ) -> None:
        await tables.write_tokens([row(push())])
        await operator.accept_topic("com.apple.mgmt.External.new", OPERATOR)

        await tables.write_tokens([row(push(name="checked again"))])

        (found,) = await tables.token_rows()
        assert (found.token.name, found.accepted_topic, found.accepted_at) == (
            "checked again",
            "com.apple.mgmt.External.new",
            NOW,
        )

    async def test_of_the_run_row_keep_what_was_asked_for_and_what_was_told(
        self, tables: TokenTables, operator: OperatorTables
    ) -> None:
        await tables.write_run(RunRow(digest_step=1), [])
        await operator.request_check(OPERATOR)
        assert await tables.stamp_run(lambda run: replace(run, digest_told_step=1))

        await tables.write_run(RunRow(digest_step=2, checked_at=NOW), [])

        assert (await tables.run_rows()).run == RunRow(
            digest_step=2,
            checked_at=NOW,
            digest_told_step=1,
            check_requested_at=NOW,
            check_requested_by="operator@contoso.example",
        )


class TestDeleting:
    async def test_takes_one_transaction_for_a_hundred_rows(
        self, counted: TokenTables, proxy: StorageProxy
    ) -> None:
        await counted.write_alerts(alerts(251))
        transactions(proxy)

        await counted.delete_alerts(alerts(250))

        assert transactions(proxy) == 3
        assert await counted.alert_rows() == [alert(250)]

    async def test_of_rows_that_are_gone_is_no_error_and_deletes_the_others(
        self, tables: TokenTables
    ) -> None:
        await tables.write_alerts([alert(1), alert(2), alert(3)])

        await tables.delete_alerts([alert(0), alert(1), alert(2)])
        await tables.delete_alerts([alert(1)])

        assert await tables.alert_rows() == [alert(3)]

    async def test_where_no_table_is_is_no_error(self, tables: TokenTables) -> None:
        await tables.delete_alerts([alert()])
        await tables.delete_tokens([row(ade())])
        await tables.delete_history(NOW)

    async def test_whose_answer_is_lost_is_done(
        self, counted: TokenTables, proxy: StorageProxy
    ) -> None:
        await counted.write_alerts(alerts(3))
        proxy.table.after.once(faults.reset())

        await counted.delete_alerts(alerts(3))

        assert await counted.alert_rows() == []


class TestStamping:
    async def test_marks_the_step_that_was_posted(self, tables: TokenTables) -> None:
        await tables.write_alerts([alert(step=3, reason=Reason.WORSE, stage="7")])

        assert await stamp(tables, await tables.untold(BATCH)) == 1

        (found,) = await tables.alert_rows()
        assert (found.told_step, found.told_reason, found.told_stage) == (3, Reason.WORSE, "7")
        assert (found.told_at, found.told_check_date) == (NOW, TODAY)
        assert await tables.untold(BATCH) == []

    async def test_of_two_hundred_and_fifty_alerts_takes_three_transactions(
        self, counted: TokenTables, proxy: StorageProxy
    ) -> None:
        await counted.write_alerts(alerts(250))
        posted = await counted.untold(BATCH)
        transactions(proxy)

        assert await stamp(counted, posted) == 250

        assert transactions(proxy) == 3
        assert await counted.untold(BATCH) == []

    async def test_finds_a_batch_whatever_it_is_called(self, tables: TokenTables) -> None:
        for name in ("it's", "a' or Batch ne '", "あ", "100%", "a&b"):
            await tables.write_alerts([alert(batch=name), alert(1, batch="another")])
            assert [found.row.batch for found in await tables.untold(name)] == [name]

    async def test_of_an_alert_that_changed_keeps_the_change(self, tables: TokenTables) -> None:
        await tables.write_alerts(alerts(3))
        posted = await tables.untold(BATCH)
        changed = alert(1, stage="critical", severity=Severity.CRITICAL, batch="next")
        await tables.write_alerts([changed])

        assert await stamp(tables, posted) == 3

        found = {each.token_id: each for each in await tables.alert_rows()}
        assert [each.told_step for each in found.values()] == [1, 1, 1]
        # Told is what was posted, so that the next check sees what is worse since.
        assert (found["v-1"].stage, found["v-1"].told_stage) == ("critical", "warning")

    async def test_of_an_older_step_leaves_the_next_one_untold(self, tables: TokenTables) -> None:
        await tables.write_alerts([alert()])
        posted = await tables.untold(BATCH)
        await tables.write_alerts([alert(step=2, reason=Reason.WORSE, batch="next")])

        await stamp(tables, posted)

        (next_batch,) = await tables.untold("next")
        assert (next_batch.row.told_step, next_batch.row.step) == (1, 2)

    async def test_never_takes_the_told_step_down(self, tables: TokenTables) -> None:
        await tables.write_alerts([alert()])
        late = await tables.untold(BATCH)
        await tables.write_alerts([alert(step=2, reason=Reason.WORSE)])
        await stamp(tables, await tables.untold(BATCH))

        assert await stamp(tables, late) == 1

        (found,) = await tables.alert_rows()
        assert (found.told_step, found.told_reason) == (2, Reason.WORSE)

    async def test_leaves_out_an_alert_that_is_gone_and_makes_no_ghost_of_it(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        await tables.write_alerts(alerts(3))
        posted = await tables.untold(BATCH)
        await tables.delete_alerts([alert(1)])

        assert await stamp(tables, posted) == 2

        assert [found.told_step for found in await tables.alert_rows()] == [1, 1]
        assert len(await cells(service, ALERTS)) == 2

    async def test_where_the_table_is_gone_stamps_nothing_and_makes_none(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        await tables.write_alerts(alerts(2))
        posted = await tables.untold(BATCH)
        await service.delete_table(ALERTS)

        assert await stamp(tables, posted) == 0
        assert [table.name async for table in service.list_tables()] == []

    async def test_of_nothing_is_no_request(
        self, counted: TokenTables, proxy: StorageProxy
    ) -> None:
        assert await stamp(counted, []) == 0
        assert proxy.table.requests == []

    @survives(
        Promise.NOTHING_LOST,
        Promise.TOLD_IS_ACCEPTED,
        fault="Storage: a stamp meets a changed row (412), {changes} times",
    )
    @pytest.mark.parametrize("changes", [1, 9])
    async def test_is_tried_again_while_the_alert_keeps_changing(
        self, storage: str, tables: TokenTables, changes: int, happened: Callable[[str], None]
    ) -> None:
        await tables.write_alerts([alert()])
        async with meddled(storage, tables, changes) as service:
            theirs = TokenTables(service, TENANT)
            assert await stamp(theirs, await theirs.untold(BATCH)) == 1

        (found,) = await tables.alert_rows()
        assert (found.told_step, found.stage) == (1, f"change {changes}")
        happened(f"stamped at try {changes + 1}; the last change is kept")

    @survives(
        Promise.CLEAR_ERROR,
        Promise.BOUNDED,
        fault="Storage: a stamp meets a changed row (412), each time",
    )
    async def test_gives_up_on_an_alert_that_never_holds_still(
        self, storage: str, tables: TokenTables, happened: Callable[[str], None]
    ) -> None:
        await tables.write_alerts([alert()])
        async with meddled(storage, tables, 100) as service:
            theirs = TokenTables(service, TENANT)
            posted = await theirs.untold(BATCH)
            with pytest.raises(StampConflictError, match=r"changed 10 times .* once more"):
                await stamp(theirs, posted)
        happened("given up after 10 tries, with an error that names the alert")

    @pytest.mark.parametrize("fault", [faults.answer(503), faults.reset()], ids=lambda f: f.name)
    async def test_is_tried_again_in_place_for_teams_has_accepted_the_card_already(
        self, counted: TokenTables, proxy: StorageProxy, fault: faults.Fault
    ) -> None:
        await counted.write_alerts(alerts(2))
        posted = await counted.untold(BATCH)
        proxy.table.before.once(fault)

        assert await stamp(counted, posted) == 2
        assert await counted.untold(BATCH) == []

    async def test_whose_answer_is_lost_finds_itself_done(
        self, counted: TokenTables, proxy: StorageProxy
    ) -> None:
        await counted.write_alerts(alerts(2))
        posted = await counted.untold(BATCH)
        proxy.table.after.once(faults.reset())

        assert await stamp(counted, posted) == 2
        assert [found.told_step for found in await counted.alert_rows()] == [1, 1]


class TestStampingTheRunRow:
    async def test_is_done_once(self, tables: TokenTables) -> None:
        await tables.write_run(RunRow(welcome_step=1), [])

        def told(run: RunRow) -> RunRow | None:
            return replace(run, welcome_told_step=1) if run.welcome_is_untold else None

        assert await tables.stamp_run(told)
        assert not await tables.stamp_run(told)
        assert (await tables.run_rows()).run == RunRow(welcome_step=1, welcome_told_step=1)

    async def test_makes_no_row_where_none_is(
        self, tables: TokenTables, service: TableServiceClient
    ) -> None:
        assert not await tables.stamp_run(lambda run: replace(run, welcome_told_step=1))
        assert [table.name async for table in service.list_tables()] == []


def history(hours: int = 0, **changes: object) -> HistoryRow:
    """Return what the check so many hours after the first one saw change."""
    seen = HistoryRow(
        kind=TokenKind.ADE,
        token_id="a-1",
        name="Head office iPads",
        checked_at=NOW + timedelta(hours=hours + 24),
        changed="ExpiresOn",
        before={"ExpiresOn": "2026-03-01T08:00:00Z"},
        after={"ExpiresOn": "2027-03-01T08:00:00Z"},
        previous_check_at=NOW + timedelta(hours=hours),
    )
    return replace(seen, **changes)


class TestHistory:
    async def test_of_a_token_is_read_with_the_newest_first(self, tables: TokenTables) -> None:
        await tables.write_history([history(24), history(0), history(48)])

        assert await tables.history(TokenKind.ADE, "a-1") == [history(48), history(24), history(0)]

    async def test_of_a_check_that_ran_twice_is_one_row(self, tables: TokenTables) -> None:
        await tables.write_history([history()])
        rerun = history(checked_at=NOW + timedelta(hours=24, minutes=30))
        await tables.write_history([rerun])

        assert await tables.history(TokenKind.ADE, "a-1") == [rerun]

    async def test_of_one_token_holds_nothing_of_another(self, tables: TokenTables) -> None:
        others = [
            history(token_id="a-10"),
            history(token_id="a-1.b"),
            history(token_id="a"),
            history(kind=TokenKind.VPP),
        ]
        await tables.write_history([history(), *others])

        assert await tables.history(TokenKind.ADE, "a-1") == [history()]

    async def test_of_the_push_certificate_which_has_no_name_can_be_read(
        self, tables: TokenTables
    ) -> None:
        seen = history(kind=TokenKind.PUSH, token_id="apns", name="")
        await tables.write_history([seen])

        assert await tables.history(TokenKind.PUSH, "apns") == [seen]

    @pytest.mark.parametrize("late_s, is_deleted", [(-1, True), (0, False), (1, False)])
    async def test_goes_when_it_is_older_than_asked_for(
        self, tables: TokenTables, late_s: int, is_deleted: bool
    ) -> None:
        await tables.write_history([history(checked_at=NOW + timedelta(seconds=late_s))])

        await tables.delete_history(NOW)

        assert (await tables.history(TokenKind.ADE, "a-1") == []) == is_deleted


def meddled(storage: str, tables: TokenTables, times: int) -> TableServiceClient:
    """Return a client whose alert is changed by a check before each of so many transactions."""
    changes = 0

    async def change(request: HttpRequest) -> None:
        nonlocal changes
        if request.url.endswith("/$batch") and changes < times:
            changes += 1
            await tables.write_alerts([alert(stage=f"change {changes}")])

    return gated(storage, change)
