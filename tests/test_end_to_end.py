"""The whole way: Graph to rows to queue to channel, on real storage and real HTTP."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from traceback import format_exception

import pytest
from azure.data.tables import TableServiceClient

from apple_tokens.codec import columns_of
from apple_tokens.messages import MessageKind, RemediationMessage, decode
from apple_tokens.model import Health, Problem, Reason, TokenKind
from apple_tokens.rows import AlertRow, TokenRow
from apple_tokens.tables import ALERTS, HISTORY, STATUS
from check_tokens import wire
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.large_tenant import large_tenant
from sandbox.planted import PLANTED_SECRET
from sandbox.scenario import load_scenario
from sandbox.stage import Posted, Stage
from sandbox.tenant import SimulatedTenant

pytestmark = pytest.mark.e2e

MORNING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)

OpenStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def open_stage(azurite: Azurite, storage: str) -> OpenStage:
    """Give a stage on empty storage."""

    @asynccontextmanager
    async def opened(tenant: SimulatedTenant, **settings: str) -> AsyncIterator[Stage]:
        async with Stage(tenant, MORNING, azurite=azurite, settings=settings) as stage:
            yield stage

    return opened


async def check(stage: Stage, now: datetime) -> list[RemediationMessage]:
    """Run one tick with everything delivered a minute later; return what was queued."""
    queued = [decode(body) for body in await stage.tick(now)]
    await stage.deliver(now + timedelta(minutes=1))
    return queued


def told(posted: list[Posted]) -> list[tuple[Problem | None, Reason | None, str, int]]:
    """Say what the alert cards were about."""
    return [
        (item.message.problem, item.message.reason, item.message.stage, item.message.count)
        for item in posted
        if item.message.kind is MessageKind.ALERTS
    ]


async def rows_of(stage: Stage, kind: TokenKind) -> dict[str, TokenRow]:
    """Read the status rows of one kind by the tokens' names."""
    return {row.token.name: row for row in await stage.token_rows() if row.token.kind is kind}


async def test_the_sample_tenant_gets_one_card_for_each_problem_it_has(
    open_stage: OpenStage,
) -> None:
    tenant = load_scenario("sample").tenant(MORNING)
    async with open_stage(tenant) as stage:
        await check(stage, MORNING)

        assert {problem for problem, _, _, _ in told(stage.posted)} == {
            Problem.ADE_TOKEN_EXPIRED,
            Problem.ADE_TOKEN_EXPIRING,
            Problem.ADE_TERMS_NOT_ACCEPTED,
            Problem.ADE_SYNC_FAILED,
            Problem.ADE_SYNC_STALE,
            Problem.PUSH_CERTIFICATE_EXPIRING,
            Problem.COULD_NOT_CHECK,
        }
        assert not stage.teams.failed_runs
        assert all(alert.was_told for alert in await stage.alert_rows() if not alert.silenced)


async def test_another_tick_on_the_same_day_reads_nothing_and_queues_nothing(
    open_stage: OpenStage,
) -> None:
    tenant = load_scenario("sample").tenant(MORNING)
    async with open_stage(tenant) as stage:
        await check(stage, MORNING)
        asked = len(stage.graph.requests)

        assert await check(stage, MORNING + timedelta(minutes=30)) == []
        assert len(stage.graph.requests) == asked


async def test_the_second_morning_tells_only_what_got_worse_and_what_was_renewed(
    open_stage: OpenStage,
) -> None:
    scenario = load_scenario("sample")
    tenant = scenario.tenant(MORNING)
    tenant.faults[GraphSource.VPP].clear()
    async with open_stage(tenant) as stage:
        await check(stage, MORNING)
        already = len(stage.posted)
        scenario.play("second-morning", tenant, MORNING + DAY)
        await check(stage, MORNING + DAY)

        news = told(stage.posted[already:])
        repeats = [item for item in news if item[1] is Reason.REMINDER]
        assert {item for item in news if item not in repeats} == {
            (None, Reason.FIXED, "", 1),
            (Problem.ADE_TOKEN_EXPIRING, Reason.WORSE, "7", 1),
        }
        assert {problem for problem, _, _, _ in repeats} == {
            Problem.ADE_TOKEN_EXPIRED,
            Problem.ADE_TERMS_NOT_ACCEPTED,
            Problem.VPP_TOKEN_INVALID,
        }


