"""Small builders with readable defaults: a test says what is unusual about its token or alert."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from apple_tokens.model import (
    PUSH_CERTIFICATE_ID,
    AppleToken,
    CouldNotCheck,
    FailureReason,
    Problem,
    Reason,
    Severity,
    TokenKind,
    TokensRead,
)
from apple_tokens.rows import AlertRow, TokenRow
from check_tokens.alerting import Moment
from check_tokens.finding import Finding

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""A Monday morning, the time of a check at the default `CHECK_AT`."""
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEAR_9999 = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

_ADE = AppleToken(
    kind=TokenKind.ADE,
    id="a-1",
    name="Head office iPads",
    apple_account="ade@contoso.example",
    expires_on=NOW + 300 * DAY,
    last_modified_at=NOW - 65 * DAY,
    last_synced_at=NOW - HOUR,
    device_count=40,
)
_VPP = AppleToken(
    kind=TokenKind.VPP,
    id="v-1",
    name="Apps Berlin",
    apple_account="vpp@contoso.example",
    organization="Contoso",
    location="Berlin",
    expires_on=NOW + 300 * DAY,
    last_modified_at=NOW - 65 * DAY,
    last_synced_at=NOW - HOUR,
    sync_status="completed",
    state="valid",
)
_PUSH = AppleToken(
    kind=TokenKind.PUSH,
    id=PUSH_CERTIFICATE_ID,
    apple_account="push@contoso.example",
    expires_on=NOW + 300 * DAY,
    last_modified_at=NOW - 65 * DAY,
    topic="com.apple.mgmt.External.old",
    serial_number="01",
)


def ade(**changes: object) -> AppleToken:
    """Return a healthy ADE token with devices, synced this morning, good for most of a year."""
    return replace(_ADE, **changes)


def vpp(**changes: object) -> AppleToken:
    """Return a healthy VPP token, synced this morning, good for most of a year."""
    return replace(_VPP, **changes)


def push(**changes: object) -> AppleToken:
    """Return a healthy push certificate, good for most of a year."""
    return replace(_PUSH, **changes)


TOKENS = {TokenKind.ADE: ade, TokenKind.VPP: vpp, TokenKind.PUSH: push}


def row(token: AppleToken, **changes: object) -> TokenRow:
    """Return the status row of a token that was read yesterday and first seen long ago."""
    known = TokenRow(token=token, checked_at=NOW - DAY, first_seen_at=NOW - 60 * DAY)
    if token.kind is TokenKind.PUSH:
        known = replace(
            known,
            known_topic=token.topic,
            known_serial_number=token.serial_number,
            known_account=token.apple_account,
            known_expires_on=token.expires_on,
        )
    return replace(known, **changes)


def alert(problem: Problem, severity: Severity = Severity.WARNING, **changes: object) -> AlertRow:
    """Return the alert of a problem that was first seen yesterday; nothing of it is told."""
    kind, token_id = _owner(problem)
    begun = AlertRow(
        kind=kind,
        token_id=token_id,
        problem=problem,
        since=NOW - DAY,
        seen_at=NOW - DAY,
        severity=severity,
        severity_since=NOW - DAY,
        stage=severity,
    )
    return replace(begun, **changes)


def told(untold: AlertRow, at: datetime = NOW - DAY, **changes: object) -> AlertRow:
    """Return an alert after its card was accepted: its next step, as new if it has no reason."""
    step = untold.told_step + 1
    reason = untold.reason or Reason.NEW
    after = replace(
        untold,
        step=step,
        reason=reason,
        remind_from_step=untold.remind_from_step or step,
        told_step=step,
        told_reason=reason,
        told_stage=untold.stage,
        told_at=at,
        told_check_date=at.date(),
    )
    return replace(after, **changes)


def finding(problem: Problem, severity: Severity = Severity.WARNING, **changes: object) -> Finding:
    """Return a finding; its stage is its severity unless a test says otherwise."""
    return replace(Finding(problem=problem, severity=severity, stage=severity), **changes)


def moment(now: datetime = NOW, check_date: date | None = None) -> Moment:
    """Return the moment of a check; its check date is the day in UTC if none is given."""
    return Moment(now=now, check_date=check_date or now.date())


def read(*tokens: AppleToken) -> TokensRead:
    """Return what a source answers that holds these tokens."""
    return TokensRead(tokens=tokens)


def failed(reason: FailureReason = FailureReason.UNAVAILABLE, **changes: object) -> CouldNotCheck:
    """Return the failure of a source."""
    return replace(CouldNotCheck(reason=reason, detail="Microsoft Graph is down."), **changes)


def of(findings: Iterable[Finding], problem: Problem) -> Finding | None:
    """Return the finding of one problem."""
    return next((finding for finding in findings if finding.problem is problem), None)


def told_of(findings: Iterable[Finding]) -> set[Problem]:
    """Return the problems that are told: neither silenced nor waiting for a second sight."""
    return {f.problem for f in findings if not f.silenced and not f.unsure}


def silenced(findings: Iterable[Finding]) -> set[Problem]:
    """Return the problems that a cause silences."""
    return {f.problem for f in findings if f.silenced}


def _owner(problem: Problem) -> tuple[TokenKind, str]:
    if problem.startswith("vpp"):
        return _VPP.kind, _VPP.id
    if problem.startswith("push"):
        return _PUSH.kind, _PUSH.id
    return _ADE.kind, _ADE.id
