"""The second way to people: which critical problems the log says to be open for too long."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.model import EXPIRING, Facts, Problem, Severity, TokenKind
from apple_tokens.rows import AlertRow
from check_tokens.escalation import escalate
from check_tokens.policy import Policy
from tests.builders import DAY, HOUR, NOW, SECOND, alert, moment, told

CRITICAL = Severity.CRITICAL
TERMS = Problem.ADE_TERMS_NOT_ACCEPTED
LONG = 20 * DAY


def open_for(age: timedelta, problem: Problem = TERMS, **changes: object) -> AlertRow:
    """Return a critical alert, told when it was new, that is open for so long."""
    since = NOW - age
    row = told(alert(problem, CRITICAL, since=since, severity_since=since))
    return replace(row, **changes)


def is_said(row: AlertRow, policy: Policy | None = None) -> bool:
    after = escalate(row, moment(), policy or Policy())
    assert replace(after, escalated_at=row.escalated_at) == row
    return after.escalated_at == NOW


@pytest.mark.parametrize(
    "age,said",
    [(3 * DAY - SECOND, False), (3 * DAY, True), (3 * DAY + SECOND, True)],
    ids=str,
)
def test_a_critical_problem_is_escalated_when_it_is_open_for_three_days(
    age: timedelta, *, said: bool
) -> None:
    assert is_said(open_for(age)) is said


def test_the_days_follow_the_setting() -> None:
    assert is_said(open_for(DAY), Policy(escalate_days=1))
    assert not is_said(open_for(9 * DAY), Policy(escalate_days=10))


def test_the_days_count_from_when_it_became_critical() -> None:
    assert not is_said(open_for(LONG, severity_since=NOW - DAY))
    assert is_said(open_for(LONG, severity_since=None))


@pytest.mark.parametrize("problem", Problem)
def test_a_warning_is_never_escalated(problem: Problem) -> None:
    assert not is_said(open_for(LONG, problem, severity=Severity.WARNING))


@pytest.mark.parametrize(
    "problem",
    [
        Problem.PUSH_CERTIFICATE_EXPIRED,
        Problem.PUSH_CERTIFICATE_EXPIRING,
        Problem.PUSH_CERTIFICATE_REPLACED,
        Problem.PUSH_CERTIFICATE_MISSING,
    ],
)
def test_what_is_critical_about_the_push_certificate_is_escalated_at_once(
    problem: Problem,
) -> None:
    assert is_said(open_for(timedelta(0), problem))


def test_so_is_a_push_certificate_that_cannot_be_read() -> None:
    unread = open_for(timedelta(0), Problem.COULD_NOT_CHECK, kind=TokenKind.PUSH)

    assert is_said(unread)


@pytest.mark.parametrize(
    "left,said",
    [(3 * DAY + SECOND, False), (3 * DAY, True), (3 * DAY - SECOND, True), (-DAY, True)],
    ids=str,
)
@pytest.mark.parametrize("kind", [TokenKind.ADE, TokenKind.VPP])
def test_a_token_is_escalated_from_three_days_before_its_expiry_whenever_it_became_critical(
    kind: TokenKind, left: timedelta, *, said: bool
) -> None:
    facts = Facts(old_expires_on=NOW + left)

    assert is_said(open_for(timedelta(0), EXPIRING[kind], facts=facts)) is said
    assert is_said(open_for(LONG, EXPIRING[kind], facts=facts)) is said


@pytest.mark.parametrize("problem", [Problem.ADE_TOKEN_EXPIRED, Problem.VPP_TOKEN_EXPIRED], ids=str)
def test_a_token_that_has_expired_is_past_waiting(problem: Problem) -> None:
    assert is_said(open_for(timedelta(0), problem))


def test_what_was_never_to_be_told_is_not_escalated() -> None:
    waiting = alert(Problem.ADE_SYNC_FAILED, CRITICAL, since=NOW - LONG, severity_since=NOW - LONG)

    assert not is_said(waiting)


def test_what_could_not_be_delivered_is_escalated_all_the_same() -> None:
    """This way does not lead through Teams."""
    undelivered = alert(TERMS, CRITICAL, since=NOW - LONG, severity_since=NOW - LONG, step=1)

    assert is_said(undelivered)


@pytest.mark.parametrize(
    "changes",
    [{"silenced": True}, {"clear_since": NOW - HOUR}, {"ended_at": NOW}],
    ids=["silenced", "perhaps over", "over"],
)
def test_what_is_silenced_or_over_is_not_escalated(changes: dict[str, object]) -> None:
    assert not is_said(replace(open_for(LONG), **changes))


def test_what_is_snoozed_is_not_escalated() -> None:
    snoozed = open_for(LONG, snoozed_at=NOW - DAY, snoozed_until=NOW + SECOND)

    assert not is_said(snoozed)
    assert is_said(replace(snoozed, snoozed_until=NOW))


@pytest.mark.parametrize(
    "said_before,again",
    [
        (DAY, False),
        (6 * DAY, False),
        # Checks come at the same time of day only by and large, and summer time takes an hour.
        (7 * DAY - HOUR - 10 * SECOND, True),
        (7 * DAY, True),
        (30 * DAY, True),
    ],
    ids=str,
)
def test_it_is_said_once_and_then_weekly(said_before: timedelta, *, again: bool) -> None:
    assert is_said(open_for(LONG, escalated_at=NOW - said_before)) is again


def test_a_daily_check_says_it_every_seventh_day() -> None:
    row, said = open_for(timedelta(0)), list[int]()
    for day in range(30):
        now = NOW + day * DAY - (day % 3) * SECOND
        row = escalate(row, moment(now), Policy())
        if row.escalated_at == now:
            said.append(day)

    assert said == [3, 10, 17, 24]


@pytest.mark.parametrize("said_at", [None, NOW - DAY])
def test_a_problem_that_ended_can_be_escalated_again_when_it_is_back(
    said_at: datetime | None,
) -> None:
    ended = escalate(open_for(LONG, escalated_at=said_at, ended_at=NOW), moment(), Policy())

    assert ended.escalated_at is None
