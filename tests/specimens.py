"""Batches of every sort that cards are made for, with the rows as the check would write them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    PUSH_CERTIFICATE_ID,
    SOURCE_ID,
    ApplePortal,
    AppleToken,
    Cloud,
    Facts,
    FailureReason,
    Problem,
    Reason,
    Severity,
    Tenant,
    TokenKind,
)
from apple_tokens.rows import AlertRow, TokenRow
from notify.card import render
from notify.elements import Element
from notify.remediation import Language, load
from notify.voice import Presentation

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
_NAMES = ("Berlin warehouse", "Osaka retail", "Field service", "Lyon office", "Training room")
_STALE_FOR = {Severity.WARNING: 50 * _HOUR, Severity.CRITICAL: 100 * _HOUR}


class Specimen(Struct, frozen=True, kw_only=True):
    """What `render` is given."""

    message: RemediationMessage
    alerts: Sequence[AlertRow]
    tokens: Mapping[tuple[str, str], TokenRow]

    def card(
        self, *languages: Language, zone: ZoneInfo = TOKYO, cloud: Cloud = Cloud.GLOBAL
    ) -> Element:
        """Return the card in one language or two, English if none is named."""
        catalogues = tuple(load(language) for language in languages or (Language.EN,))
        presentation = Presentation(catalogues=catalogues, zone=zone, cloud=cloud)
        return render(self.message, self.alerts, self.tokens, presentation)


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


def batch(
    problem: Problem,
    severity: Severity,
    reason: Reason = Reason.NEW,
    *,
    kinds: Sequence[TokenKind] = (),
    count: int = 1,
    **changes: object,
) -> Specimen:
    """Return a batch of one problem, each of its tokens changed further as wished."""
    alerts: list[AlertRow] = []
    rows: list[TokenRow] = []
    for number in range(count):
        kind = (kinds or kinds_of(problem))[number % len(kinds or kinds_of(problem))]
        ailing = msgspec.structs.replace(_ailing(problem, severity, kind, number), **changes)
        row = TokenRow(
            token=ailing,
            severity=severity,
            problem=problem,
            problems=problem,
            checked_at=CHECKED_AT,
            known_topic=ailing.topic,
        )
        rows.append(row)
        alerts.append(_alert(problem, severity, reason, row))
    return _specimen(alerts, rows)


def unread(
    cause: FailureReason, *kinds: TokenKind, reason: Reason = Reason.NEW, known: int = 0
) -> Specimen:
    """Return the batch of sources that could not be checked for the same cause."""
    status = {FailureReason.PERMISSION: 403, FailureReason.THROTTLED: 429}.get(cause)
    alerts = [
        AlertRow(
            kind=kind,
            problem=Problem.COULD_NOT_CHECK,
            since=CHECKED_AT,
            seen_at=CHECKED_AT,
            severity=Severity.CRITICAL if cause.is_permanent else Severity.WARNING,
            reason=reason,
            facts=Facts(
                as_of=CHECKED_AT - _DAY,
                cause=cause,
                status=status,
                request_id="0f0e0d0c-0000-4000-8000-00000000fa4e",
                detail="Microsoft Graph gave an answer that the test made up.",
            ),
        )
        for kind in kinds or (TokenKind.VPP,)
    ]
    rows = [TokenRow(token=token(kind, number)) for kind in kinds for number in range(known)]
    return _specimen(alerts, rows)


def renewed(kind: TokenKind, *, synced_since: bool | None, **facts: object) -> Specimen:
    """Return the batch of an expiry alert that a renewal ended."""
    old = CHECKED_AT + 5 * _DAY
    ended = _ended(EXPIRING[kind], kind, 0)
    known = Facts(
        old_expires_on=old,
        new_expires_on=ended.row.token.expires_on,
        new_serial_number=ended.row.token.serial_number,
        new_apple_account=ended.row.token.apple_account,
        synced_since=synced_since,
    )
    alert = msgspec.structs.replace(ended.alert, facts=msgspec.structs.replace(known, **facts))
    return _specimen([alert], [ended.row])


def fixed(*problems: Problem, count: int = 1) -> Specimen:
    """Return the batch of problems that ended, all of one token after the other."""
    ended = [
        _ended(problem, kinds_of(problem)[0], number)
        for number in range(count)
        for problem in problems
    ]
    return _specimen([one.alert for one in ended], [one.row for one in ended])


def accepted() -> Specimen:
    """Return the batch of a new topic that an operator accepted."""
    specimen = batch(Problem.PUSH_CERTIFICATE_REPLACED, Severity.CRITICAL, Reason.ACCEPTED)
    facts = msgspec.structs.replace(
        specimen.alerts[0].facts,
        accepted_by="operator@contoso.example",
        accepted_reason="The devices were enrolled again last week",
    )
    alert = msgspec.structs.replace(specimen.alerts[0], facts=facts)
    return msgspec.structs.replace(specimen, alerts=[alert])


def trial_message() -> Specimen:
    """Return the ticket of a test message, which has no rows."""
    message = RemediationMessage(
        version=VERSION,
        kind=MessageKind.TEST,
        tenant=TENANT,
        checked_at=CHECKED_AT,
        check_date=date(2026, 8, 3),
    )
    return Specimen(message=message, alerts=(), tokens={})


def sync_failed(*table_rows: int, reason: Reason = Reason.NEW) -> Specimen:
    """Return a batch of failed syncs, whose numbers mean the rows given (0: nobody knows what)."""
    specimen = batch(Problem.ADE_SYNC_FAILED, Severity.WARNING, reason, count=len(table_rows))
    alerts = [
        msgspec.structs.replace(
            alert, facts=msgspec.structs.replace(alert.facts, sync_error_row=row)
        )
        for alert, row in zip(specimen.alerts, table_rows, strict=True)
    ]
    return msgspec.structs.replace(specimen, alerts=alerts)


def with_row(specimen: Specimen, **changes: object) -> Specimen:
    """Return the batch with something else in each token's row."""
    tokens = {key: msgspec.structs.replace(row, **changes) for key, row in specimen.tokens.items()}
    return msgspec.structs.replace(specimen, tokens=tokens)


