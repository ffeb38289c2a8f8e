"""Operators snooze an alert: the real check keeps quiet, and speaks again when it must."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from admin.command import CommandError
from apple_tokens.messages import MessageKind
from apple_tokens.model import Problem, Reason, TokenKind
from apple_tokens.operator_tables import GoneError, Operator, OperatorTables
from apple_tokens.rows import AlertRow
from apple_tokens.tables import ALERTS, STATUS
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource
from sandbox.stage import Stage
from sandbox.storage_proxy import StorageProxy
from sandbox.tenant import SimulatedTenant
from tests.admin_desk import type_in

pytestmark = pytest.mark.e2e

MORNING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BECAUSE = ("--reason", "the shop is being rebuilt")

Entities = dict[str, dict[str, dict[str, Any]]]


@asynccontextmanager
async def a_stage(azurite: Azurite, *tokens: dict[str, object]) -> AsyncIterator[Stage]:
    """Open a stage with ADE tokens of which the first check is over."""
    tenant = SimulatedTenant()
    for token in tokens:
        tenant.add(GraphSource.ADE, MORNING, **token)  # type: ignore[arg-type]
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await morning(stage, 0)
        yield stage


EXPIRED: dict[str, object] = {"tokenName": "Shops", "tokenExpirationDateTime": "-2d"}


async def order(stage: Stage, *words: str, after: float = 0.1, **more: str) -> str:
    """Type a command so many days after the first morning."""
    now = MORNING + after * DAY
    return (await type_in(list(words), stage.environment | more, now)).text


async def morning(stage: Stage, number: int) -> list[tuple[Problem | None, Reason | None]]:
    """Let a morning's check run and its cards be posted; return what they were about."""
    now = MORNING + number * DAY
    already = len(stage.posted)
    stage.tenant.sync(now)
    await stage.tick(now)
    await stage.deliver(now + timedelta(minutes=1))
    return [
        (posted.message.problem, posted.message.reason)
        for posted in stage.posted[already:]
        if posted.message.kind is MessageKind.ALERTS
    ]


async def the_alert(stage: Stage) -> AlertRow:
    (row,) = (row for row in await stage.alert_rows() if row.ended_at is None and not row.silenced)
    return row


async def entities(stage: Stage) -> Entities:
    """Read both tables as they stand in storage."""
    return {
        table: {
            entity["RowKey"]: dict(entity)
            async for entity in stage.service.get_table_client(table).list_entities()
        }
        for table in (ALERTS, STATUS)
    }


def changes(before: Entities, after: Entities) -> dict[str, set[str]]:
    """Return which columns of which rows changed, came or went."""
    found = dict[str, set[str]]()
    for table in (ALERTS, STATUS):
        assert before[table].keys() == after[table].keys()
        for key, new in after[table].items():
            old = before[table][key]
            if names := {n for n in old.keys() | new.keys() if old.get(n) != new.get(n)}:
                found[key] = names
    return found


async def test_a_snoozed_alert_is_silent_until_its_date_and_told_again_on_it(
    azurite: Azurite, storage: str
) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        assert await morning(stage, 1) == [(Problem.ADE_TOKEN_EXPIRED, Reason.REMINDER)]

        said = await order(stage, "snooze", "Shops", "--until", "2026-12-05", *BECAUSE, after=1.1)

        assert said == (
            "ADE token Shops: ade_token_expired is not told before 2026-12-05 00:00 UTC, unless "
            "its severity rises. The weekly digest lists it as snoozed."
        )
        assert [await morning(stage, number) for number in (2, 3)] == [[], []]
        assert await morning(stage, 4) == [(Problem.ADE_TOKEN_EXPIRED, Reason.REMINDER)]


async def test_a_snooze_ends_when_the_severity_rises(azurite: Azurite, storage: str) -> None:
    expiring: dict[str, object] = {"tokenName": "Shops", "tokenExpirationDateTime": "+9d 4h"}
    async with a_stage(azurite, expiring) as stage:
        await order(stage, "snooze", "Shops", "--until", "2026-12-30", *BECAUSE)

        assert [await morning(stage, number) for number in (1, 2)] == [[], []]
        assert await morning(stage, 3) == [(Problem.ADE_TOKEN_EXPIRING, Reason.WORSE)]
        assert await order(stage, "snoozes", after=3.1) == "Nothing is snoozed."


