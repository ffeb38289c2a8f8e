"""How things stand in a tenant as a whole (pure): its rows, sorted into what an overview says."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from apple_tokens.messages import RemediationMessage
from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    SOURCE_ID,
    Health,
    Problem,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, RunRows, SourceRow, TokenRow
from apple_tokens.snooze import is_snoozed
from notify.facts import GONE, Subject

DATED: Final = frozenset({*EXPIRED.values(), *EXPIRING.values()})
"""Problems whose urgency is a date, not how long they are open."""
_ORDER = list(Problem)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Group(Struct, frozen=True, kw_only=True):
    """The open alerts of one problem at one severity, the most urgent first."""

    problem: Problem
    severity: Severity
    subjects: tuple[Subject, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """What is open, what is not told, what cannot be seen, and what comes next."""

    checked_at: datetime
    """The last check, by the rows: a ticket can be delivered long after it was made."""
    sources: tuple[SourceRow, ...]
    """One of each kind, empty where none was checked yet."""
    tokens: tuple[TokenRow, ...]
    groups: tuple[Group, ...]
    """Open problems of tokens, the worst first, without what the welcome tells alone."""
    with_welcome: tuple[Subject, ...]
    """What has been expired for long at the first check."""
    snoozed: tuple[Subject, ...]
    """The next to be told again first."""
    unread: tuple[SourceRow, ...]
    """Sources of which nothing is known at present."""
    unread_severities: tuple[Severity, ...]
    absent: tuple[TokenRow, ...]
    """Tokens that the last check did not find, and that do not count as removed yet."""
    upcoming: tuple[TokenRow, ...]
    """Tokens whose date lies ahead, the next first."""

    @property
    def all_well(self) -> bool:
        """Whether nothing is wrong, and nothing that could be wrong is unknown or kept quiet."""
        quiet = self.snoozed or self.with_welcome or self.unread or self.absent
        healthy = all(row.health is Health.HEALTHY for row in self.tokens)
        return bool(self.tokens) and healthy and not self.groups and not quiet

    def of(self, kind: TokenKind) -> list[TokenRow]:
        """Return the tokens of one kind that were there at the last check."""
        return [row for row in self.tokens if row.token.kind is kind and row.absent_since is None]

    def is_unread(self, kind: TokenKind) -> bool:
        """Tell whether what is known of a kind is from an earlier check."""
        return any(source.kind is kind for source in self.unread)


def stand(
    message: RemediationMessage,
    run_rows: RunRows,
    tokens: Sequence[TokenRow],
    alerts: Sequence[AlertRow],
) -> Standing:
    """Sort the rows of a tenant for a ticket of the welcome or of a digest."""
    sources = tuple(run_rows.source(kind) for kind in TokenKind)
    tried = [source.tried_at for source in sources if source.tried_at]
    checked_at = max(tried, default=message.checked_at)
    tokens = sorted(tokens, key=lambda row: row.key)
    rows = {(row.token.kind, row.token.id): row for row in tokens}
    still_open = [
        Subject(alert=alert, row=rows.get((alert.kind, alert.token_id)))
        for alert in alerts
        if alert.ended_at is None and not alert.silenced
    ]
    present = [subject for subject in still_open if not _rests(subject)]
    of_tokens = [one for one in present if one.alert.token_id != SOURCE_ID]
    snoozed = [one for one in of_tokens if is_snoozed(one.alert, checked_at)]
    told = [one for one in of_tokens if not is_snoozed(one.alert, checked_at)]
    ahead = [row for row in tokens if _lies_ahead(row, checked_at)]
    gone = {(one.alert.kind, one.alert.token_id) for one in of_tokens if one.alert.problem in GONE}
    return Standing(
        checked_at=checked_at,
        sources=sources,
        tokens=tuple(tokens),
        groups=_groups(one for one in told if one.alert.batch != message.batch),
        with_welcome=tuple(
            sorted((one for one in told if one.alert.batch == message.batch), key=_urgency)
        ),
        snoozed=tuple(sorted(snoozed, key=_end_of_snooze)),
        unread=tuple(source for source in sources if source.reason or not source.read_at),
        unread_severities=tuple(
            one.alert.severity for one in present if one.alert.token_id == SOURCE_ID
        ),
        absent=tuple(row for key, row in rows.items() if row.absent_since and key not in gone),
        upcoming=tuple(sorted(ahead, key=lambda row: (row.token.expires_on or _NEVER, row.key))),
    )


def _rests(subject: Subject) -> bool:
    """Tell whether an alert says nothing at present, since its token may be gone."""
    row = subject.row
    return bool(row and row.absent_since) and subject.alert.problem not in GONE


def _lies_ahead(row: TokenRow, now: datetime) -> bool:
    expires_on = row.token.expires_on
    return expires_on is not None and expires_on > now and row.absent_since is None


def _end_of_snooze(subject: Subject) -> tuple[datetime, str]:
    return subject.alert.snoozed_until or _NEVER, subject.alert.key


def _groups(subjects: Iterable[Subject]) -> tuple[Group, ...]:
    found = dict[tuple[int, int], list[Subject]]()
    for subject in subjects:
        alert = subject.alert
        found.setdefault((-alert.severity.rank, _ORDER.index(alert.problem)), []).append(subject)
    return tuple(
        Group(
            problem=members[0].alert.problem,
            severity=members[0].alert.severity,
            subjects=tuple(sorted(members, key=_urgency)),
        )
        for _, members in sorted(found.items(), key=lambda group: group[0])
    )


def _urgency(subject: Subject) -> tuple[datetime, str]:
    """Order the tokens of a group: the first to expire first, or the longest open."""
    expires_on = subject.token.expires_on
    instant = (expires_on or _NEVER) if subject.alert.problem in DATED else subject.alert.since
    return instant, subject.alert.key
