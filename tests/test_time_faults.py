"""Each check date has one check, whatever the timer and the clock do.

The app's own functions run on Azurite. The tenant's push certificate has expired, which is told on
every check date: a date that is left out is a missing card, and one taken twice is a second card.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from apple_tokens.model import Problem
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.stage import Stage
from sandbox.tenant import SimulatedTenant
from tests.survival import Promise, survives

pytestmark = pytest.mark.e2e

MINUTE, HALF_AN_HOUR, HOUR = (timedelta(minutes=number) for number in (1, 30, 60))


def at(*times: str) -> list[datetime]:
    """Return times of March 2026 in UTC, such as `02 08:00`."""
    return [datetime.fromisoformat(f"2026-03-{text}Z") for text in times]


def every_hour(begin: str, end: str) -> list[datetime]:
    """Return the ticks of an undisturbed timer from one time in UTC to another."""
    first, last = (datetime.fromisoformat(f"{text}Z") for text in (begin, end))
    return [first + number * HOUR for number in range((last - first) // HOUR + 1)]


@dataclass(frozen=True)
class Clock:
    """When the timer fires, and the check dates that must have a check each."""

    name: str
    ticks: list[datetime]
    dates: str
    """Of one month, by their days."""
    zone: str = "UTC"
    check_at: str = "08:00"

    def __str__(self) -> str:
        return self.name


def change(name: str, zone: str, check_at: str, ticks: list[datetime], dates: str) -> Clock:
    """Return a timer that is in order, where the clocks change."""
    return Clock(f"{name}: {check_at} in {zone}", ticks, dates, zone, check_at)


SPRING = every_hour("2026-03-28T00:00", "2026-03-30T08:00")
AUTUMN = every_hour("2026-10-24T00:00", "2026-10-26T08:00")
IN_MARCH = every_hour("2026-03-02T00:00", "2026-03-04T00:00")
CLOCKS = [
    Clock(
        "the timer fires some seconds early", at("02 08:00", "03 07:59:55", "03 08:29:55"), "2 3"
    ),
    Clock(
        "the timer fires twice in a row",
        at("02 08:00", "02 08:00", "03 08:00", "03 08:00:01"),
        "2 3",
    ),
    Clock("the timer is late by hours", at("02 14:00", "02 14:30", "03 08:00", "03 08:30"), "2 3"),
    Clock(
        "the timer does not fire for three days",
        at("02 08:00", "06 07:00", "06 07:30", "06 08:00"),
        "2 5 6",
    ),
    Clock(
        "the clock steps back by a minute",
        at("02 08:00", "03 08:00", "03 07:59", "03 08:30"),
        "2 3",
    ),
    Clock(
        "the clock steps back by an hour", at("02 08:00", "03 08:30", "03 07:30", "03 08:00"), "2 3"
    ),
    Clock(
        "the clock steps back by a day",
        at("02 08:00", "03 08:00", "02 08:00", "02 09:00", "03 09:00", "04 08:00"),
        "2 3 4",
    ),
    change("clocks go forward", "Europe/Berlin", "08:00", SPRING, "27 28 29 30"),
    change("clocks skip it", "Europe/Berlin", "02:30", SPRING, "27 28 29 30"),
    change("clocks go back", "Europe/Berlin", "08:00", AUTUMN, "23 24 25 26"),
    change("clocks show it twice", "Europe/Berlin", "02:30", AUTUMN, "23 24 25 26"),
    change("half an hour", "Asia/Kolkata", "08:00", IN_MARCH, "1 2 3"),
    change("three quarters", "Asia/Kathmandu", "08:15", IN_MARCH, "1 2 3"),
    change(
        "clocks go forward by half an hour",
        "Australia/Lord_Howe",
        "02:15",
        every_hour("2026-10-02T17:00", "2026-10-04T17:00"),
        "3 4 5",
    ),
    change(
        "clocks go back by half an hour",
        "Australia/Lord_Howe",
        "01:45",
        every_hour("2026-04-03T16:00", "2026-04-05T17:00"),
        "4 5 6",
    ),
    change(
        "three quarters and clocks skip it",
        "Pacific/Chatham",
        "02:50",
        every_hour("2026-09-25T15:00", "2026-09-27T15:00"),
        "26 27 28",
    ),
    change("the last zone", "Pacific/Kiritimati", "00:00", IN_MARCH, "2 3 4"),
]


def tenant_of(name: str, now: datetime) -> SimulatedTenant:
    tenant = SimulatedTenant(tenant_id=name)
    tenant.add(GraphSource.PUSH, now, expirationDateTime=now - timedelta(days=2))
    return tenant


AHEAD = Clock(
    "the clock is ten years ahead for an hour",
    [*at("02 08:00"), datetime(2036, 3, 15, 9, tzinfo=UTC), *at("02 10:00", "03 08:00")],
    "2 15 2 3",
)
"""The second is told once more: what was told in 2036 cannot be told apart from what was not."""


@survives(Promise.ON_TIME, Promise.NOT_TWICE, fault="Time: {clock}")
@pytest.mark.parametrize("clock", CLOCKS, ids=str)
async def test_each_check_date_has_one_check(
    clock: Clock, azurite: Azurite, happened: Callable[[str], None]
) -> None:
    happened(await lived_through(clock, azurite))


@survives(Promise.ON_TIME, fault=f"Time: {AHEAD}")
async def test_a_clock_that_was_far_ahead_silences_nothing(
    azurite: Azurite, happened: Callable[[str], None]
) -> None:
    happened(await lived_through(AHEAD, azurite))


async def lived_through(clock: Clock, azurite: Azurite) -> str:
    tenant = tenant_of(clock.name, clock.ticks[0])
    settings = {"TIME_ZONE": clock.zone, "CHECK_AT": clock.check_at}
    wanted, reads = [int(day) for day in clock.dates.split()], 0
    async with Stage(tenant, clock.ticks[0], azurite=azurite, settings=settings) as stage:
        for now in clock.ticks:
            await stage.tick(now)
            await stage.deliver(now)
            reads = len(stage.graph.requests_for(GraphSource.PUSH))
            assert reads <= len(wanted), f"{reads} checks for {len(wanted)} check dates"

    days = told_on(stage)
    assert reads == len(wanted), f"{reads} checks for {len(wanted)} check dates"
    assert days == wanted, f"told on {days} instead of {wanted}"
    return f"{len(clock.ticks)} ticks, {reads} checks, told on {', '.join(map(str, days))}"


def told_on(stage: Stage) -> list[int]:
    """Return the check dates of the push certificate's cards, in their order."""
    expired = Problem.PUSH_CERTIFICATE_EXPIRED
    cards = [posted.message for posted in stage.posted if posted.message.problem == expired]
    return [card.check_date.day for card in cards]