async def test_a_snooze_ends_with_its_alert(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        await order(stage, "snooze", "Shops", "--until", "2026-12-30", *BECAUSE)
        stage.tenant.renew("Shops", MORNING + DAY)
        assert await morning(stage, 1) == [(None, Reason.FIXED)]

        stage.tenant.change("Shops", MORNING + 2 * DAY, tokenExpirationDateTime="-1d")

        assert await morning(stage, 2) == [(Problem.ADE_TOKEN_EXPIRED, Reason.AGAIN)]


async def test_unsnooze_has_it_told_by_the_next_check(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        await order(stage, "snooze", "Shops", "--until", "2026-12-30", *BECAUSE)
        assert await morning(stage, 1) == []

        said = await order(stage, "unsnooze", "Shops", after=1.1)

        assert said == "ADE token Shops: ade_token_expired is told again by the next check."
        assert await morning(stage, 2) == [(Problem.ADE_TOKEN_EXPIRED, Reason.REMINDER)]
        row = await the_alert(stage)
        assert (row.snoozed_until, row.snooze_reason, row.snoozed_by) == (None, "", "")


async def test_who_when_and_why_are_kept_and_listed(
    azurite: Azurite, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "aya")
    other: dict[str, object] = {"tokenName": "Offices", "tokenExpirationDateTime": "-3d"}
    async with a_stage(azurite, EXPIRED, other) as stage:
        await order(stage, "snooze", "Shops", "--until", "2026-12-30", "--reason", " rebuilt\x1b ")
        await order(stage, "snooze", "Offices", "--until", "2026-12-20", "--reason", "closed")

        listed = await order(stage, "snoozes", after=1)
        (shops,) = (row for row in await stage.alert_rows() if "rebuilt" in row.snooze_reason)

    assert listed.splitlines() == [
        "Until       Token              Problem            By   Since       Reason",
        "2026-12-20  ADE token Offices  ade_token_expired  aya  2026-12-01  closed",
        "2026-12-30  ADE token Shops    ade_token_expired  aya  2026-12-01  rebuilt",
    ]
    assert (shops.snoozed_by, shops.snoozed_at) == ("aya", MORNING + 0.1 * DAY)


async def test_the_date_is_a_day_of_the_time_zone(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        said = await order(
            stage, "snooze", "Shops", "--until", "2026-12-05", *BECAUSE, TIME_ZONE="Asia/Tokyo"
        )
        listed = await order(stage, "snoozes", TIME_ZONE="Asia/Tokyo")

        assert "2026-12-05 00:00 JST" in said
        assert (await the_alert(stage)).snoozed_until == datetime(2026, 12, 4, 15, tzinfo=UTC)
        assert "2026-12-05" in listed


async def test_nothing_is_listed_where_nothing_is_snoozed(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        assert await order(stage, "snoozes") == "Nothing is snoozed."


@pytest.mark.parametrize("command", ["snooze", "unsnooze"])
async def test_only_the_operators_columns_of_one_alert_change(
    command: str, azurite: Azurite, storage: str
) -> None:
    other: dict[str, object] = {"tokenName": "Offices", "tokenExpirationDateTime": "-3d"}
    async with a_stage(azurite, EXPIRED, other) as stage:
        snooze = ("snooze", "Shops", "--until", "2026-12-30", *BECAUSE)
        if command == "unsnooze":
            await order(stage, *snooze)
        before = await entities(stage)

        await order(stage, *(snooze if command == "snooze" else ("unsnooze", "Shops")), after=0.2)

        (row,) = changes(before, await entities(stage)).values()
    assert row == AlertRow.OPERATOR_COLUMNS


async def test_what_others_wrote_meanwhile_is_not_put_back(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        read_before = await the_alert(stage)
        await stage.tables.write_alerts([replace(read_before, stage="worse", step=9)])

        orders = OperatorTables(stage.service, stage.tenant.tenant_id)
        operator = Operator(name="aya", at=MORNING, reason="rebuilt")
        await orders.snooze(read_before, MORNING + 7 * DAY, operator)

        after = await the_alert(stage)
    assert (after.stage, after.step, after.snoozed_by) == ("worse", 9, "aya")


async def test_a_problem_is_named_where_a_token_has_several(azurite: Azurite, storage: str) -> None:
    both: dict[str, object] = {
        "tokenName": "Shops",
        "tokenExpirationDateTime": "+20d",
        "lastSyncErrorCode": 3,
    }
    async with a_stage(azurite, both) as stage:
        with pytest.raises(CommandError, match="has 2 open alerts, name one with --problem"):
            await order(stage, "snooze", "Shops", "--until", "2026-12-30", *BECAUSE)

        await order(
            stage,
            *("snooze", "Shops", "--problem", "ade_token_expiring", "--until", "2026-12-30"),
            *BECAUSE,
        )

        assert await morning(stage, 1) == [(Problem.ADE_TERMS_NOT_ACCEPTED, Reason.REMINDER)]


async def test_tokens_of_the_same_name_are_told_apart_by_their_ids(
    azurite: Azurite, storage: str
) -> None:
    async with a_stage(azurite, EXPIRED, EXPIRED) as stage:
        with pytest.raises(CommandError) as error:
            await order(stage, "snooze", "Shops", "--until", "2026-12-30", *BECAUSE)
        first, second = (row.token.id for row in await stage.token_rows())

        assert f"ade_token.{first} (Shops)" in str(error.value)
        assert f"ade_token.{second} (Shops)" in str(error.value)
        await order(stage, "snooze", second, "--until", "2026-12-30", *BECAUSE)
        snoozed = [row.token_id for row in await stage.alert_rows() if row.snoozed_until]
        assert snoozed == [second]


async def test_the_push_certificate_is_never_snoozed(azurite: Azurite, storage: str) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.PUSH, MORNING, expirationDateTime="-1d")
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await morning(stage, 0)
        with pytest.raises(CommandError, match="the push certificate cannot be snoozed"):
            await order(stage, "snooze", "apns", "--until", "2026-12-30", *BECAUSE)

        assert await morning(stage, 1) == [(Problem.PUSH_CERTIFICATE_EXPIRED, Reason.REMINDER)]


@pytest.mark.parametrize(
    "words,said",
    [
        (("--until", "2027-03-02", *BECAUSE), "at most 90 days ahead, 2027-03-01 or earlier"),
        (("--until", "2026-12-01", *BECAUSE), "use a later date"),
        (("--until", "2026-12-30", "--reason", " \t "), "--reason is empty"),
        (("--until", "2026-12-30", "--reason", "x" * 501), "--reason has 501 characters"),
    ],
    ids=["91 days", "today", "no reason", "a long reason"],
)
async def test_what_is_refused_changes_nothing(
    words: tuple[str, ...], said: str, azurite: Azurite, storage: str
) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        before = await entities(stage)
        with pytest.raises(CommandError, match=said):
            await order(stage, "snooze", "Shops", *words)

        assert changes(before, await entities(stage)) == {}


async def test_a_snooze_of_90_days_with_a_reason_of_500_characters_is_taken(
    azurite: Azurite, storage: str
) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        await order(stage, "snooze", "Shops", "--until", "2027-03-01", "--reason", "x" * 500)

        assert (await the_alert(stage)).snooze_reason == "x" * 500


async def test_what_is_not_snoozed_cannot_be_unsnoozed(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        with pytest.raises(CommandError, match="ADE token Shops has no snoozed alert"):
            await order(stage, "unsnooze", "Shops")


async def test_an_alert_that_is_gone_meanwhile_is_not_made_anew(
    azurite: Azurite, storage: str
) -> None:
    async with a_stage(azurite, EXPIRED) as stage, StorageProxy(azurite) as proxy:
        alerts = stage.service.get_table_client(ALERTS)

        async def forget(_: web.BaseRequest, read: web.Response) -> web.StreamResponse:
            async for entity in alerts.list_entities():
                await alerts.delete_entity(entity)
            return read

        # The command reads the tokens, then the alerts.
        proxy.table.after.once(faults.healthy(), Fault("alerts are forgotten", forget))
        with pytest.raises(GoneError, match="tokenalerts has no row ade_token"):
            await order(
                stage,
                *("snooze", "Shops", "--until", "2026-12-30"),
                *BECAUSE,
                AzureWebJobsStorage=proxy.connection_string,
            )

        assert await stage.alert_rows() == []


async def test_a_desk_whose_clock_is_slow_snoozes_all_the_same(
    azurite: Azurite, storage: str
) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        await order(stage, "snooze", "Shops", "--until", "2026-12-03", *BECAUSE, after=-0.001)

        assert await morning(stage, 1) == []
        assert await morning(stage, 2) == [(Problem.ADE_TOKEN_EXPIRED, Reason.REMINDER)]


async def test_kinds_are_kept_apart(azurite: Azurite, storage: str) -> None:
    async with a_stage(azurite, EXPIRED) as stage:
        stage.tenant.add(
            GraphSource.VPP, MORNING, displayName="Apps", expirationDateTime="-1d", state="expired"
        )
        await morning(stage, 1)
        await order(stage, "snooze", "Apps", "--until", "2026-12-30", *BECAUSE, after=1.1)

        snoozed = [row.kind for row in await stage.alert_rows() if row.snoozed_until]
        assert snoozed == [TokenKind.VPP]
        assert await morning(stage, 2) == [(Problem.ADE_TOKEN_EXPIRED, Reason.REMINDER)]
