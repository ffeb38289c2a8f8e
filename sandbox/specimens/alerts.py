"""Batches of every sort that cards are made for, with the rows as the check would write them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import (
    EXPIRING,
    SOURCE_ID,
    AppleToken,
    Cloud,
    Facts,
    FailureReason,
    Problem,
    Reason,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, TokenRow
from notify.card import render
from notify.elements import Element
from notify.remediation import Language, load
from notify.voice import Presentation
from sandbox.specimens.tokens import CHECKED_AT, TENANT, TOKYO, ailing_token, kinds_of, token

_DAY = timedelta(days=1)


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
        ailing = msgspec.structs.replace(ailing_token(problem, severity, kind, number), **changes)
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
                detail="What Microsoft Graph says about the failure",
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


def without_rows(specimen: Specimen) -> Specimen:
    """Return the batch as it is when the rows of its tokens are gone."""
    return msgspec.structs.replace(specimen, tokens={})


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
