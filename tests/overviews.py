"""Tenants of every sort that welcome and digest are made for, as the rows of a check hold them."""

from collections.abc import Iterator, Sequence
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
from tests.specimens import CHECKED_AT, TENANT, TOKYO, kinds_of, severities_of, token

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


def troubled() -> Overview:
    """Return the digest of a tenant that has something for every part of the card."""
    pairs = [
        ailing(Problem.ADE_TOKEN_EXPIRED, expired(TokenKind.ADE, 0, days=20), since=20 * DAY),
        ailing(Problem.ADE_TOKEN_EXPIRED, expired(TokenKind.ADE, 1, days=3)),
        ailing(
            Problem.ADE_TOKEN_EXPIRING,
            token(TokenKind.ADE, 2, expires_on=CHECKED_AT + 12 * DAY + HOUR),
            Severity.WARNING,
        ),
        ailing(
            Problem.ADE_SYNC_FAILED,
            token(TokenKind.ADE, 3, sync_error_code=17),
            Severity.WARNING,
            step=0,
            told_step=0,
        ),
        ailing(
            Problem.ADE_SYNC_STALE,
            token(TokenKind.ADE, 4),
            Severity.WARNING,
            clear_since=CHECKED_AT,
        ),
        snoozed(Problem.VPP_TOKEN_EXPIRED, expired(TokenKind.VPP, 0, days=90), days=30),
    ]
    others = [
        row(token(TokenKind.VPP, 1), health=Health.UNKNOWN, checked_at=CHECKED_AT - 3 * DAY),
        row(token(TokenKind.PUSH)),
        row(token(TokenKind.ADE, 8, name="Kyoto 京都"), first_seen_at=CHECKED_AT - DAY),
        row(
            token(TokenKind.ADE, 9, name="Loaned iPads"),
            health=Health.UNKNOWN,
            absent_since=CHECKED_AT,
        ),
    ]
    return overview(
        DIGEST,
        pairs,
        *others,
        rows=run_rows(unread_source(TokenKind.VPP)),
        alerts=[source_alert(TokenKind.VPP)],
    )


def first_day() -> Overview:
    """Return the welcome of a tenant in which much was left undone."""
    pairs = [
        ailing(Problem.ADE_TOKEN_EXPIRED, expired(TokenKind.ADE, 0), told_step=0),
        ailing(Problem.ADE_TERMS_NOT_ACCEPTED, token(TokenKind.ADE, 1), told_step=0),
        ailing(Problem.ADE_TERMS_NOT_ACCEPTED, token(TokenKind.ADE, 2), told_step=0),
        *(long_expired(TokenKind.ADE, 10 + n, days=40 + 70 * n) for n in range(3)),
        *(long_expired(TokenKind.VPP, 10 + n, days=400 + n) for n in range(4)),
    ]
    return overview(WELCOME, pairs, *healthy(ade=0, vpp=9))


def every_problem(batch: str) -> Overview:
    """Return a tenant with every problem at every severity, two of each."""
    pairs = []
    for problem in Problem:
        if problem is Problem.COULD_NOT_CHECK:
            continue
        for severity in severities_of(problem):
            for number in range(2):
                seen = token(kinds_of(problem)[0], number)
                seen = replace(seen, id=f"{problem}-{severity}-{number}")
                pairs.append(ailing(problem, seen, severity))
    return overview(batch, pairs)


def large(batch: str, name: str = "{kind} {number:04}", text: str = "") -> Overview:
    """Return the largest tenant that Apple allows, half of it with problems."""
    seen = [token(TokenKind.PUSH)]
    seen += [token(TokenKind.ADE, n) for n in range(2_000)]
    seen += [token(TokenKind.VPP, n) for n in range(3_000)]
    tokens, alerts = list[TokenRow](), list[AlertRow]()
    for number, one in enumerate(seen):
        named = replace(
            one,
            name=name.format(kind=one.kind, number=number),
            **({"location": text, "apple_account": text} if text else {}),
        )
        problems = [
            (problem, severity)
            for problem in Problem
            if one.kind in kinds_of(problem) and problem is not Problem.COULD_NOT_CHECK
            for severity in severities_of(problem)
        ]
        problem, severity = problems[number % len(problems)]
        if number % 2:
            tokens.append(row(named, first_seen_at=CHECKED_AT - DAY * (number % 3)))
            continue
        known, alert = ailing(problem, named, severity)
        if number % 10 == 0:
            known, alert = snoozed(problem, named, days=number % 90)
            alert = replace(alert, snooze_reason=text or alert.snooze_reason)
        if number % 14 == 0:
            known, alert = long_expired(one.kind, number, days=50)
            known = replace(known, token=replace(named, expires_on=known.token.expires_on))
            alert = replace(alert, token_id=named.id)
        tokens.append(known)
        alerts.append(alert)
    return replace(overview(batch, alerts=alerts), tokens=tokens)


def every_overview() -> Iterator[tuple[str, Overview]]:
    """Return every sort of welcome and digest, by a name that says which."""
    vpp_unread = run_rows(unread_source(TokenKind.VPP, FailureReason.UNAVAILABLE))
    never_read = run_rows(unread_source(TokenKind.VPP, ever_read=False), told_before=False)
    yield "welcome-healthy", overview(WELCOME, [], *healthy())
    yield "welcome-first_day", first_day()
    yield "welcome-unread", overview(WELCOME, [], *healthy(vpp=0), rows=never_read)
    yield "welcome-nothing_configured", overview(WELCOME)
    yield (
        "welcome-push_certificate",
        overview(WELCOME, [long_expired(TokenKind.PUSH, 0, days=45)], *healthy(push=False)),
    )
    yield "welcome-every_problem", every_problem(WELCOME)
    yield "digest-healthy", overview(DIGEST, [], *healthy())
    yield "digest-many_healthy", overview(DIGEST, [], *healthy(ade=20, vpp=60))
    yield "digest-troubled", troubled()
    yield "digest-unread", overview(DIGEST, [], *healthy(), rows=vpp_unread)
    yield "digest-nothing_configured", overview(DIGEST)
    yield (
        "digest-snoozed",
        overview(
            DIGEST,
            [snoozed(Problem.ADE_TOKEN_EXPIRED, expired(TokenKind.ADE, 7), days=20)],
            *healthy(),
        ),
    )
    yield "digest-every_problem", every_problem(DIGEST)
