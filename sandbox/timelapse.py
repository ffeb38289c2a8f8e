"""Play sixty mornings in seconds, and say day by day what happened and what was posted."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from sandbox import sixty_days
from sandbox.azurite import Azurite
from sandbox.captions import caption
from sandbox.stage import Posted, Stage

DAYS = 60
"""The length of the story."""
_TICK = timedelta(minutes=30)
_TICKS_A_DAY = 8
"""From 08:00 to half past eleven: six tries, and the hour until untold alerts go out again."""
_MOST_DELAY = timedelta(minutes=20)
_LEAST_DELAY = timedelta(seconds=40)


class DayReport(Struct, frozen=True, kw_only=True):
    """One day of the time-lapse."""

    number: int
    day: date
    about: str
    posted: tuple[Posted, ...]


def settings() -> dict[str, str]:
    """Return the settings of the app in the time-lapse."""
    return {"TENANT_NAME": "Contoso", "TIME_ZONE": sixty_days.ZONE}


async def play_days(stage: Stage, days: int) -> AsyncIterator[DayReport]:
    """Play days of the story one after the other."""
    for number in range(1, days + 1):
        yield await _play_day(stage, number)


def mornings(number: int) -> datetime:
    """Return 08:00 in the story's time zone on a day, as UTC."""
    zone = ZoneInfo(sixty_days.ZONE)
    first = sixty_days.FIRST_MORNING.astimezone(zone)
    local = datetime.combine(first.date() + timedelta(days=number - 1), first.time(), zone)
    return local.astimezone(UTC)


async def _play_day(stage: Stage, number: int) -> DayReport:
    morning = mornings(number)
    already = len(stage.posted)
    about = await sixty_days.play(number, stage, morning)
    if number not in sixty_days.MISSED_DAYS:
        for tick in range(_TICKS_A_DAY):
            now = morning + tick * _TICK
            if sixty_days.SHORT_OUTAGE.get(number) == tick:
                await sixty_days.heal(stage, now)
            stage.host.delay = _delay(number, tick)
            await stage.tick(now)
            await _deliver_until(stage, now + _TICK)
    return DayReport(
        number=number, day=morning.date(), about=about, posted=tuple(stage.posted[already:])
    )


async def _deliver_until(stage: Stage, end: datetime) -> None:
    """Deliver what becomes visible before `end`, tries after failures included."""
    while (at := stage.host.next_delivery_at()) is not None and at < end:
        await stage.deliver(at)


def _delay(number: int, tick: int) -> timedelta:
    """Return how long messages take: anything from 40 seconds to 20 minutes."""
    span_s = int((_MOST_DELAY - _LEAST_DELAY).total_seconds())
    return _LEAST_DELAY + timedelta(seconds=(number * 977 + tick * 131) % (span_s + 1))


def as_table(reports: list[DayReport]) -> str:
    """Return the days on which something happened or was posted as a Markdown table."""
    lines = ["| Day | Date | What happens | Posted, and why |", "|---|---|---|---|"]
    for report in reports:
        if report.about or report.posted:
            posted = "<br>".join(_described(item) for item in report.posted)
            lines.append(f"| {report.number} | {report.day} | {report.about} | {posted} |")
    return "\n".join(lines)


def _described(item: Posted) -> str:
    what, why, names = caption(item)
    return f"{what}: {why}{f' ({names})' if names else ''}"


async def play_all(azurite: Azurite, days: int) -> tuple[list[DayReport], list[Posted]]:
    """Play the story on a fresh stage and return its days and everything that was posted."""
    first = mornings(1)
    tenant = sixty_days.build_tenant(first)
    async with Stage(tenant, first, azurite=azurite, settings=settings()) as stage:
        reports = [report async for report in play_days(stage, days)]
        return reports, stage.posted
