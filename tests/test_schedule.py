"""When to check: check dates in every kind of time zone, tries, requests, and what mends itself."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from apple_tokens.model import TokenKind
from apple_tokens.rows import RunRow, RunRows, SourceRow
from check_tokens.policy import Policy
from check_tokens.schedule import MAX_TRIES, check_date, due, starts_at, tries_so_far
from tests.builders import DAY, HOUR, NOW, SECOND

ALL = tuple(TokenKind)
ADE = TokenKind.ADE
TICK = timedelta(minutes=30)


def policy(zone: str = "UTC", check_at: str = "08:00") -> Policy:
    return Policy(time_zone=ZoneInfo(zone), check_at=time.fromisoformat(check_at))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rows(run: RunRow | None = None, **source: object) -> RunRows:
    """Return the rows of three sources that are alike."""
    sources = {kind: replace(SourceRow(kind=kind), **source) for kind in TokenKind}
    return RunRows(run=run or RunRow(), sources=sources)


# --- Check dates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "past,day",
    [
        (-SECOND, date(2026, 3, 1)),
        (timedelta(0), date(2026, 3, 2)),
        (SECOND, date(2026, 3, 2)),
        (DAY - SECOND, date(2026, 3, 2)),
        (DAY, date(2026, 3, 3)),
    ],
    ids=str,
)
def test_a_check_date_begins_at_check_at(past: timedelta, day: date) -> None:
    assert check_date(NOW + past, policy()) == day


@pytest.mark.parametrize(
    "zone,check_at,begins",
    [
        ("UTC", "08:00", "2026-03-02T08:00"),
        ("Europe/Berlin", "08:00", "2026-03-02T07:00"),
        ("America/New_York", "08:00", "2026-03-02T13:00"),
        ("Asia/Tokyo", "08:00", "2026-03-01T23:00"),
        ("Asia/Kathmandu", "08:00", "2026-03-02T02:15"),
        ("Australia/Lord_Howe", "08:00", "2026-03-01T21:00"),
        ("Pacific/Kiritimati", "00:00", "2026-03-01T10:00"),
        ("Pacific/Pago_Pago", "23:59", "2026-03-03T10:59"),
    ],
)
def test_a_check_date_is_a_date_where_the_tenant_is(zone: str, check_at: str, begins: str) -> None:
    where, begin = policy(zone, check_at), utc(begins)

    assert starts_at(date(2026, 3, 2), where) == begin
    assert starts_at(date(2026, 3, 2), where).tzinfo is UTC
    assert check_date(begin - SECOND, where) == date(2026, 3, 1)
    assert check_date(begin, where) == date(2026, 3, 2)
    assert check_date(begin + SECOND, where) == date(2026, 3, 2)


@pytest.mark.parametrize(
    "zone,check_at,day,begins",
    [
        # Clocks go on from 02:00 to 03:00: half past two is an hour late, half past three not.
        ("Europe/Berlin", "02:30", date(2026, 3, 29), "2026-03-29T01:30"),
        ("Europe/Berlin", "03:30", date(2026, 3, 29), "2026-03-29T01:30"),
        ("Europe/Berlin", "08:00", date(2026, 3, 29), "2026-03-29T06:00"),
        ("America/New_York", "02:30", date(2026, 3, 8), "2026-03-08T07:30"),
        # Clocks go on by half an hour there: a quarter past two is a quarter to three.
        ("Australia/Lord_Howe", "02:15", date(2026, 10, 4), "2026-10-03T15:45"),
        # Midnight itself is skipped.
        ("Asia/Beirut", "00:15", date(2026, 3, 29), "2026-03-28T22:15"),
        # Clocks go back from 03:00 to 02:00: half past two comes twice, the first counts.
        ("Europe/Berlin", "02:30", date(2026, 10, 25), "2026-10-25T00:30"),
        ("Europe/Berlin", "08:00", date(2026, 10, 25), "2026-10-25T07:00"),
        ("America/New_York", "01:30", date(2026, 11, 1), "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "01:45", date(2026, 4, 5), "2026-04-04T14:45"),
        # Clocks go back over midnight, so the evening before comes twice.
        ("Africa/Cairo", "23:30", date(2026, 10, 29), "2026-10-29T20:30"),
        ("Africa/Cairo", "00:00", date(2026, 10, 30), "2026-10-29T22:00"),
    ],
)
def test_a_check_at_that_the_clocks_skip_or_show_twice_begins_one_check_date(
    zone: str, check_at: str, day: date, begins: str
) -> None:
    where, begin = policy(zone, check_at), utc(begins)

    assert starts_at(day, where) == begin
    assert check_date(begin - SECOND, where) == day - DAY
    assert check_date(begin, where) == day
    assert check_date(begin + SECOND, where) == day
    # The same instants as clocks there show them, an hour of which may come twice.
    for instant in (begin + number * TICK for number in range(-6, 6)):
        local = instant.astimezone(where.time_zone)
        assert check_date(local, where) == (day if instant >= begin else day - DAY)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("instant", [datetime.min, datetime.max], ids=str)  # noqa: DTZ901 -- below
def test_the_ends_of_the_calendar_have_a_check_date_too(zone: str, instant: datetime) -> None:
    # They come from a cell that somebody edited, and must not stop the check.
    edited = instant.replace(tzinfo=UTC)

    assert abs(check_date(edited, policy(zone)) - instant.date()) <= DAY
    assert due(NOW, rows(settled_at=edited), policy(zone)).sources == ALL


# Zones that leave out a whole day (Apia in 2011, Kwajalein in 1993) did so long ago.
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 -- the bounds are naive by contract
ZONES = st.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime"}))
CLOCKS = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@given(instant=INSTANTS, zone=ZONES, check_at=CLOCKS)
def test_every_instant_lies_in_its_check_date_wherever_and_whenever(
    instant: datetime, zone: str, check_at: time
) -> None:
    where = Policy(time_zone=ZoneInfo(zone), check_at=check_at)

    day = check_date(instant, where)

    assert starts_at(day, where) <= instant < starts_at(day + DAY, where)


@given(instant=INSTANTS, zone=ZONES, check_at=CLOCKS)
def test_a_check_date_is_about_a_day_long(instant: datetime, zone: str, check_at: time) -> None:
    where = Policy(time_zone=ZoneInfo(zone), check_at=check_at)
    day = check_date(instant, where)

    length = starts_at(day + DAY, where) - starts_at(day, where)

    assert 21 * HOUR <= length <= 27 * HOUR


# --- What is due --------------------------------------------------------------------------------


def test_at_first_all_sources_are_due() -> None:
    todo = due(NOW, RunRows(), policy())

    assert todo.sources == ALL
    assert todo.check_date == NOW.date()
    assert not todo.requeue


@pytest.mark.parametrize(
    "settled,is_due",
    [
        (NOW - DAY, True),
        (NOW - SECOND, True),
        (NOW, False),
        (NOW + SECOND, False),
        (NOW + TICK, False),
    ],
    ids=str,
)
def test_a_source_is_due_until_it_is_settled_in_the_present_check_date(
    settled: datetime, *, is_due: bool
) -> None:
    todo = due(NOW + TICK, rows(settled_at=settled), policy())

    assert todo.sources == (ALL if is_due else ())
    assert bool(todo) is is_due


def test_sources_are_settled_one_by_one() -> None:
    known = rows(settled_at=NOW)
    known = known.replace(known.run, {ADE: SourceRow(kind=ADE, settled_at=NOW - DAY)})

    assert due(NOW + TICK, known, policy()).sources == (ADE,)
    assert due(
        NOW + TICK, RunRows(sources={ADE: known.source(TokenKind.VPP)}), policy()
    ).sources == (
        TokenKind.VPP,
        TokenKind.PUSH,
    )


@pytest.mark.parametrize("begin", ["2026-03-01T00:00", "2026-10-01T00:00"])
@pytest.mark.parametrize(
    "zone,check_at",
    [
        ("UTC", "08:00"),
        ("Europe/Berlin", "02:30"),
        ("America/New_York", "01:45"),
        ("Asia/Kathmandu", "23:59"),
        ("Australia/Lord_Howe", "02:15"),
        ("Africa/Cairo", "00:00"),
    ],
)
def test_every_date_is_checked_once_at_the_first_tick_after_check_at(
    zone: str, check_at: str, begin: str
) -> None:
    where = policy(zone, check_at)
    now = utc(begin)
    known, checked = rows(settled_at=now), [check_date(now, where)]

    for _ in range(45 * 48):
        now += TICK
        todo = due(now, known, where)
        if todo.sources:
            assert now - starts_at(todo.check_date, where) < TICK
            checked.append(todo.check_date)
            known = rows(settled_at=now)

    assert checked == [checked[0] + number * DAY for number in range(46)]


@pytest.mark.parametrize("down", [5 * HOUR, DAY - SECOND, 9 * DAY], ids=str)
def test_ticks_that_were_missed_are_made_up_for_by_the_next_one(down: timedelta) -> None:
    todo = due(NOW + DAY + down, rows(settled_at=NOW), policy())

    assert todo.sources == ALL
    assert todo.check_date == date(2026, 3, 3) + down.days * DAY


def test_a_setting_that_changes_makes_a_check_due_or_not_by_what_it_is_now() -> None:
    known = rows(settled_at=NOW)
    later = NOW + 10 * HOUR

    assert not due(later, known, policy())
    assert due(later, known, policy(check_at="16:00")).sources == ALL
    assert not due(later, known, policy(check_at="20:00"))
    assert due(later, known, policy("Pacific/Kiritimati")).sources == ALL


# --- A clock that was wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "ahead,is_due",
    [
        (SECOND, False),
        (DAY - SECOND, False),
        (DAY, False),
        (DAY + SECOND, True),
        (4000 * DAY, True),
    ],
    ids=str,
)
def test_a_source_settled_far_in_the_future_is_not_settled(
    ahead: timedelta, *, is_due: bool
) -> None:
    assert bool(due(NOW, rows(settled_at=NOW + ahead), policy()).sources) is is_due


def test_a_clock_that_steps_back_over_check_at_does_not_check_twice() -> None:
    assert not due(NOW - timedelta(minutes=5), rows(settled_at=NOW), policy())


def test_tries_of_the_future_do_not_count() -> None:
    source = SourceRow(kind=ADE, tried_at=NOW + SECOND, tries=5)

    assert tries_so_far(NOW, RunRows(), source, policy()) == 0


def test_a_requeue_of_the_future_does_not_stop_the_next_one() -> None:
    run = RunRow(queued_at=NOW - HOUR, requeued_at=NOW + 400 * DAY)

    assert due(NOW, rows(run, settled_at=NOW), policy()).requeue


# --- Tries ----------------------------------------------------------------------------------------


def test_a_source_is_tried_six_times() -> None:
    assert MAX_TRIES == 6


@pytest.mark.parametrize(
    "tried_at,tries",
    [(None, 0), (NOW - SECOND, 0), (NOW, 3), (NOW + TICK, 3)],
    ids=str,
)
def test_the_tries_of_this_check_date_count(tried_at: datetime | None, tries: int) -> None:
    source = SourceRow(kind=ADE, tried_at=tried_at, tries=3)

    assert tries_so_far(NOW + TICK, RunRows(), source, policy()) == tries


@pytest.mark.parametrize(
    "requested,tries",
    [
        (NOW + HOUR - SECOND, 6),
        (NOW + HOUR, 6),
        (NOW + HOUR + SECOND, 0),
        (NOW + 2 * HOUR, 0),
        # A request that is not yet due changes nothing.
        (NOW + 2 * HOUR + SECOND, 6),
        (NOW - HOUR, 6),
        (None, 6),
    ],
    ids=str,
)
def test_a_request_starts_the_tries_anew(requested: datetime | None, tries: int) -> None:
    source = SourceRow(kind=ADE, tried_at=NOW + HOUR, tries=6)
    known = RunRows(run=RunRow(check_requested_at=requested))

    assert tries_so_far(NOW + 2 * HOUR, known, source, policy()) == tries


# --- check-now ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "requested,is_due",
    [
        (NOW - SECOND, False),
        (NOW, False),
        (NOW + SECOND, True),
        (NOW + TICK, True),
        (NOW + TICK + SECOND, False),
    ],
    ids=str,
)
def test_a_request_makes_all_sources_due_once_more(requested: datetime, *, is_due: bool) -> None:
    run = RunRow(check_requested_at=requested)

    todo = due(NOW + TICK, rows(run, settled_at=NOW), policy())

    assert todo.sources == (ALL if is_due else ())
    assert not due(NOW + TICK, rows(run, settled_at=NOW + TICK), policy()).sources


def test_a_request_asks_again_for_the_sources_that_are_not_settled_since() -> None:
    known = rows(RunRow(check_requested_at=NOW + SECOND), settled_at=NOW + TICK)
    known = known.replace(known.run, {ADE: SourceRow(kind=ADE, settled_at=NOW)})

    assert due(NOW + TICK, known, policy()).sources == (ADE,)


# --- Queueing again -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "after,is_due",
    [(HOUR - SECOND, False), (HOUR, True), (HOUR + SECOND, True), (20 * HOUR, True)],
    ids=str,
)
def test_an_hour_after_a_check_that_queued_something_it_is_queued_again(
    after: timedelta, *, is_due: bool
) -> None:
    todo = due(NOW + after, rows(RunRow(queued_at=NOW), settled_at=NOW), policy())

    assert todo.requeue is is_due
    assert bool(todo) is is_due
    assert todo.sources == ()


@pytest.mark.parametrize(
    "requeued,is_due",
    [
        (NOW - DAY, True),
        (NOW - SECOND, True),
        # Queued by a check at the same tick as what an earlier one had queued was queued again.
        (NOW, True),
        (NOW + SECOND, False),
        (NOW + HOUR, False),
        (NOW + 2 * HOUR, False),
    ],
    ids=str,
)
def test_what_a_check_queued_is_queued_again_once(requeued: datetime, *, is_due: bool) -> None:
    run = RunRow(queued_at=NOW, requeued_at=requeued)

    assert due(NOW + 2 * HOUR, rows(run, settled_at=NOW), policy()).requeue is is_due


def test_without_anything_queued_nothing_is_queued_again() -> None:
    assert not due(NOW + 2 * HOUR, rows(settled_at=NOW), policy())


def test_a_check_and_a_requeue_can_be_due_at_once() -> None:
    todo = due(NOW + DAY, rows(RunRow(queued_at=NOW), settled_at=NOW), policy())

    assert (todo.sources, todo.requeue) == (ALL, True)
