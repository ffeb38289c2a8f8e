"""Welcome and digest from the timer to the channel: each once, none lost, on real storage."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from apple_tokens.messages import MessageKind
from apple_tokens.model import Problem, Reason
from apple_tokens.operator_tables import Operator, OperatorTables
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.stage import Posted, Stage
from sandbox.tenant import SimulatedTenant
from tests.card_reading import text

pytestmark = pytest.mark.e2e

TUESDAY = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
"""The first check. Digests are due on Mondays."""
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MONDAY, NEXT_MONDAY = 6, 13
WELCOME, DIGEST, ALERTS = MessageKind.WELCOME, MessageKind.DIGEST, MessageKind.ALERTS

OpenStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def open_stage(azurite: Azurite, storage: str) -> OpenStage:
    """Give a stage on empty storage."""

    @asynccontextmanager
    async def opened(tenant: SimulatedTenant, **settings: str) -> AsyncIterator[Stage]:
        async with Stage(tenant, TUESDAY, azurite=azurite, settings=settings) as stage:
            yield stage

    return opened


def small_tenant() -> SimulatedTenant:
    """Make a healthy tenant with one token of each kind."""
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, TUESDAY, tokenName="Offices")
    tenant.add(GraphSource.VPP, TUESDAY, displayName="Apps")
    tenant.add(GraphSource.PUSH, TUESDAY)
    return tenant


async def check(stage: Stage, day: int, *, deliver: bool = True) -> list[Posted]:
    """Let the morning of a day come; return what was posted a minute later."""
    already, now = len(stage.posted), TUESDAY + day * DAY
    stage.tenant.sync(now)
    await stage.tick(now)
    if deliver:
        await stage.deliver(now + MINUTE)
    return stage.posted[already:]


async def digests(stage: Stage, days: Iterable[int]) -> list[int]:
    """Let the mornings of some days come; return those with a digest."""
    return [day for day in days if DIGEST in kinds(await check(stage, day))]


async def last_of(stage: Stage, days: Iterable[int]) -> list[Posted]:
    """Let the mornings of some days come; return what was posted on the last."""
    return [await check(stage, day) for day in days][-1]


def kinds(posted: list[Posted]) -> list[MessageKind]:
    """Say what the cards were for."""
    return [item.message.kind for item in posted]


def said(posted: list[Posted], kind: MessageKind) -> str:
    """Return the text of the only card of a kind."""
    (found,) = [item for item in posted if item.message.kind is kind]
    return text(json.loads(found.run.payload))


# ---- Welcome -------------------------------------------------------------------------------------


async def test_the_first_check_says_what_was_found_and_no_other_ever_does(
    open_stage: OpenStage,
) -> None:
    async with open_stage(small_tenant()) as stage:
        first = await check(stage, 0)
        later = [await check(stage, day) for day in (1, 2)]

        assert kinds(first) == [WELCOME]
        assert "Nothing is wrong with any of them." in said(first, WELCOME)
        assert later == [[], []]
        assert not stage.teams.failed_runs


async def test_a_redelivered_welcome_is_dropped(open_stage: OpenStage) -> None:
    async with open_stage(small_tenant()) as stage:
        (ticket,) = await stage.tick(TUESDAY)
        await stage.deliver(TUESDAY + MINUTE)
        await stage.host.send(ticket)
        await stage.deliver(TUESDAY + 2 * MINUTE)

        assert kinds(stage.posted) == [WELCOME]


async def test_a_lost_welcome_is_made_again_and_comes_once(open_stage: OpenStage) -> None:
    async with open_stage(small_tenant()) as stage:
        stage.host.lose_next = 1
        assert await check(stage, 0) == []
        now = TUESDAY + timedelta(minutes=90)
        await stage.tick(now)
        await stage.deliver(now)
        await check(stage, 1)

        assert kinds(stage.posted) == [WELCOME]


async def test_the_welcome_tells_alone_what_has_been_expired_for_long(
    open_stage: OpenStage,
) -> None:
    tenant = small_tenant()
    for number in range(12):
        tenant.add(
            GraphSource.VPP,
            TUESDAY,
            displayName=f"Old {number:02}",
            expirationDateTime=f"-{40 + number}d",
        )
    tenant.add(GraphSource.VPP, TUESDAY, displayName="Fresh", expirationDateTime="-2d")
    async with open_stage(tenant) as stage:
        first = await check(stage, 0)
        alerts = [a for a in await stage.alert_rows() if a.problem is Problem.VPP_TOKEN_EXPIRED]
        second = await check(stage, 1)

        assert sorted(kinds(first)) == [ALERTS, WELCOME]
        welcome = said(first, WELCOME)
        assert "12 tokens expired more than 30 days ago" in welcome
        assert "python -m admin snooze TOKEN" in welcome
        assert "Old 11" in welcome
        assert "Fresh" in said(first, ALERTS)
        assert "Old" not in said(first, ALERTS)
        assert [(a.told_step, a.told_reason) for a in alerts] == [(1, Reason.NEW)] * 13
        assert {a.told_check_date for a in alerts} == {date(2026, 12, 1)}
        assert [(p.message.reason, p.message.count) for p in second] == [(Reason.REMINDER, 13)]


async def test_a_source_that_cannot_be_read_is_in_the_welcome(open_stage: OpenStage) -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.VPP].always(faults.answer(403))
    async with open_stage(tenant) as stage:
        welcome = said(await check(stage, 0), WELCOME)

        assert "• VPP tokens · Permission is missing · Last checked: never" in welcome
        assert "Nothing is wrong" not in welcome


# ---- Digest --------------------------------------------------------------------------------------


async def test_the_digest_comes_every_week_also_when_nothing_is_wrong(
    open_stage: OpenStage,
) -> None:
    async with open_stage(small_tenant()) as stage:
        assert await digests(stage, range(NEXT_MONDAY + 1)) == [MONDAY, NEXT_MONDAY]
        cards = [item for item in stage.posted if item.message.kind is DIGEST]

        assert [item.message.batch for item in cards] == ["digest 1", "digest 2"]
        assert all("nothing is wrong" in said([item], DIGEST) for item in cards)
        assert not stage.teams.failed_runs


async def test_a_digest_of_a_missed_day_is_caught_up_and_the_next_is_on_its_day(
    open_stage: OpenStage,
) -> None:
    async with open_stage(small_tenant()) as stage:
        checked = [*range(MONDAY), *range(MONDAY + 2, NEXT_MONDAY + 1)]

        assert await digests(stage, checked) == [MONDAY + 2, NEXT_MONDAY]


async def test_a_digest_comes_on_the_weekday_that_is_set(open_stage: OpenStage) -> None:
    async with open_stage(small_tenant(), DIGEST_WEEKDAY="thursday") as stage:
        assert await digests(stage, range(10)) == [2, 9]


async def test_two_tickets_of_one_digest_make_one_card(open_stage: OpenStage) -> None:
    async with open_stage(small_tenant()) as stage:
        await digests(stage, range(MONDAY))
        await check(stage, MONDAY, deliver=False)
        (again,) = await stage.tick(TUESDAY + (MONDAY + 1) * DAY)
        late = TUESDAY + (MONDAY + 1) * DAY
        await stage.deliver(late)
        await stage.host.send(again)
        await stage.deliver(late + MINUTE)

        assert kinds(stage.posted).count(DIGEST) == 1
        run = (await stage.tables.run_rows()).run
        assert (run.digest_step, run.digest_told_step) == (1, 1)


async def test_a_late_ticket_of_an_older_digest_takes_nothing_back(open_stage: OpenStage) -> None:
    async with open_stage(small_tenant()) as stage:
        await digests(stage, range(MONDAY))
        (old,) = await stage.tick(TUESDAY + MONDAY * DAY)
        await stage.deliver(TUESDAY + MONDAY * DAY)
        await digests(stage, range(MONDAY + 1, NEXT_MONDAY + 1))
        before = (await stage.tables.run_rows()).run
        posted = len(stage.posted)
        await stage.host.send(old)
        await stage.deliver(TUESDAY + NEXT_MONDAY * DAY + timedelta(hours=1))

        assert len(stage.posted) == posted
        assert (await stage.tables.run_rows()).run == before
        assert before.digest_told_step == 2


async def test_a_digest_that_teams_refused_comes_with_the_next_check(
    open_stage: OpenStage,
) -> None:
    async with open_stage(small_tenant()) as stage:
        await digests(stage, range(MONDAY))
        stage.teams.switched_on = False
        await check(stage, MONDAY)
        stage.teams.switched_on = True

        assert kinds(await check(stage, MONDAY + 1)) == [DIGEST]
        assert await digests(stage, range(MONDAY + 2, NEXT_MONDAY + 1)) == [NEXT_MONDAY]


async def test_what_the_cards_no_longer_repeat_stands_in_the_digest(
    open_stage: OpenStage,
) -> None:
    tenant = small_tenant()
    tenant.add(GraphSource.ADE, TUESDAY, tokenName="Kiosks", tokenExpirationDateTime="-2d")
    async with open_stage(tenant) as stage:
        posted = await last_of(stage, range(NEXT_MONDAY + 8))

        assert kinds(posted) == [DIGEST]
        digest = said(posted, DIGEST)
        assert "Weekly overview: 1 open problem" in digest
        assert "• Kiosks · 2026-11-29 (expired 22 days ago)" in digest


async def test_a_snoozed_problem_and_a_new_token_stand_in_the_digest(
    open_stage: OpenStage,
) -> None:
    tenant = small_tenant()
    tenant.add(GraphSource.VPP, TUESDAY, displayName="Old", expirationDateTime="-40d")
    async with open_stage(tenant) as stage:
        await check(stage, 0)
        await check(stage, 1)
        (alert,) = [a for a in await stage.alert_rows() if not a.silenced]
        await OperatorTables(stage.service, tenant.tenant_id).snooze(
            alert,
            TUESDAY + 30 * DAY,
            Operator(name="operator@contoso.example", at=TUESDAY + DAY, reason="Closing"),
        )
        tenant.add(GraphSource.ADE, TUESDAY + 2 * DAY, tokenName="Shops")
        digest = said(await last_of(stage, range(2, MONDAY + 1)), DIGEST)

        assert "Weekly overview: no open problems" in digest
        assert "Snoozed until: 2026-12-31 (UTC)" in digest
        assert "Snoozed by: operator@contoso.example · Reason for the snooze: Closing" in digest
        assert "New since the last overview\n• Shops · ADE token" in digest


async def test_a_digest_is_no_all_clear_while_a_source_cannot_be_read(
    open_stage: OpenStage,
) -> None:
    tenant = small_tenant()
    async with open_stage(tenant) as stage:
        await check(stage, 0)
        tenant.faults[GraphSource.VPP].always(faults.answer(403))
        digest = said(await last_of(stage, range(1, MONDAY + 1)), DIGEST)

        assert "Weekly overview: not everything could be checked" in digest
        assert "• VPP tokens · Permission is missing · Last checked: 2026-12-01 08:00" in digest
        assert "as of 2026-12-01" in digest
        assert "nothing is wrong" not in digest