def with_tokens(specimen: Specimen, *changes: Mapping[str, object]) -> Specimen:
    """Return the batch with its first token changed in the first way, and so on."""
    tokens = {
        key: msgspec.structs.replace(row, token=msgspec.structs.replace(row.token, **change))
        for (key, row), change in zip(specimen.tokens.items(), changes, strict=True)
    }
    return msgspec.structs.replace(specimen, tokens=tokens)


def with_facts(specimen: Specimen, **changes: object) -> Specimen:
    """Return the batch with something else in each alert's facts."""
    alerts = [
        msgspec.structs.replace(alert, facts=msgspec.structs.replace(alert.facts, **changes))
        for alert in specimen.alerts
    ]
    return msgspec.structs.replace(specimen, alerts=alerts)


def without_rows(specimen: Specimen) -> Specimen:
    """Return the batch as it is when the rows of its tokens are gone."""
    return msgspec.structs.replace(specimen, tokens={})


def of_tenant(specimen: Specimen, name: str) -> Specimen:
    """Return the batch of a tenant with another name."""
    tenant = msgspec.structs.replace(specimen.message.tenant, name=name)
    message = msgspec.structs.replace(specimen.message, tenant=tenant)
    return msgspec.structs.replace(specimen, message=message)


class _Ended(Struct, frozen=True):
    alert: AlertRow
    row: TokenRow


def _ended(problem: Problem, kind: TokenKind, number: int) -> _Ended:
    row = TokenRow(token=token(kind, number), checked_at=CHECKED_AT)
    row = msgspec.structs.replace(row, known_topic=row.token.topic)
    alert = _alert(problem, Severity.WARNING, Reason.FIXED, row)
    if problem is Problem.COULD_NOT_CHECK:
        alert = msgspec.structs.replace(alert, token_id=SOURCE_ID)
    return _Ended(msgspec.structs.replace(alert, ended_at=CHECKED_AT), row)


