"""Tokens of an invented tenant, healthy or with any problem, at one fixed moment."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    PUSH_CERTIFICATE_ID,
    ApplePortal,
    AppleToken,
    Problem,
    Severity,
    Tenant,
    TokenKind,
)

CHECKED_AT = datetime(2026, 8, 3, 6, 0, tzinfo=UTC)
TENANT = Tenant(id="00000000-0000-0000-0000-00000000fa4e", name="Contoso")
TOKYO = ZoneInfo("Asia/Tokyo")
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_WARNINGS_ONLY = frozenset(
    {
        Problem.VPP_TOKEN_DUPLICATE_LOCATION,
        Problem.VPP_TOKEN_STATE_UNKNOWN,
        Problem.VPP_SYNC_FAILED,
        Problem.PUSH_CERTIFICATE_UPLOAD_FAILED,
        Problem.EXPIRY_UNKNOWN,
    }
)
_CRITICAL_ONLY = frozenset(
    {
        Problem.VPP_TOKEN_EXPIRED,
        Problem.PUSH_CERTIFICATE_EXPIRED,
        Problem.ADE_TERMS_NOT_ACCEPTED,
        Problem.VPP_TOKEN_INVALID,
        Problem.VPP_TOKEN_IN_OTHER_MDM,
        Problem.PUSH_CERTIFICATE_REPLACED,
        Problem.PUSH_CERTIFICATE_MISSING,
    }
)
_STATE = {
    Problem.VPP_TOKEN_EXPIRED: "expired",
    Problem.VPP_TOKEN_INVALID: "invalid",
    Problem.VPP_TOKEN_IN_OTHER_MDM: "assignedToExternalMDM",
    Problem.VPP_TOKEN_DUPLICATE_LOCATION: "duplicateLocationId",
    Problem.VPP_TOKEN_STATE_UNKNOWN: "somethingNew",
}
_SYNC_ERROR = {Problem.ADE_TERMS_NOT_ACCEPTED: 3, Problem.ADE_SYNC_FAILED: 17}
_NAMES = ("Berlin warehouse", "Osaka retail", "Field service", "Lyon office", "Training room")
_HARMLESS_IF_UNUSED = frozenset({Problem.ADE_TOKEN_EXPIRED, Problem.TOKEN_REMOVED})
_SYNCING = frozenset(Problem) - {
    *EXPIRED.values(),
    Problem.ADE_TERMS_NOT_ACCEPTED,
    Problem.ADE_SYNC_FAILED,
    Problem.ADE_SYNC_STALE,
    Problem.VPP_SYNC_STALE,
    Problem.TOKEN_REMOVED,
}
_EXPIRED_FOR = 3 * _DAY
_GONE_FOR = 2 * _DAY
_STALE_FOR = {Severity.WARNING: 50 * _HOUR, Severity.CRITICAL: 100 * _HOUR}


def kinds_of(problem: Problem) -> tuple[TokenKind, ...]:
    """Return the kinds of tokens that can have a problem."""
    if problem is Problem.TOKEN_REMOVED:
        return (TokenKind.ADE, TokenKind.VPP)  # the push certificate goes missing instead
    for prefix, kind in (("ade", TokenKind.ADE), ("vpp", TokenKind.VPP), ("push", TokenKind.PUSH)):
        if problem.startswith(prefix):
            return (kind,)
    return tuple(TokenKind)


def severities_of(problem: Problem) -> tuple[Severity, ...]:
    """Return how bad a problem can be."""
    if problem in _WARNINGS_ONLY:
        return (Severity.WARNING,)
    return (Severity.CRITICAL,) if problem in _CRITICAL_ONLY else tuple(Severity)


def token(kind: TokenKind, number: int = 0, **changes: object) -> AppleToken:
    """Return a healthy token with every field that Graph fills for its kind."""
    expires_on = CHECKED_AT + (200 + number) * _DAY + 5 * _HOUR
    account = "apple-tokens@contoso.example"
    synced_at = CHECKED_AT - 3 * _HOUR
    match kind:
        case TokenKind.ADE:
            healthy = AppleToken(
                kind=kind,
                id=f"ade-{number}",
                name=_NAMES[number % len(_NAMES)],
                portal=ApplePortal.BUSINESS,
                apple_account=account,
                expires_on=expires_on,
                last_synced_at=synced_at,
                device_count=120 + number,
            )
        case TokenKind.VPP:
            healthy = AppleToken(
                kind=kind,
                id=f"vpp-{number}",
                name=f"Apps {_NAMES[number % len(_NAMES)]}",
                portal=ApplePortal.BUSINESS,
                apple_account=account,
                organization="Contoso Ltd",
                location=_NAMES[number % len(_NAMES)],
                country="DE",
                expires_on=expires_on,
                last_synced_at=synced_at,
                sync_status="completed",
                state="valid",
            )
        case _:
            healthy = AppleToken(
                kind=kind,
                id=PUSH_CERTIFICATE_ID,
                apple_account=account,
                expires_on=expires_on,
                topic="com.apple.mgmt.External.00000000-aaaa-4bbb-8ccc-fa4efa4efa4e",
                serial_number="1A2B3C4D5E6F7A8B",
            )
    return msgspec.structs.replace(healthy, **changes)


def ailing_token(problem: Problem, severity: Severity, kind: TokenKind, number: int) -> AppleToken:
    """Return a token as it looks with a problem."""
    changes: dict[str, object] = {}
    if problem in EXPIRED.values():
        changes["expires_on"] = CHECKED_AT - _EXPIRED_FOR - number * _HOUR
    if problem in EXPIRING.values():
        days = 5 if severity is Severity.CRITICAL else 13
        changes["expires_on"] = CHECKED_AT + days * _DAY + number * _HOUR
    if problem is Problem.EXPIRY_UNKNOWN:
        changes["expires_on"] = None
    if problem in _STATE:
        changes["state"] = _STATE[problem]
    if problem in _SYNC_ERROR:
        changes["sync_error_code"] = _SYNC_ERROR[problem]
    if problem is Problem.VPP_SYNC_FAILED:
        changes["sync_status"] = "failed"
    if problem is Problem.PUSH_CERTIFICATE_UPLOAD_FAILED:
        changes["upload_failure"] = "What Intune says about the upload"
    if kind is not TokenKind.PUSH and problem not in _SYNCING:
        changes["last_synced_at"] = CHECKED_AT - _unsynced_for(problem, severity) - number * _HOUR
    if kind is TokenKind.ADE and severity is Severity.WARNING and problem in _HARMLESS_IF_UNUSED:
        changes["device_count"] = 0
    return token(kind, number, **changes)


def _unsynced_for(problem: Problem, severity: Severity) -> timedelta:
    if problem in EXPIRED.values():
        return _EXPIRED_FOR + _HOUR
    if problem is Problem.TOKEN_REMOVED:
        return _GONE_FOR + 3 * _HOUR
    return _STALE_FOR[severity]
