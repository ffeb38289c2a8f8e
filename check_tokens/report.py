"""What a check leaves in the log (pure): the events that alarms and workbook rest on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from apple_tokens.events import (
    AlertQueued,
    AlertUndelivered,
    CheckFinished,
    Event,
    ProblemEscalated,
    TokenCount,
    TokenStatus,
)
from apple_tokens.messages import RemediationMessage
from apple_tokens.model import (
    CouldNotCheck,
    Health,
    Problem,
    SourceResult,
    Tenant,
    TokenKind,
    TokensRead,
)
from apple_tokens.rows import AlertRow, TokenRow
from check_tokens.alerting import Moment
from check_tokens.assessment import Assessment

_UNDELIVERED_AFTER = timedelta(days=1)
_MOST_NAMES = 10
_BANDS = ((7, "0-7"), (30, "8-30"), (90, "31-90"))


def events_of(
    tenant: Tenant,
    results: Mapping[TokenKind, SourceResult],
    assessments: Sequence[Assessment],
    alerts: Sequence[AlertRow],
    messages: Sequence[RemediationMessage],
    moment: Moment,
) -> Iterator[Event]:
    """Yield what happened; `check_finished` comes last and only after a source was settled."""
    rows = [row for part in assessments for row in part.tokens]
    for row in rows:
        if row.health is not Health.HEALTHY:
            yield _status(tenant, row)
    for message in messages:
        yield AlertQueued(
            tenant_id=tenant.id,
            batch=message.batch,
            problem=message.problem,
            reason=message.reason,
            stage=message.stage,
            severity=message.severity,
            count=message.count,
        )
    yield from _undelivered(tenant, alerts, moment)
    if assessments:
        yield CheckFinished(
            tenant_id=tenant.id,
            checked_at=moment.now,
            check_date=moment.check_date,
            sources={kind: _name(result) for kind, result in results.items()},
            tokens=_counts(rows),
            open_problems=sum(row.ended_at is None and not row.silenced for row in alerts),
            queued=len(messages),
        )


def escalations_of(
    tenant: Tenant, assessments: Sequence[Assessment], alerts: Sequence[AlertRow], moment: Moment
) -> Iterator[ProblemEscalated]:
    """Yield what this check escalates, which is to be said before the alerts are written.

    A check that is cut off after that would find it said, and keep silent for a week.
    """
    names = {
        (row.token.kind, row.token.id): row.token.name
        for part in assessments
        for row in part.tokens
    }
    groups = dict[tuple[TokenKind, Problem], list[AlertRow]]()
    for alert in alerts:
        if alert.escalated_at == moment.now:
            groups.setdefault((alert.kind, alert.problem), []).append(alert)
    for (kind, problem), rows in groups.items():
        rows.sort(key=lambda row: row.since)
        found = (names.get((row.kind, row.token_id), "") for row in rows)
        yield ProblemEscalated(
            tenant_id=tenant.id,
            kind=kind,
            problem=problem,
            count=len(rows),
            names=tuple(name for name in found if name)[:_MOST_NAMES],
            since=rows[0].since,
            days_open=(moment.now - rows[0].since).days,
        )


def band(days_left: int | None) -> str:
    """Return the band of days left that a token falls into."""
    if days_left is None:
        return "unknown"
    if days_left < 0:
        return "expired"
    return next((name for days, name in _BANDS if days_left <= days), "over_90")


def _status(tenant: Tenant, row: TokenRow) -> TokenStatus:
    return TokenStatus(
        tenant_id=tenant.id,
        kind=row.token.kind,
        token_id=row.token.id,
        name=row.token.name,
        health=row.health,
        problem=row.problem,
        severity=row.severity,
        expires_on=row.token.expires_on,
        days_left=row.days_left,
    )


def _undelivered(
    tenant: Tenant, alerts: Iterable[AlertRow], moment: Moment
) -> Iterator[AlertUndelivered]:
    late = dict[Problem, list[AlertRow]]()
    for alert in alerts:
        since = alert.due_since
        if alert.is_untold and since and moment.now - since > _UNDELIVERED_AFTER:
            late.setdefault(alert.problem, []).append(alert)
    for problem, rows in late.items():
        yield AlertUndelivered(
            tenant_id=tenant.id,
            problem=problem,
            count=len(rows),
            due_since=min(row.due_since or moment.now for row in rows),
        )


def _counts(rows: Iterable[TokenRow]) -> tuple[TokenCount, ...]:
    counted = Counter((row.token.kind, row.health, band(row.days_left)) for row in rows)
    return tuple(
        TokenCount(kind=kind, health=health, band=name, count=count)
        for (kind, health, name), count in sorted(counted.items())
    )


def _name(result: SourceResult) -> str:
    if isinstance(result, CouldNotCheck):
        return result.reason
    return "tokens_read" if isinstance(result, TokensRead) else "not_configured"
