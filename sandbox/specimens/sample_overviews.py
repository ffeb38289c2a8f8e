"""Overviews of tenants that have something for every part of the card."""

from msgspec.structs import replace

from apple_tokens.model import Health, Problem, Severity, TokenKind
from sandbox.specimens.overviews import (
    DAY,
    DIGEST,
    HOUR,
    WELCOME,
    Overview,
    ailing,
    expired,
    healthy,
    long_expired,
    overview,
    row,
    run_rows,
    snoozed,
    source_alert,
    unread_source,
)
from sandbox.specimens.tokens import CHECKED_AT, kinds_of, severities_of, token


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