def _alert(problem: Problem, severity: Severity, reason: Reason, row: TokenRow) -> AlertRow:
    return AlertRow(
        kind=row.token.kind,
        token_id=row.token.id,
        problem=problem,
        since=CHECKED_AT if reason is Reason.NEW else CHECKED_AT - 3 * _DAY,
        seen_at=CHECKED_AT,
        severity=severity,
        reason=reason,
        stage=severity,
        step=1,
        facts=_facts(problem, row.token),
    )


def _facts(problem: Problem, ailing: AppleToken) -> Facts:
    as_of = CHECKED_AT - 2 * _DAY
    match problem:
        case Problem.ADE_SYNC_FAILED | Problem.ADE_TERMS_NOT_ACCEPTED:
            return Facts(
                sync_error_code=ailing.sync_error_code, last_synced_at=ailing.last_synced_at
            )
        case Problem.PUSH_CERTIFICATE_REPLACED:
            return Facts(
                old_topic="com.apple.mgmt.External.11111111-aaaa-4bbb-8ccc-fa4efa4efa4e",
                old_serial_number="0F0E0D0C0B0A0908",
                old_apple_account="first-account@contoso.example",
                old_topic_expires_on=CHECKED_AT + 40 * _DAY,
                new_serial_number=ailing.serial_number,
                new_apple_account=ailing.apple_account,
            )
        case Problem.PUSH_CERTIFICATE_MISSING:
            return Facts(
                as_of=as_of,
                old_topic=ailing.topic,
                old_serial_number=ailing.serial_number,
                old_apple_account=ailing.apple_account,
                old_expires_on=ailing.expires_on,
            )
        case Problem.TOKEN_REMOVED:
            return Facts(as_of=as_of, old_expires_on=ailing.expires_on)
        case _:
            return Facts(old_expires_on=ailing.expires_on, last_synced_at=ailing.last_synced_at)


def _ailing(problem: Problem, severity: Severity, kind: TokenKind, number: int) -> AppleToken:
    """Return a token as it looks with a problem."""
    changes: dict[str, object] = {}
    if problem in EXPIRED.values():
        changes["expires_on"] = CHECKED_AT - 3 * _DAY - number * _HOUR
    if problem in EXPIRING.values():
        days = 5 if severity is Severity.CRITICAL else 13
        changes["expires_on"] = CHECKED_AT + days * _DAY + number * _HOUR
    if problem is Problem.EXPIRY_UNKNOWN:
        changes["expires_on"] = None
    if problem in _STATE:
        changes["state"] = _STATE[problem]
    if problem in {Problem.ADE_SYNC_STALE, Problem.VPP_SYNC_STALE}:
        changes["last_synced_at"] = CHECKED_AT - _STALE_FOR[severity]
    if problem is Problem.ADE_TERMS_NOT_ACCEPTED:
        changes["sync_error_code"] = 3
    if problem is Problem.ADE_SYNC_FAILED:
        changes["sync_error_code"] = 17
    if problem is Problem.VPP_SYNC_FAILED:
        changes["sync_status"] = "failed"
    if problem is Problem.PUSH_CERTIFICATE_UPLOAD_FAILED:
        changes["upload_failure"] = "The uploaded file is not the one that the test expected."
    return token(kind, number, **changes)


def _specimen(alerts: Sequence[AlertRow], rows: Sequence[TokenRow]) -> Specimen:
    first = alerts[0]
    is_fixed = first.reason is Reason.FIXED
    message = RemediationMessage(
        version=VERSION,
        kind=MessageKind.ALERTS,
        tenant=TENANT,
        checked_at=CHECKED_AT,
        check_date=date(2026, 8, 3),
        batch="20260803T060000.000000Z.test",
        problem=None if is_fixed else first.problem,
        reason=first.reason,
        stage="" if is_fixed else first.stage,
        severity=None if is_fixed else first.severity,
        count=len(alerts),
    )
    tokens = {(row.token.kind.value, row.token.id): row for row in rows}
    return Specimen(message=message, alerts=alerts, tokens=tokens)
