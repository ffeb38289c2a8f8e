"""The log events that alarms and workbook rest on: one JSON object per line.

The worker forwards a record's level, message and logger name only, so everything is in the message.
Emit events on the function's own task: on Python 3.13 the worker loses records from other threads
(azure-functions-python-worker#1860). Never add `exc_info`: a traceback behind the JSON makes the
line unreadable for the queries.
"""

import logging
from datetime import date
from typing import ClassVar

import msgspec
from msgspec import Struct

from apple_tokens.model import (
    FailureReason,
    Health,
    Instant,
    Problem,
    Reason,
    Severity,
    TokenKind,
)

_logger = logging.getLogger("apple_tokens.events")
_encoder = msgspec.json.Encoder(order="deterministic")


class Event(Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every event carries: its name in `event`, and the tenant."""

    LEVEL: ClassVar = logging.INFO
    tenant_id: str


class TokenCount(Struct, frozen=True, kw_only=True):
    """How many tokens of one kind share a health and a band of days left."""

    kind: TokenKind
    health: Health
    band: str
    """`expired`, `0-7`, `8-30`, `31-90`, `over_90` days left, or `unknown`."""
    count: int


class CheckFinished(Event, frozen=True, kw_only=True, tag="check_finished"):
    """A check came to its end. `sources` says what each source that was read now answered."""

    checked_at: Instant
    check_date: date
    sources: dict[TokenKind, str]
    tokens: tuple[TokenCount, ...]
    open_problems: int
    queued: int
    """Messages handed over."""


class TokenStatus(Event, frozen=True, kw_only=True, tag="token_status"):
    """A token that is not healthy, once per check."""

    LEVEL: ClassVar = logging.WARNING
    kind: TokenKind
    token_id: str
    name: str
    health: Health
    problem: Problem | None
    severity: Severity | None
    expires_on: Instant | None
    days_left: int | None


class SourceUnread(Event, frozen=True, kw_only=True, tag="source_unread"):
    """A source could not be read. `settled` when it will not be tried again on this check date."""

    LEVEL: ClassVar = logging.WARNING
    kind: TokenKind
    reason: FailureReason
    detail: str
    status: int | None
    request_id: str
    tries: int
    settled: bool


class AlertQueued(Event, frozen=True, kw_only=True, tag="alert_queued"):
    """A message was handed over to the queue."""

    batch: str
    problem: Problem | None
    reason: Reason | None
    stage: str
    severity: Severity | None
    count: int


class AlertDelivered(Event, frozen=True, kw_only=True, tag="alert_delivered"):
    """Teams accepted a card, which proves no delivery. `count` alerts are stamped as told."""

    batch: str
    problem: Problem | None
    reason: Reason | None
    count: int


class AlertDropped(Event, frozen=True, kw_only=True, tag="alert_dropped"):
    """A ticket found nothing left to tell: told already, or made again by a later check."""

    batch: str


class AlertFailed(Event, frozen=True, kw_only=True, tag="alert_failed"):
    """One try to post a card failed; the host tries again."""

    LEVEL: ClassVar = logging.WARNING
    batch: str
    error: str
    dequeue_count: int


class AlertGaveUp(Event, frozen=True, kw_only=True, tag="alert_gave_up"):
    """The last try to post a card failed; the host moves the message to the poison queue."""

    LEVEL: ClassVar = logging.ERROR
    batch: str
    error: str
    dequeue_count: int


class AlertUndelivered(Event, frozen=True, kw_only=True, tag="alert_undelivered"):
    """Alerts of one problem that were due over a day ago are still untold."""

    LEVEL: ClassVar = logging.ERROR
    problem: Problem
    count: int
    due_since: Instant
    """Of the oldest."""


class ProblemEscalated(Event, frozen=True, kw_only=True, tag="problem_escalated"):
    """Critical alerts of one problem are open for longer than `ESCALATE_DAYS`."""

    LEVEL: ClassVar = logging.ERROR
    kind: TokenKind
    problem: Problem
    count: int
    names: tuple[str, ...]
    """Of the first tokens; empty for a source."""
    since: Instant
    """Of the oldest."""
    days_open: int


class RowUnreadable(Event, frozen=True, kw_only=True, tag="row_unreadable"):
    """Columns of a row hold nonsense and were taken as empty."""

    LEVEL: ClassVar = logging.WARNING
    table: str
    key: str
    columns: tuple[str, ...]


def emit(event: Event) -> None:
    """Log an event as one line of JSON, at the level of its kind."""
    _logger.log(event.LEVEL, "%s", _encoder.encode(event).decode())
