"""What is due (pure): which sources to read, and whether untold alerts are queued once more.

A check belongs to a check date: the local date of the latest `CHECK_AT` that has passed. It is
worked out from stored instants with the present settings, so that summer time, a missed tick, a
host that was down and a changed setting all mend themselves at the next tick.
"""

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from apple_tokens.model import TokenKind
from apple_tokens.rows import RunRows, SourceRow
from check_tokens.clock_steps import CLOCK_STEP
from check_tokens.policy import Policy

MAX_TRIES = 6
"""How often a source is tried on one check date before its transient failure is told."""
REQUEUE_AFTER = timedelta(hours=1)


class Due(Struct, frozen=True, kw_only=True):
    """What a tick has to do; nothing when both are empty."""

    check_date: date
    sources: tuple[TokenKind, ...] = ()
    requeue: bool = False

    def __bool__(self) -> bool:
        return bool(self.sources) or self.requeue


def check_date(instant: datetime, policy: Policy) -> date:
    """Return the local date of the latest `CHECK_AT` that has passed at `instant`."""
    try:
        today = instant.astimezone(policy.time_zone).date()
        return today if starts_at(today, policy) <= instant else today - timedelta(days=1)
    except OverflowError:
        # An edited row can hold the first or the last instant of the calendar, and the local date
        # lies beyond its end. Raised, it would stop every check.
        return instant.date()


def starts_at(day: date, policy: Policy) -> datetime:
    """Return the instant, in UTC, at which a check date begins.

    A `CHECK_AT` that the clocks skip begins as much later as they skip; one that they show twice
    begins the first time.
    """
    # Two times of one zone are compared by what the clock shows, which summer time makes wrong.
    return datetime.combine(day, policy.check_at, policy.time_zone).astimezone(UTC)


def due(now: datetime, rows: RunRows, policy: Policy) -> Due:
    """Say which sources are not settled for the present check date, and whether to queue again."""
    return Due(
        check_date=check_date(now, policy),
        sources=tuple(
            kind for kind in TokenKind if not _is_settled(now, rows, rows.source(kind), policy)
        ),
        requeue=_requeue_is_due(now, rows),
    )


def tries_so_far(now: datetime, rows: RunRows, source: SourceRow, policy: Policy) -> int:
    """Count the failed tries that still count: those of this check date and of this request."""
    if source.tried_at is None or source.tried_at > now:
        return 0
    begin = starts_at(check_date(now, policy), policy)
    requested_at = rows.run.check_requested_at
    if requested_at is not None and requested_at <= now:
        begin = max(begin, requested_at)
    return source.tries if source.tried_at >= begin else 0


def _is_settled(now: datetime, rows: RunRows, source: SourceRow, policy: Policy) -> bool:
    settled_at = source.settled_at
    if settled_at is None or settled_at - now > CLOCK_STEP:
        # An instant far in the future was written by a clock that was wrong. Taking it for
        # settled would mean silence until then.
        return False
    requested_at = rows.run.check_requested_at
    if requested_at is not None and settled_at < requested_at <= now:
        return False
    return check_date(settled_at, policy) >= check_date(now, policy)


def _requeue_is_due(now: datetime, rows: RunRows) -> bool:
    queued_at, requeued_at = rows.run.queued_at, rows.run.requeued_at
    if queued_at is None or now - queued_at < REQUEUE_AFTER:
        return False
    if requeued_at is None or requeued_at > now:
        return True
    # Equal when one tick queued the tickets of a check, and those of an earlier one once more.
    return requeued_at <= queued_at
