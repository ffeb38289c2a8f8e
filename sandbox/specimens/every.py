"""Every sort of card that can be made: problem by severity, reason, kind and shape of the rows."""

from collections.abc import Iterator

from apple_tokens.model import FailureReason, Problem, Reason, TokenKind
from sandbox.specimens.alerts import (
    Specimen,
    accepted,
    batch,
    fixed,
    renewed,
    sync_failed,
    trial_message,
    unread,
    without_rows,
)
from sandbox.specimens.overviews import (
    DIGEST,
    WELCOME,
    Overview,
    expired,
    healthy,
    long_expired,
    overview,
    run_rows,
    snoozed,
    unread_source,
)
from sandbox.specimens.sample_overviews import every_problem, first_day, troubled
from sandbox.specimens.tokens import kinds_of, severities_of


def every_specimen() -> Iterator[tuple[str, Specimen]]:
    """Return every sort of card, by a name that says which."""
    for problem in Problem:
        if problem is Problem.COULD_NOT_CHECK:
            continue
        for severity in severities_of(problem):
            for reason in (Reason.NEW, Reason.WORSE, Reason.AGAIN, Reason.REMINDER):
                for kind in kinds_of(problem):
                    name = f"{problem}-{severity}-{reason}-{kind}"
                    yield name, batch(problem, severity, reason, kinds=[kind])
            yield f"{problem}-{severity}-many", batch(problem, severity, count=12)
            yield f"{problem}-{severity}-bare", without_rows(batch(problem, severity))
        yield f"{problem}-fixed", fixed(problem)
    for row in range(1, 12):
        yield f"ade_sync_failed-row_{row}", sync_failed(row)
    for cause in FailureReason:
        yield f"could_not_check-{cause}", unread(cause, TokenKind.VPP, known=7)
        yield f"could_not_check-{cause}-all", unread(cause, *TokenKind, known=2)
    for kind in TokenKind:
        yield f"renewed-{kind}", renewed(kind, synced_since=None)
    yield "renewed-synced", renewed(TokenKind.ADE, synced_since=True)
    yield "renewed-not_synced", renewed(TokenKind.VPP, synced_since=False)
    yield (
        "renewed-account",
        renewed(
            TokenKind.PUSH, synced_since=None, old_apple_account="somebody-else@contoso.example"
        ),
    )
    yield "fixed-source", fixed(Problem.COULD_NOT_CHECK)
    yield "fixed-many", fixed(Problem.ADE_SYNC_FAILED, Problem.ADE_SYNC_STALE, count=30)
    yield "accepted", accepted()
    yield "test", trial_message()


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


def everything() -> dict[str, Specimen | Overview]:
    """Return every sort of card, overviews included, by a name that says which."""
    return {**dict(every_specimen()), **dict(every_overview())}
