"""One new sync error on most tokens at once is said to look like one cause."""

import pytest
from msgspec.structs import replace

from apple_tokens.model import Facts, Problem, Reason, Severity, TokenKind
from apple_tokens.rows import AlertRow
from check_tokens.assessment import Assessment
from check_tokens.common_cause import mark_common_cause
from tests.builders import ade, alert, row, told

FAILED = Problem.ADE_SYNC_FAILED
TERMS = Problem.ADE_TERMS_NOT_ACCEPTED


def failing(number: int, code: int = 8, problem: Problem = FAILED) -> AlertRow:
    """Return the new alert of one of the tokens."""
    return alert(
        problem,
        Severity.CRITICAL,
        token_id=f"a-{number}",
        step=1,
        reason=Reason.NEW,
        facts=Facts(sync_error_code=code),
    )


def marked(tokens: int, *alerts: AlertRow) -> list[bool]:
    """Return which of the alerts of a source with so many tokens look like one cause."""
    assessment = Assessment(
        kind=TokenKind.ADE,
        tokens=tuple(row(ade(id=f"a-{number}")) for number in range(tokens)),
        alerts=alerts,
    )
    after = mark_common_cause(assessment)
    unmarked = tuple(
        replace(a, facts=replace(a.facts, looks_like_one_cause=False)) for a in after.alerts
    )
    assert replace(after, alerts=unmarked) == assessment
    return [one.facts.looks_like_one_cause for one in after.alerts]


@pytest.mark.parametrize(
    "tokens,count,common",
    [(7, 3, False), (6, 3, False), (5, 3, True), (3, 3, True), (40, 21, True), (40, 20, False)],
)
def test_more_than_half_of_the_tokens_look_like_one_cause(
    tokens: int, count: int, *, common: bool
) -> None:
    assert marked(tokens, *(failing(number) for number in range(count))) == [common] * count


def test_one_or_two_tokens_are_no_pattern() -> None:
    assert marked(1, failing(0)) == [False]
    assert marked(2, failing(0), failing(1)) == [False, False]


@pytest.mark.parametrize("problem", [FAILED, TERMS, Problem.VPP_SYNC_FAILED])
def test_every_sync_error_can_be_common(problem: Problem) -> None:
    assert marked(3, *(failing(number, problem=problem) for number in range(3))) == [True] * 3


def test_only_the_same_error_counts() -> None:
    others = [failing(0, 8), failing(1, 8), failing(2, 9), failing(3, 3, TERMS)]

    assert marked(4, *others) == [False] * 4
    assert marked(5, *(failing(n) for n in range(3)), failing(4, 9)) == [True, True, True, False]


@pytest.mark.parametrize(
    "known",
    [
        told(failing(0)),
        replace(failing(0), reason=Reason.REMINDER),
        replace(failing(0), step=0),
        failing(0, problem=Problem.ADE_SYNC_STALE),
    ],
    ids=["told", "not new", "not to be told", "another problem"],
)
def test_only_new_sync_errors_count(known: AlertRow) -> None:
    assert marked(4, known, failing(1), failing(2)) == [False] * 3
    assert marked(4, known, *(failing(n) for n in (1, 2, 3))) == [False, True, True, True]
