"""The rows of the three tables as values, and who may write which of their columns.

Column names are the fields in PascalCase, readable in Storage Explorer. A column is written by
one party: `CHECK_COLUMNS` by `check_tokens`, `NOTIFY_COLUMNS` by `notify`, others by `admin`.
"""

from datetime import date
from typing import Annotated, ClassVar, Self

from msgspec import Meta, Struct

from apple_tokens.model import (
    SOURCE_ID,
    AppleToken,
    Facts,
    FailureReason,
    Health,
    Instant,
    Int32,
    Problem,
    Reason,
    Severity,
    TokenKind,
)

_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, from which times are counted down in keys."""


Number = Annotated[int, Meta(ge=0, le=1_000_000)]
"""What is counted, one by one. More is somebody's typing error: counted on, it would soon be more
than a column holds, and no row could be written."""


class TokenRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """What is known about one token: as last seen, what is wrong with it, and what is remembered.

    The key is `<kind>.<id>`.
    """

    token: AppleToken
    health: Health = Health.UNKNOWN
    severity: Severity | None = None
    problem: Problem | None = None
    """The worst finding that is not silenced."""
    problems: str = ""
    """All findings, silenced ones too, for people who read the table."""
    stage: str = ""
    problem_since: Instant | None = None
    days_left: Int32 | None = None
    checked_at: Instant | None = None
    """When the token was last read from Graph. Never moved by a check that could not read it."""
    first_seen_at: Instant | None = None
    absent_since: Instant | None = None
    """The first successful check in which a known token was missing."""
    renewed_at: Instant | None = None
    """The check that first saw a later expiry date."""
    leftover_error_code: Int32 = 0
    """A sync error code that stood unchanged while the last successful sync moved on."""
    known_topic: str = ""
    """The push certificate's accepted topic, with what was known of the certificate that had it."""
    known_serial_number: str = ""
    known_account: str = ""
    known_expires_on: Instant | None = None
    accepted_topic: str = ""
    accepted_reason: str = ""
    accepted_by: str = ""
    accepted_at: Instant | None = None

    KEY_COLUMNS: ClassVar = ("Kind", "TokenId")
    OPERATOR_COLUMNS: ClassVar = frozenset(
        {"AcceptedTopic", "AcceptedReason", "AcceptedBy", "AcceptedAt"}
    )

    @property
    def key(self) -> str:
        """The row key, before encoding."""
        return f"{self.token.kind}.{self.token.id}"


class AlertRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The alert of one problem of one token, from the check that first saw it until it ended.

    Each telling has the next number. `step` is the one that the check wants told, `told_step` the
    last one that Teams took; an alert is untold while `told_step < step`. The key is
    `<kind>.<id>.<problem>`.
    """

    kind: TokenKind
    token_id: str = SOURCE_ID
    problem: Problem
    since: Instant
    seen_at: Instant
    clear_since: Instant | None = None
    """The first successful check without the problem, where one is not enough to end it."""
    ended_at: Instant | None = None
    severity: Severity = Severity.WARNING
    severity_since: Instant | None = None
    """When the severity last rose: a snooze from before that no longer applies."""
    silenced: bool = False
    base_step: Number = 0
    """`told_step` when the alert began: what a forgotten alert of the same row told before."""
    step: Number = 0
    remind_from_step: Number = 0
    """The step that first told it as critical: from there the daily reminders count."""
    reason: Reason | None = None
    stage: str = ""
    batch: str = ""
    due_since: Instant | None = None
    escalated_at: Instant | None = None
    """When the log last said that it is open for too long."""
    facts: Facts = Facts()
    told_step: Number = 0
    told_reason: Reason | None = None
    told_stage: str = ""
    told_at: Instant | None = None
    told_check_date: date | None = None
    snoozed_until: Instant | None = None
    snooze_reason: str = ""
    snoozed_by: str = ""
    snoozed_at: Instant | None = None

    KEY_COLUMNS: ClassVar = ("Kind", "TokenId", "Problem")
    NOTIFY_COLUMNS: ClassVar = frozenset(
        {"ToldStep", "ToldReason", "ToldStage", "ToldAt", "ToldCheckDate"}
    )
    OPERATOR_COLUMNS: ClassVar = frozenset(
        {"SnoozedUntil", "SnoozeReason", "SnoozedBy", "SnoozedAt"}
    )

    @property
    def key(self) -> str:
        """The row key, before encoding."""
        return f"{self.kind}.{self.token_id}.{self.problem}"

    @property
    def was_told(self) -> bool:
        """Whether the channel heard of this alert at all."""
        return self.told_step > self.base_step

    @property
    def is_untold(self) -> bool:
        """Whether a step waits to be told."""
        return self.told_step < self.step


class SourceRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """What was settled about one source. The key is `run.<kind>`."""

    kind: TokenKind
    settled_at: Instant | None = None
    """When it was read, or failed for good, or failed the last of its tries."""
    read_at: Instant | None = None
    """When it was last read to the end."""
    tried_at: Instant | None = None
    tries: Number = 0
    """Failed tries in the check date of `tried_at`."""
    result: str = ""
    """`tokens_read`, `not_configured`, or the failure's reason."""
    reason: FailureReason | None = None
    detail: str = ""
    request_id: str = ""

    @property
    def key(self) -> str:
        """The row key, before encoding."""
        return f"run.{self.kind}"


class RunRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """What concerns the check as a whole. The key is `run.check`."""

    first_checked_on: date | None = None
    """The check date of the first check that settled all sources."""
    checked_at: Instant | None = None
    """When a check last read at least one source."""
    queued_at: Instant | None = None
    """When a check last handed over messages."""
    requeued_at: Instant | None = None
    """When what was still untold was last handed over once more."""
    welcome_step: Number = 0
    """1 from the check on that wants the welcome told."""
    digest_step: Number = 0
    """The number of the digest that the check wants told."""
    digest_due_since: Instant | None = None
    welcome_told_step: Number = 0
    digest_told_step: Number = 0
    digest_told_at: Instant | None = None
    digest_told_check_date: date | None = None
    check_requested_at: Instant | None = None
    check_requested_by: str = ""

    NOTIFY_COLUMNS: ClassVar = frozenset(
        {"WelcomeToldStep", "DigestToldStep", "DigestToldAt", "DigestToldCheckDate"}
    )
    OPERATOR_COLUMNS: ClassVar = frozenset({"CheckRequestedAt", "CheckRequestedBy"})
    key: ClassVar = "run.check"

    @property
    def welcome_is_untold(self) -> bool:
        """Whether the welcome waits to be told."""
        return self.welcome_told_step < self.welcome_step

    @property
    def digest_is_untold(self) -> bool:
        """Whether a digest waits to be told."""
        return self.digest_told_step < self.digest_step


class HistoryRow(Struct, frozen=True, kw_only=True, rename="pascal"):
    """What one check saw change on one token.

    The key is `<kind>.<id>.<the time of the source's previous settled check, inverted>`: a check
    that is run again after a crash writes the same row, and the newest stands first.
    """

    kind: TokenKind
    token_id: str
    name: str = ""
    checked_at: Instant
    changed: str = ""
    """The names of the columns of `tokenstatus` that changed, or `Removed`."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    previous_check_at: Instant | None = None

    @property
    def key(self) -> str:
        """The row key, before encoding."""
        return f"{self.kind}.{self.token_id}.{_inverted(self.previous_check_at)}"


def _inverted(instant: Instant | None) -> str:
    seconds = 0 if instant is None else int(instant.timestamp())
    return f"{_LAST_SECOND - seconds:012d}"


class RunRows(Struct, frozen=True, kw_only=True):
    """All that a tick reads to know whether something is due."""

    run: RunRow = RunRow()
    sources: dict[TokenKind, SourceRow] = {}

    def source(self, kind: TokenKind) -> SourceRow:
        """Return the row of a source, an empty one if it was never read."""
        return self.sources.get(kind) or SourceRow(kind=kind)

    def replace(self, run: RunRow, sources: dict[TokenKind, SourceRow]) -> Self:
        """Return the rows with some of them exchanged."""
        return type(self)(run=run, sources=self.sources | sources)
