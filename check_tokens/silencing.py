"""Which findings a cause silences, and which one counts (pure)."""

from collections.abc import Iterable, Sequence

import msgspec

from apple_tokens.model import EXPIRED, EXPIRING, Problem, TokenKind
from check_tokens.finding import Finding

_STALE = frozenset({Problem.ADE_SYNC_STALE, Problem.VPP_SYNC_STALE})
_SYNC_PROBLEMS = _STALE | {Problem.ADE_SYNC_FAILED, Problem.VPP_SYNC_FAILED}
_SILENCED_BY: dict[Problem, frozenset[Problem]] = {
    **{
        EXPIRED[kind]: _SYNC_PROBLEMS
        | {EXPIRING[kind], Problem.VPP_TOKEN_INVALID, Problem.EXPIRY_UNKNOWN}
        for kind in TokenKind
    },
    Problem.ADE_TERMS_NOT_ACCEPTED: _STALE,
    Problem.ADE_SYNC_FAILED: _STALE,
    Problem.VPP_SYNC_FAILED: _STALE,
}
_ORDER = {problem: number for number, problem in enumerate(Problem)}


def silence(findings: Sequence[Finding], *, settling: bool) -> tuple[Finding, ...]:
    """Return the findings of one token, the worst first, those marked that a cause silences.

    What still waits for a second sight is no cause. `settling` for the time after a renewal, when
    what stands about syncs is still about the old token.
    """
    silenced = set(_SYNC_PROBLEMS) if settling else set()
    for cause in findings:
        if not cause.unsure:
            silenced |= _SILENCED_BY.get(cause.problem, frozenset())
    marked = (
        msgspec.structs.replace(f, silenced=f.silenced or f.problem in silenced) for f in findings
    )
    return tuple(sorted(marked, key=_rank))


def worst(findings: Iterable[Finding]) -> Finding | None:
    """Return the first finding that is not silenced; of sorted ones that is the worst."""
    return next((finding for finding in findings if not finding.silenced), None)


def _rank(finding: Finding) -> tuple[bool, bool, int, int]:
    return (
        finding.silenced,
        finding.unsure,
        -finding.severity.rank,
        _ORDER[finding.problem],
    )
