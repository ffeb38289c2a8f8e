"""Tenants of any sort that welcome and digest are made for, as the rows of a check hold them."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import (
    SOURCE_ID,
    AppleToken,
    Cloud,
    FailureReason,
    Health,
    Problem,
    Severity,
    Tenant,
    TokenKind,
)
from apple_tokens.rows import AlertRow, RunRow, RunRows, SourceRow, TokenRow
from notify.elements import Element
from notify.overview_card import render_overview
from notify.remediation import Language, load
from notify.voice import Presentation
from sandbox.specimens.tokens import CHECKED_AT, TENANT, TOKYO, token

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BEGIN = CHECKED_AT - 40 * DAY
"""When everything was seen for the first time."""
LAST_DIGEST = CHECKED_AT - 7 * DAY + timedelta(minutes=1)
WELCOME, DIGEST = "welcome", "digest 5"
_HEALTH = {Severity.WARNING: Health.WARNING, Severity.CRITICAL: Health.UNHEALTHY}


class Overview(Struct, frozen=True, kw_only=True):
    """What `render_overview` is given."""

    message: RemediationMessage
    run_rows: RunRows
    tokens: Sequence[TokenRow]
    alerts: Sequence[AlertRow]

    def card(
        self, *languages: Language, zone: ZoneInfo = TOKYO, cloud: Cloud = Cloud.GLOBAL
    ) -> Element:
        """Return the card in one language or two, English if none is named."""
        catalogues = tuple(load(language) for language in languages or (Language.EN,))
        presentation = Presentation(catalogues=catalogues, zone=zone, cloud=cloud)
        return render_overview(self.message, self.run_rows, self.tokens, self.alerts, presentation)


def ticket(batch: str, tenant: Tenant = TENANT) -> RemediationMessage:
    """Return the ticket of a welcome or of a digest."""
    return RemediationMessage(
        version=VERSION,
        kind=MessageKind.WELCOME if batch == WELCOME else MessageKind.DIGEST,
        tenant=tenant,
        checked_at=CHECKED_AT,
        check_date=date(2026, 8, 3),
        batch=batch,
    )


def run_rows(*unread: SourceRow, told_before: bool = True) -> RunRows:
    """Return the run rows after a check that read every source but those given."""
    sources = {
        kind: SourceRow(kind=kind, settled_at=CHECKED_AT, read_at=CHECKED_AT, tried_at=CHECKED_AT)
        for kind in TokenKind
    }
    return RunRows(
        run=RunRow(
            first_checked_on=BEGIN.date(),
            checked_at=CHECKED_AT,
            welcome_step=1,
            digest_step=5,
            digest_told_step=4 if told_before else 0,
            digest_told_at=LAST_DIGEST if told_before else None,
        ),
        sources=sources | {source.kind: source for source in unread},
    )


def unread_source(
    kind: TokenKind,
    reason: FailureReason = FailureReason.PERMISSION,
    *,
    ever_read: bool = True,
) -> SourceRow:
    """Return the row of a source that was read three days ago for the last time, or never."""
    return SourceRow(
        kind=kind,
        settled_at=CHECKED_AT,
        read_at=CHECKED_AT - 3 * DAY if ever_read else None,
        tried_at=CHECKED_AT,
        result=reason,
        reason=reason,
    )


def row(seen: AppleToken, **changes: object) -> TokenRow:
    """Return the row of a token that was found healthy just now and is known from the beginning."""
    known = TokenRow(token=seen, health=Health.HEALTHY, checked_at=CHECKED_AT, first_seen_at=BEGIN)
    return replace(known, **changes)


def healthy(*, ade: int = 2, vpp: int = 2, push: bool = True) -> list[TokenRow]:
    """Return the rows of tokens with nothing wrong."""
    counts = {TokenKind.ADE: ade, TokenKind.VPP: vpp, TokenKind.PUSH: int(push)}
    return [row(token(kind, number)) for kind in TokenKind for number in range(counts[kind])]


def ailing(
    problem: Problem,
    seen: AppleToken,
    severity: Severity = Severity.CRITICAL,
    *,
    since: timedelta = 3 * DAY,
    **changes: object,
) -> tuple[TokenRow, AlertRow]:
    """Return a token with a problem that the channel knows of."""
    alert = AlertRow(
        kind=seen.kind,
        token_id=seen.id,
        problem=problem,
        since=CHECKED_AT - since,
        seen_at=CHECKED_AT,
        severity=severity,
        severity_since=CHECKED_AT - since,
        stage=severity,
        step=1,
        told_step=1,
    )
    return (
        row(seen, health=_HEALTH[severity], severity=severity, problem=problem),
        replace(alert, **changes),
    )


def expired(kind: TokenKind, number: int = 0, *, days: int = 3) -> AppleToken:
    """Return a token that expired so many days before the check."""
    return token(kind, number, expires_on=CHECKED_AT - days * DAY)


def overview(
    batch: str,
    pairs: Sequence[tuple[TokenRow, AlertRow]] = (),
    *others: TokenRow,
    rows: RunRows | None = None,
    alerts: Sequence[AlertRow] = (),
) -> Overview:
    """Return an overview of tokens with problems and of others."""
    return Overview(
        message=ticket(batch),
        run_rows=rows or run_rows(told_before=batch == DIGEST),
        tokens=[*(known for known, _ in pairs), *others],
        alerts=[*(alert for _, alert in pairs), *alerts],
    )


def long_expired(kind: TokenKind, number: int, *, days: int) -> tuple[TokenRow, AlertRow]:
    """Return a token that the welcome tells alone."""
    problem = {
        TokenKind.ADE: Problem.ADE_TOKEN_EXPIRED,
        TokenKind.VPP: Problem.VPP_TOKEN_EXPIRED,
        TokenKind.PUSH: Problem.PUSH_CERTIFICATE_EXPIRED,
    }[kind]
    return ailing(
        problem,
        expired(kind, number, days=days),
        since=timedelta(0),
        told_step=0,
        batch=WELCOME,
    )


def snoozed(problem: Problem, seen: AppleToken, *, days: int) -> tuple[TokenRow, AlertRow]:
    """Return a token with a problem that an operator snoozed for so many days."""
    return ailing(
        problem,
        seen,
        snoozed_until=CHECKED_AT + days * DAY,
        snoozed_at=CHECKED_AT - DAY,
        snoozed_by="operator@contoso.example",
        snooze_reason="The office closes at the end of the month",
    )


def source_alert(kind: TokenKind, severity: Severity = Severity.CRITICAL) -> AlertRow:
    """Return the alert of a source that could not be checked."""
    return AlertRow(
        kind=kind,
        token_id=SOURCE_ID,
        problem=Problem.COULD_NOT_CHECK,
        since=CHECKED_AT - 2 * DAY,
        seen_at=CHECKED_AT,
        severity=severity,
        step=1,
        told_step=1,
    )