@survives(Promise.ON_TIME, Promise.NOT_TWICE, fault="Time: the timer fires twice at once")
async def test_two_checks_at_once_are_told_once(
    azurite: Azurite, happened: Callable[[str], None]
) -> None:
    mornings = at("02 08:00", "03 08:00")
    async with Stage(tenant_of("twice", mornings[0]), mornings[0], azurite=azurite) as stage:
        for now in mornings:
            await asyncio.gather(stage.tick(now), stage.tick(now))
            await stage.deliver(now)
            await stage.tick(now + HALF_AN_HOUR)
            await stage.deliver(now + HALF_AN_HOUR)
        reads = len(stage.graph.requests_for(GraphSource.PUSH))

    assert reads == 4, f"{reads} reads, two on each morning"
    assert told_on(stage) == [2, 3], f"told on {told_on(stage)} instead of [2, 3]"
    happened(f"{reads} reads, told on 2, 3")


STAGES = {
    "clocks go forward": ("2026-03-28T07:00", "2026-03-29T06:00", "2026-03-30T06:30"),
    "clocks go back": ("2026-10-24T06:00", "2026-10-25T07:00", "2026-10-26T07:01"),
}
"""The mornings at 08:00 in Berlin, and an expiry a little more than 24 h after the second."""


@survives(Promise.ON_TIME, fault="Time: {change} in the days before a token expires")
@pytest.mark.parametrize("change", STAGES)
async def test_days_left_are_counted_on_exact_time(
    change: str, azurite: Azurite, happened: Callable[[str], None]
) -> None:
    first, second, expiry = (datetime.fromisoformat(t).replace(tzinfo=UTC) for t in STAGES[change])
    tenant = SimulatedTenant(tenant_id=f"stages, {change}")
    tenant.add(GraphSource.ADE, first, tokenExpirationDateTime=expiry, tokenName="Schools")
    settings = {"TIME_ZONE": "Europe/Berlin"}
    async with Stage(tenant, first, azurite=azurite, settings=settings) as stage:
        told = [await stages_told(stage, now) for now in (first, second, expiry - MINUTE)]

    assert told == [["3"], [], ["1"]], f"told {told}: the last stage begins 24 h before the end"
    happened(f"told stage 3, and stage 1 only within 24 h of the end, which is at {expiry:%H:%M}")


async def stages_told(stage: Stage, now: datetime) -> list[str]:
    """Return the stages of the cards about expiry that one check brings about."""
    before = len(stage.posted)
    await stage.tick(now)
    await stage.deliver(now)
    expiring = Problem.ADE_TOKEN_EXPIRING
    new = [posted.message for posted in stage.posted[before:]]
    return [message.stage for message in new if message.problem == expiring]