@pytest.mark.timeout(300)  # six thousand rows twice, on an emulator
async def test_the_largest_tenant_makes_one_card_for_each_pair_of_problem_and_stage(
    open_stage: OpenStage,
) -> None:
    tenant = large_tenant(MORNING, n_problems=3_000)
    async with open_stage(tenant) as stage:
        await check(stage, MORNING)

        rows, alerts = await stage.token_rows(), await stage.alert_rows()
        cards = told(stage.posted)
        assert len(rows) == 5_001
        assert len(cards) == 8
        assert sum(count for _, _, _, count in cards) == 3_000
        assert sum(alert.was_told and not alert.is_untold for alert in alerts) == 3_000
        assert not stage.teams.failed_runs
        assert await check(stage, MORNING + timedelta(hours=2)) == []


async def test_a_source_without_permission_hides_nothing_and_is_never_called_healthy(
    open_stage: OpenStage,
) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, MORNING, tokenName="Offices")
    tenant.add(GraphSource.VPP, MORNING, displayName="Apps")
    tenant.add(GraphSource.VPP, MORNING, displayName="Books", expirationDateTime="+1d 12h")
    tenant.add(GraphSource.PUSH, MORNING)
    async with open_stage(tenant) as stage:
        await check(stage, MORNING)
        before = await rows_of(stage, TokenKind.VPP)
        already = len(stage.posted)
        tenant.faults[GraphSource.VPP].always(faults.answer(403))
        tenant.change("Offices", MORNING, syncedDeviceCount=7)

        await check(stage, MORNING + DAY)
        day_one = told(stage.posted[already:])
        await check(stage, MORNING + 2 * DAY)

        after = await rows_of(stage, TokenKind.VPP)
        assert [
            row.token.device_count for row in (await rows_of(stage, TokenKind.ADE)).values()
        ] == [7]
        assert {row.token for row in after.values()} == {row.token for row in before.values()}
        assert {row.checked_at for row in after.values()} == {MORNING}
        assert {name: row.health for name, row in after.items()} == {
            "Apps": Health.UNKNOWN,
            "Books": Health.UNHEALTHY,
        }
        assert (Problem.COULD_NOT_CHECK, Reason.NEW, "critical", 1) in day_one
        assert "DeviceManagementServiceConfig.Read.All" in card_text(
            stage.posted, Problem.COULD_NOT_CHECK
        )
        assert "As of" in card_text(stage.posted, Problem.VPP_TOKEN_EXPIRED)


@pytest.mark.usefixtures("every_logger_at_debug")
async def test_planted_secrets_get_nowhere_even_if_graph_ignores_select(
    open_stage: OpenStage, azurite: Azurite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tenant = load_scenario("ignores-select").tenant(MORNING)
    assert any(PLANTED_SECRET in json.dumps(token) for token in tenant.objects(GraphSource.VPP))
    async with open_stage(tenant) as stage:
        bodies = await stage.tick(MORNING)
        await stage.deliver(MORNING + timedelta(minutes=1))
        tenant.change("Expiring iPads", MORNING, tokenExpirationDateTime="+365d")
        bodies += await stage.tick(MORNING + DAY)  # makes history, and the card of what was fixed
        tenant.faults[GraphSource.VPP].always(faults.answer(403, PLANTED_SECRET.encode()))
        tenant.faults[GraphSource.PUSH].always(faults.answer(200, f'["{PLANTED_SECRET}"'.encode()))
        bodies += await stage.tick(MORNING + 2 * DAY)  # errors that repeat a secret
        stage.teams.faults.always(faults.answer(400, stage.teams.webhook_url.encode()))
        failed = await stage.deliver(MORNING + 2 * DAY)
        cards = [item.run.payload.decode() for item in stage.posted]
        errors = ["".join(format_exception(each.error)) for each in failed if each.error]

    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        rows = {
            table: [repr(dict(row)) for row in tables.get_table_client(table).list_entities()]
            for table in (STATUS, ALERTS, HISTORY)
        }
    assert all([bodies, cards, errors, *rows.values()])
    for text in (*chain.from_iterable(rows.values()), *bodies, *cards, *errors, caplog.text):
        assert PLANTED_SECRET not in text


@pytest.mark.parametrize("secret", ["token", "certificate"])
def test_no_decoder_and_no_row_has_a_place_for_a_secret(secret: str) -> None:
    decoded = {
        field
        for struct in (
            wire.DepOnboardingSetting,
            wire.VppToken,
            wire.ApplePushNotificationCertificate,
        )
        for field in columns_of(struct)
    }
    columns = {name.lower() for row in (TokenRow, AlertRow) for name in columns_of(row)}

    assert secret not in decoded
    assert secret not in columns


def card_text(posted: list[Posted], problem: Problem) -> str:
    """Return the payload of the last card about a problem."""
    return [item for item in posted if item.message.problem is problem][-1].run.payload.decode()
