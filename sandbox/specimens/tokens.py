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
WARNINGS_ONLY = frozenset(
    {
        Problem.VPP_TOKEN_DUPLICATE_LOCATION,
        Problem.VPP_TOKEN_STATE_UNKNOWN,
        Problem.VPP_SYNC_FAILED,
        Problem.PUSH_CERTIFICATE_UPLOAD_FAILED,
        Problem.EXPIRY_UNKNOWN,
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
_STALE_FOR = {Severity.WARNING: 50 * _HOUR, Severity.CRITICAL: 100 * _HOUR}


def kinds_of(problem: Problem) -> tuple[TokenKind, ...]:
    """Return the kinds of tokens that can have a problem."""
    for prefix, kind in (("ade", TokenKind.ADE), ("vpp", TokenKind.VPP), ("push", TokenKind.PUSH)):
        if problem.startswith(prefix):
            return (kind,)
    return tuple(TokenKind)


def severities_of(problem: Problem) -> tuple[Severity, ...]:
    """Return how bad a problem can be."""
    return (Severity.WARNING,) if problem in WARNINGS_ONLY else tuple(Severity)


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
        expired_on = CHECKED_AT - 3 * _DAY - number * _HOUR
        changes["expires_on"] = expired_on
        if kind is not TokenKind.PUSH:
            changes["last_synced_at"] = expired_on - _HOUR
    if problem in EXPIRING.values():
        days = 5 if severity is Severity.CRITICAL else 13
        changes["expires_on"] = CHECKED_AT + days * _DAY + number * _HOUR
    if problem is Problem.EXPIRY_UNKNOWN:
        changes["expires_on"] = None
    if problem in _STATE:
        changes["state"] = _STATE[problem]
    if problem in {Problem.ADE_SYNC_STALE, Problem.VPP_SYNC_STALE}:
        changes["last_synced_at"] = CHECKED_AT - _STALE_FOR[severity]
    if problem in _SYNC_ERROR:
        changes["sync_error_code"] = _SYNC_ERROR[problem]
    if problem is Problem.VPP_SYNC_FAILED:
        changes["sync_status"] = "failed"
    if problem is Problem.PUSH_CERTIFICATE_UPLOAD_FAILED:
        changes["upload_failure"] = "The uploaded file is not the one that the test expected."
    return token(kind, number, **changes)
