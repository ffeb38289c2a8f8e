"""What the channel hears after Teams, or the permission to read, was gone for days."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from apple_tokens.messages import MessageKind
from apple_tokens.model import Problem, Reason
from sandbox import graph_faults
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.stage import Posted, Stage
from sandbox.tenant import SimulatedTenant

pytestmark = [pytest.mark.e2e, pytest.mark.no_cover]

MORNING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)

Told = tuple[Problem | None, Reason | None, str]


@pytest.fixture
async def stage(azurite: Azurite, storage: str) -> AsyncIterator[Stage]:
    """Give a tenant with a healthy token of each kind, checked for the first time."""
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, MORNING, tokenName="Offices")
    tenant.add(GraphSource.ADE, MORNING, tokenName="Shops")
    tenant.add(GraphSource.VPP, MORNING, displayName="Apps", expirationDateTime="+8d 2h")
    tenant.add(GraphSource.PUSH, MORNING)
    async with Stage(tenant, MORNING, azurite=azurite) as opened:
        await live(opened, day=0)
        yield opened


async def live(stage: Stage, *, day: int) -> list[Posted]:
    """Let a day pass, every try of a delivery included; return the alert cards that were posted."""
    already = len(stage.posted)
    morning = MORNING + day * DAY
    stage.tenant.sync(morning)
    for tick in range(7):
        now = morning + tick * timedelta(minutes=30)
        await stage.tick(now)
        await stage.deliver(now)
        while (at := stage.host.next_delivery_at()) and at < now + timedelta(minutes=30):
            await stage.deliver(at)
    new = stage.posted[already:]
    return [item for item in new if item.message.kind is MessageKind.ALERTS]


def told(posted: list[Posted]) -> list[Told]:
    """Say what the cards were about."""
    return [(p.message.problem, p.message.reason, p.message.stage) for p in posted]


async def test_after_a_week_without_teams_what_is_still_wrong_is_told_once(stage: Stage) -> None:
    stage.teams.switched_on = False
    stage.tenant.change("Offices", MORNING, lastSyncErrorCode=3)
    stage.tenant.change("Shops", MORNING, tokenExpirationDateTime="+20d 2h")
    for day in range(1, 4):
        assert await live(stage, day=day) == []
    # One problem comes and goes while nobody can hear of it.
    stage.tenant.change("Offices", MORNING + 4 * DAY, lastSyncErrorCode=0)
    for day in range(4, 8):
        assert await live(stage, day=day) == []

    stage.teams.switched_on = True
    cards = await live(stage, day=8)
    quiet = await live(stage, day=9)

    assert sorted(told(cards), key=str) == sorted(
        [
            (Problem.VPP_TOKEN_EXPIRING, Reason.WORSE, "1"),
            (Problem.ADE_TOKEN_EXPIRING, Reason.NEW, "14"),
        ],
        key=str,
    )
    assert (Problem.ADE_TOKEN_EXPIRING, Reason.NEW, "14") not in told(quiet)
    assert all(problem is not Problem.ADE_TERMS_NOT_ACCEPTED for problem, _, _ in told(quiet))


async def test_the_card_that_was_lost_is_made_again_with_the_same_content(stage: Stage) -> None:
    stage.tenant.change("Offices", MORNING, lastSyncErrorCode=3)
    stage.host.lose_next = 1
    now = MORNING + DAY
    stage.tenant.sync(now)
    (lost,) = await stage.tick(now)
    assert await stage.deliver(now) == []

    (again,) = await stage.tick(now + timedelta(hours=1))
    await stage.deliver(now + timedelta(hours=1))

    assert again == lost
    assert told(stage.posted[-1:]) == [(Problem.ADE_TERMS_NOT_ACCEPTED, Reason.NEW, "critical")]


async def test_after_consent_was_lost_every_stage_and_the_expiry_are_still_told(
    stage: Stage,
) -> None:
    stage.tenant.faults[GraphSource.VPP].always(graph_faults.forbidden())

    cards = [card for day in range(1, 11) for card in await live(stage, day=day)]

    of_the_token = [card for card in cards if card.message.problem is not Problem.COULD_NOT_CHECK]
    assert told(of_the_token)[:4] == [
        (Problem.VPP_TOKEN_EXPIRING, Reason.WORSE, "7"),
        (Problem.VPP_TOKEN_EXPIRING, Reason.WORSE, "3"),
        (Problem.VPP_TOKEN_EXPIRING, Reason.WORSE, "1"),
        (Problem.VPP_TOKEN_EXPIRED, Reason.NEW, "critical"),
    ]
    assert all("As of" in card.run.payload.decode() for card in of_the_token)
