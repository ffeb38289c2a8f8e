"""Every sort of card that can be made: problem by severity, reason, kind and shape of the rows."""

from collections.abc import Iterator

from apple_tokens.model import FailureReason, Problem, Reason, TokenKind
from tests.specimens import (
    Specimen,
    accepted,
    batch,
    fixed,
    kinds_of,
    renewed,
    severities_of,
    sync_failed,
    trial_message,
    unread,
    without_rows,
)


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
