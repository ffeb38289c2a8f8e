"""Operators order a check and accept a topic; the real check carries it out."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from admin.command import CommandError
from apple_tokens.messages import MessageKind
from apple_tokens.model import Problem, Reason
from apple_tokens.operator_tables import GoneError
from apple_tokens.rows import RunRow, TokenRow
from apple_tokens.tables import STATUS
from sandbox import graph_faults
from sandbox.azurite import Azurite
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource
from sandbox.scenario import load_scenario
from sandbox.stage import Stage
from sandbox.storage_proxy import StorageProxy
from sandbox.tenant import SimulatedTenant
from tests.admin_desk import type_in

pytestmark = pytest.mark.e2e

MORNING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW, NEWEST = (f"com.apple.mgmt.External.{which}" for which in ("old", "new", "newest"))
MOVED = ("--reason", "we moved to a new Apple account")


async def order(stage: Stage, now: datetime, *words: str, **more: str) -> str:
    return (await type_in(list(words), stage.environment | more, now)).text


async def check(stage: Stage, now: datetime) -> list[tuple[Problem | None, Reason | None]]:
    """Let one tick run and its cards be posted; return what they were about."""
    already = len(stage.posted)
    await stage.tick(now)
    await stage.deliver(now + timedelta(minutes=1))
    return [
        (posted.message.problem, posted.message.reason)
        for posted in stage.posted[already:]
        if posted.message.kind is MessageKind.ALERTS
    ]


async def status_rows(stage: Stage) -> dict[str, dict[str, object]]:
    table = stage.service.get_table_client(STATUS)
    return {entity["RowKey"]: dict(entity) async for entity in table.list_entities()}


def changed(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}


class TestCheckNow:
    async def test_has_every_source_read_once_more_by_the_next_tick(
        self, azurite: Azurite, storage: str
    ) -> None:
        tenant = load_scenario("healthy").tenant(MORNING)
        async with Stage(tenant, MORNING, azurite=azurite) as stage:
            await check(stage, MORNING)
            read = len(stage.graph.requests)
            await stage.tick(MORNING + HOUR)
            assert len(stage.graph.requests) == read

            said = await order(stage, MORNING + HOUR, "check-now")
            await stage.tick(MORNING + 2 * HOUR)

            assert (
                said == "All sources will be read once more by the next tick, within half an hour."
            )
            assert len(stage.graph.requests) == read + 3
            await stage.tick(MORNING + 3 * HOUR)
            assert len(stage.graph.requests) == read + 3

    async def test_gives_a_source_that_failed_for_good_another_try(
        self, azurite: Azurite, storage: str
    ) -> None:
        tenant = load_scenario("healthy").tenant(MORNING)
        tenant.faults[GraphSource.VPP].always(graph_faults.forbidden())
        async with Stage(tenant, MORNING, azurite=azurite) as stage:
            assert await check(stage, MORNING) == [(Problem.COULD_NOT_CHECK, Reason.NEW)]
            tenant.faults[GraphSource.VPP].clear()
            assert await check(stage, MORNING + HOUR) == []

            await order(stage, MORNING + HOUR, "check-now")

            assert await check(stage, MORNING + 2 * HOUR) == [(None, Reason.FIXED)]

    async def test_writes_the_operators_columns_of_the_run_row_and_nothing_else(
        self, azurite: Azurite, storage: str
    ) -> None:
        tenant = load_scenario("healthy").tenant(MORNING)
        async with Stage(tenant, MORNING, azurite=azurite) as stage:
            await check(stage, MORNING)
            before = await status_rows(stage)

            await order(stage, MORNING + HOUR, "check-now")

            after = await status_rows(stage)
            run = (await stage.tables.run_rows()).run
        assert before.keys() == after.keys()
        assert changed(before.pop(RunRow.key), after.pop(RunRow.key)) == RunRow.OPERATOR_COLUMNS
        assert before == after
        assert run.check_requested_at == MORNING + HOUR
        assert run.check_requested_by

    @pytest.mark.parametrize("tenant_id", ["", "another-tenant"])
    async def test_makes_no_rows_for_a_tenant_that_has_none(
        self, tenant_id: str, azurite: Azurite, storage: str
    ) -> None:
        tenant = load_scenario("healthy").tenant(MORNING)
        async with Stage(tenant, MORNING, azurite=azurite) as stage:
            if tenant_id:
                await check(stage, MORNING)
            words = ["check-now", *(["--tenant", tenant_id] if tenant_id else [])]
            with pytest.raises(
                GoneError, match=r"tokenstatus has no row run\.check in this tenant"
            ):
                await order(stage, MORNING, *words)

            tables = {table.name async for table in stage.service.list_tables()}
            assert (STATUS in tables) is bool(tenant_id)
            if tenant_id:
                partitions = {row["PartitionKey"] for row in (await status_rows(stage)).values()}
                assert partitions == {tenant.tenant_id}


class TestARowThatChangesMeanwhile:
    @staticmethod
    def a_check_writes(stage: Stage) -> Fault:
        """Let a check write the run row after the command has read it."""

        async def write(request: web.BaseRequest, read: web.Response) -> web.StreamResponse:
            if request.method == "GET":
                await stage.tables.write_run(RunRow(digest_step=7), [])
            return read

        return Fault("a check writes", write)

    async def test_is_read_again(self, azurite: Azurite, storage: str) -> None:
        async with (
            Stage(SimulatedTenant(), MORNING, azurite=azurite) as stage,
            StorageProxy(azurite) as proxy,
        ):
            await check(stage, MORNING)
            proxy.table.after.once(self.a_check_writes(stage))
            await order(stage, MORNING, "check-now", AzureWebJobsStorage=proxy.connection_string)

            run = (await stage.tables.run_rows()).run
        assert (run.digest_step, run.check_requested_at) == (7, MORNING)

    async def test_and_never_holds_still_is_given_up(self, azurite: Azurite, storage: str) -> None:
        async with (
            Stage(SimulatedTenant(), MORNING, azurite=azurite) as stage,
            StorageProxy(azurite) as proxy,
        ):
            await check(stage, MORNING)
            proxy.table.after.always(self.a_check_writes(stage))
            with pytest.raises(GoneError, match="changed again and again: try once more"):
                await order(
                    stage, MORNING, "check-now", AzureWebJobsStorage=proxy.connection_string
                )


class TestAcceptTopic:
    def tenant(self) -> SimulatedTenant:
        tenant = SimulatedTenant()
        tenant.add(GraphSource.PUSH, MORNING, topicIdentifier=OLD)
        return tenant

    async def replaced(self, stage: Stage) -> None:
        """Let the first morning pass, and another topic be found on the second."""
        await check(stage, MORNING)
        (certificate,) = stage.tenant.objects(GraphSource.PUSH)
        certificate["topicIdentifier"] = NEW
        told = await check(stage, MORNING + DAY)
        assert told == [(Problem.PUSH_CERTIFICATE_REPLACED, Reason.NEW)]

    async def test_is_confirmed_in_the_channel_as_accepted_by_the_next_check(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(self.tenant(), MORNING, azurite=azurite) as stage:
            await self.replaced(stage)

            said = await order(stage, MORNING + DAY + HOUR, "accept-topic", *MOVED)

            assert said == (
                f"The topic {NEW} is accepted by the next check. Devices that enrolled under "
                f"{OLD} do not hear Intune until they are enrolled again."
            )
            assert await check(stage, MORNING + 2 * DAY) == [
                (Problem.PUSH_CERTIFICATE_REPLACED, Reason.ACCEPTED)
            ]
            assert await check(stage, MORNING + 3 * DAY) == []
            card = stage.posted[-1].run.payload.decode()
            assert "we moved to a new Apple account" in card

    async def test_accepts_the_topic_that_was_seen_and_no_later_one(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(self.tenant(), MORNING, azurite=azurite) as stage:
            await self.replaced(stage)
            await order(stage, MORNING + DAY + HOUR, "accept-topic", *MOVED)
            (certificate,) = stage.tenant.objects(GraphSource.PUSH)
            certificate["topicIdentifier"] = NEWEST

            told = await check(stage, MORNING + 2 * DAY)

            assert told == [(Problem.PUSH_CERTIFICATE_REPLACED, Reason.REMINDER)]

    async def test_writes_the_operators_columns_and_nothing_else(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(self.tenant(), MORNING, azurite=azurite) as stage:
            await self.replaced(stage)
            before = await status_rows(stage)

            await order(stage, MORNING + DAY + HOUR, "accept-topic", *MOVED)

            after = await status_rows(stage)
            (row,) = await stage.token_rows()
        assert before.keys() == after.keys()
        assert changed(before.pop(row.key), after.pop(row.key)) == TokenRow.OPERATOR_COLUMNS
        assert before == after
        assert (row.accepted_topic, row.accepted_reason) == (NEW, MOVED[1])
        assert row.accepted_at == MORNING + DAY + HOUR
        assert row.accepted_by

    async def test_has_nothing_to_accept_while_the_topic_is_the_known_one(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(self.tenant(), MORNING, azurite=azurite) as stage:
            await check(stage, MORNING)
            with pytest.raises(CommandError, match="has the topic that is known"):
                await order(stage, MORNING, "accept-topic", *MOVED)

    async def test_has_nothing_to_accept_without_a_push_certificate(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(SimulatedTenant(), MORNING, azurite=azurite) as stage:
            await check(stage, MORNING)
            with pytest.raises(CommandError, match="nothing to do"):
                await order(stage, MORNING, "accept-topic", *MOVED)

    async def test_does_not_accept_a_topic_that_graph_does_not_name(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(self.tenant(), MORNING, azurite=azurite) as stage:
            await self.replaced(stage)
            (certificate,) = stage.tenant.objects(GraphSource.PUSH)
            certificate["topicIdentifier"] = None
            await check(stage, MORNING + 2 * DAY)
            with pytest.raises(CommandError, match="names no topic of the push certificate"):
                await order(stage, MORNING + 2 * DAY, "accept-topic", *MOVED)

    async def test_takes_a_reason(self, azurite: Azurite, storage: str) -> None:
        async with Stage(self.tenant(), MORNING, azurite=azurite) as stage:
            await self.replaced(stage)
            with pytest.raises(CommandError, match="--reason is empty"):
                await order(stage, MORNING + DAY, "accept-topic", "--reason", " ")
