"""The status row of one token (pure): what is remembered of it, and what it says at a glance."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    AppleToken,
    Health,
    Problem,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, TokenRow
from check_tokens import diagnosis, silencing
from check_tokens.alerting import Moment
from check_tokens.finding import Finding

_replace = msgspec.structs.replace
_HEALTH = {Severity.WARNING: Health.WARNING, Severity.CRITICAL: Health.UNHEALTHY}


def remember(token: AppleToken, before: TokenRow | None, now: datetime) -> TokenRow:
    """Return the row with what only memory can tell, before anything is diagnosed."""
    row = before or TokenRow(token=token, first_seen_at=now)
    old, new = row.token.expires_on, token.expires_on
    renewed = before is not None and old is not None and new is not None and old < new
    is_known_topic = token.topic in {row.known_topic, row.accepted_topic} or not row.known_topic
    if token.topic and is_known_topic:
        row = _replace(
            row,
            known_topic=token.topic,
            known_serial_number=token.serial_number,
            known_account=token.apple_account,
            known_expires_on=token.expires_on,
        )
    return _replace(
        row,
        token=token,
        leftover_error_code=diagnosis.leftover_error_code(token, before),
        renewed_at=now if renewed else row.renewed_at,
        checked_at=now,
        absent_since=None,
    )


def was_accepted(row: TokenRow, before: TokenRow | None) -> bool:
    """Say whether the push certificate's present topic is known because it was accepted now."""
    return before is not None and before.known_topic not in {"", row.known_topic}


def describe(
    row: TokenRow,
    findings: tuple[Finding, ...],
    alerts: Iterable[AlertRow],
    health: Health,
    moment: Moment,
) -> TokenRow:
    """Return the row as people read it: the worst finding, since when, and the days left."""
    worst = silencing.worst(findings)
    since = {alert.problem: alert.since for alert in alerts}
    left = row.token.expires_on - moment.now if row.token.expires_on else None
    return _replace(
        row,
        health=health,
        severity=worst.severity if worst else None,
        problem=worst.problem if worst else None,
        problems=", ".join(_named(findings)),
        stage=worst.stage if worst else "",
        problem_since=since.get(worst.problem) if worst else None,
        days_left=left // timedelta(days=1) if left is not None else None,
    )


def _named(findings: tuple[Finding, ...]) -> list[Problem]:
    """Name the findings for people: what has expired is not called expiring as well."""
    found = [finding.problem for finding in findings]
    superseded = {EXPIRING[kind] for kind in TokenKind if EXPIRED[kind] in found}
    return [problem for problem in found if problem not in superseded]


def health_of(findings: tuple[Finding, ...]) -> Health:
    """Return the health that the worst finding leaves."""
    worst = silencing.worst(findings)
    return _HEALTH[worst.severity] if worst else Health.HEALTHY
