"""What is wrong with one token (pure): its findings, from what was read now or seen last."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    AppleToken,
    Facts,
    Problem,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, TokenRow
from check_tokens.finding import Finding
from check_tokens.policy import (
    CRITICAL_DAYS,
    SECOND_SIGHT_AFTER,
    SETTLING_AFTER_RENEWAL,
    STALE_CRITICAL_AFTER,
    TERMS_ROW,
    Policy,
)
from check_tokens.silencing import silence

_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING
_REPLACED = Problem.PUSH_CERTIFICATE_REPLACED
DATED = frozenset({*EXPIRED.values(), *EXPIRING.values(), Problem.EXPIRY_UNKNOWN})
"""What a stored date is enough to tell, also while the source cannot be read."""
_GONE = frozenset({Problem.TOKEN_REMOVED, Problem.PUSH_CERTIFICATE_MISSING})
_STATES = {
    "invalid": (Problem.VPP_TOKEN_INVALID, _CRITICAL),
    "assignedToExternalMDM": (Problem.VPP_TOKEN_IN_OTHER_MDM, _CRITICAL),
    "duplicateLocationId": (Problem.VPP_TOKEN_DUPLICATE_LOCATION, _WARNING),
}
_SOUND_STATES = frozenset({"valid", "expired"})
_SYNC_STATUSES = frozenset({"", "none", "inProgress", "completed", "failed"})
_DAY = timedelta(days=1)

Alerts = Mapping[Problem, AlertRow]
"""The alerts of one token that are not forgotten, ended ones included."""


def diagnose(
    token: AppleToken, previous: TokenRow | None, alerts: Alerts, now: datetime, policy: Policy
) -> tuple[Finding, ...]:
    """Say what is wrong with a token that was read just now, the worst first.

    `previous` is what the last check kept of it; `alerts` tell since when a problem is seen.
    """
    findings = list(_expiry(token, now, policy))
    match token.kind:
        case TokenKind.ADE:
            findings += _ade(token, previous, alerts, now, policy)
        case TokenKind.VPP:
            findings += _vpp(token, previous, alerts, now, policy)
        case TokenKind.PUSH:
            findings += _push(token, previous, alerts)
    renewed_at = previous.renewed_at if previous else None
    settling = renewed_at is not None and now - renewed_at < SETTLING_AFTER_RENEWAL
    return silence(findings, settling=settling)


def diagnose_unread(
    row: TokenRow, alerts: Alerts, now: datetime, policy: Policy
) -> tuple[Finding, ...]:
    """Say what is wrong with a token whose source cannot be read, from what was seen last.

    Time goes on for dates only. What else was wrong stays as it was seen: it neither begins, gets
    worse nor ends.
    """
    as_of = row.checked_at
    findings = [
        msgspec.structs.replace(finding, facts=msgspec.structs.replace(finding.facts, as_of=as_of))
        for finding in ([] if row.absent_since else _expiry(row.token, now, policy))
    ]
    findings += [
        Finding(
            problem=alert.problem,
            severity=alert.severity,
            stage=alert.severity,
            # What silenced it then, such as a renewal, cannot be seen to be over.
            silenced=alert.silenced,
            unsure=not alert.was_told and not alert.is_untold,
            facts=msgspec.structs.replace(alert.facts, as_of=as_of),
        )
        for alert in alerts.values()
        if alert.problem not in DATED
        and alert.ended_at is None
        and alert.clear_since is None
        and (row.absent_since is None or alert.problem in _GONE)
    ]
    return silence(findings, settling=False)


def missing_push_certificate(row: TokenRow) -> Finding:
    """Say that the push certificate, configured before, is not there any more."""
    facts = Facts(
        as_of=row.checked_at,
        old_expires_on=row.token.expires_on,
        old_topic=row.known_topic or row.token.topic,
        old_serial_number=row.known_serial_number or row.token.serial_number,
        old_apple_account=row.known_account or row.token.apple_account,
    )
    return _finding(Problem.PUSH_CERTIFICATE_MISSING, _CRITICAL, facts=facts)


def removed(token: AppleToken, as_of: datetime | None) -> Finding:
    """Say that a known token is gone from Intune."""
    harmless = token.kind is TokenKind.ADE and token.device_count == 0
    severity = _WARNING if harmless else _CRITICAL
    facts = Facts(as_of=as_of, old_expires_on=token.expires_on)
    return _finding(Problem.TOKEN_REMOVED, severity, facts=facts)


def _expiry(token: AppleToken, now: datetime, policy: Policy) -> Iterable[Finding]:
    # What a renewal replaces: by then only the alert remembers it.
    facts = Facts(
        old_expires_on=token.expires_on,
        old_topic=token.topic,
        old_serial_number=token.serial_number,
        old_apple_account=token.apple_account,
    )
    left = None if token.expires_on is None else token.expires_on - now
    expired_by_state = token.kind is TokenKind.VPP and token.state == "expired"
    if expired_by_state or (left is not None and left <= timedelta(0)):
        unused = token.kind is TokenKind.ADE and token.device_count == 0
        yield _finding(EXPIRED[token.kind], _WARNING if unused else _CRITICAL, facts=facts)
    if left is None:
        yield _finding(Problem.EXPIRY_UNKNOWN, _WARNING)
        return
    # An expired token is still an expiring one, silenced: the alert goes on, and ends well with it.
    stage = next((days for days in policy.stages if left <= days * _DAY), None)
    if stage is not None:
        yield Finding(
            problem=EXPIRING[token.kind],
            severity=_CRITICAL if left <= CRITICAL_DAYS * _DAY else _WARNING,
            stage=str(stage),
            facts=facts,
        )


def _ade(
    token: AppleToken, previous: TokenRow | None, alerts: Alerts, now: datetime, policy: Policy
) -> Iterable[Finding]:
    row = policy.sync_error_row(token.sync_error_code)
    age = _sync_age(token, previous, now)
    facts = Facts(
        sync_error_code=token.sync_error_code,
        sync_error_row=row,
        last_synced_at=token.last_synced_at,
    )
    if row == TERMS_ROW:
        yield _finding(Problem.ADE_TERMS_NOT_ACCEPTED, _CRITICAL, facts=facts)
    elif token.sync_error_code:
        leftover = previous is not None and _is_leftover(token, previous)
        yield _finding(
            Problem.ADE_SYNC_FAILED,
            _CRITICAL if age > STALE_CRITICAL_AFTER else _WARNING,
            unsure=age <= _DAY
            and (leftover or not _second_sight(alerts, Problem.ADE_SYNC_FAILED, now)),
            facts=facts,
        )
    if age >= timedelta(hours=policy.stale_sync_h_ade):
        unused = token.device_count == 0
        severity = _CRITICAL if age >= STALE_CRITICAL_AFTER and not unused else _WARNING
        yield _finding(Problem.ADE_SYNC_STALE, severity, facts=facts)


def _vpp(
    token: AppleToken, previous: TokenRow | None, alerts: Alerts, now: datetime, policy: Policy
) -> Iterable[Finding]:
    if token.state in _STATES:
        problem, severity = _STATES[token.state]
        yield _finding(problem, severity)
    elif token.state not in _SOUND_STATES or token.sync_status not in _SYNC_STATUSES:
        yield _finding(Problem.VPP_TOKEN_STATE_UNKNOWN, _WARNING)
    facts = Facts(last_synced_at=token.last_synced_at)
    if token.sync_status == "failed":
        unsure = not _second_sight(alerts, Problem.VPP_SYNC_FAILED, now)
        yield _finding(Problem.VPP_SYNC_FAILED, _WARNING, unsure=unsure, facts=facts)
    age = _sync_age(token, previous, now)
    if age >= timedelta(hours=policy.stale_sync_h_vpp):
        severity = _CRITICAL if age >= STALE_CRITICAL_AFTER else _WARNING
        yield _finding(Problem.VPP_SYNC_STALE, severity, facts=facts)


def _push(token: AppleToken, previous: TokenRow | None, alerts: Alerts) -> Iterable[Finding]:
    known = previous.known_topic if previous else ""
    # Without a topic the answer says neither that it was replaced nor that the old one is back.
    is_other = token.topic != known if token.topic else _is_open(alerts, _REPLACED)
    if previous and known and is_other:
        facts = Facts(
            old_topic=known,
            old_serial_number=previous.known_serial_number,
            old_apple_account=previous.known_account,
            old_topic_expires_on=previous.known_expires_on,
            new_serial_number=token.serial_number,
            new_apple_account=token.apple_account,
        )
        yield _finding(_REPLACED, _CRITICAL, facts=facts)
    if token.upload_failure:
        yield _finding(Problem.PUSH_CERTIFICATE_UPLOAD_FAILED, _WARNING)


def _finding(
    problem: Problem, severity: Severity, *, unsure: bool = False, facts: Facts | None = None
) -> Finding:
    return Finding(
        problem=problem,
        severity=severity,
        stage=severity,
        unsure=unsure,
        facts=facts or Facts(),
    )


def _sync_age(token: AppleToken, previous: TokenRow | None, now: datetime) -> timedelta:
    """Measure since when no sync succeeded; one that never did counts from the last change."""
    first_seen_at = previous.first_seen_at if previous else None
    return now - (token.last_synced_at or token.last_modified_at or first_seen_at or now)


def _is_leftover(token: AppleToken, previous: TokenRow) -> bool:
    """Say whether the sync works although an old error code is still shown."""
    if previous.leftover_error_code == token.sync_error_code:
        return True
    before, after = previous.token.last_synced_at, token.last_synced_at
    moved_on = before is not None and after is not None and before < after
    return moved_on and previous.token.sync_error_code == token.sync_error_code


def leftover_error_code(token: AppleToken, previous: TokenRow | None) -> int:
    """Return the error code to remember as a leftover, 0 for none."""
    if token.sync_error_code and previous is not None and _is_leftover(token, previous):
        return token.sync_error_code
    return 0


def _is_open(alerts: Alerts, problem: Problem) -> bool:
    alert = alerts.get(problem)
    return alert is not None and alert.ended_at is None


def _second_sight(alerts: Alerts, problem: Problem, now: datetime) -> bool:
    alert = alerts.get(problem)
    return alert is not None and (alert.was_told or now - alert.since >= SECOND_SIGHT_AFTER)
