"""A clock that was far ahead for one check silences nothing once it is right again."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.model import NotConfigured, Problem, Severity, TokenKind
from apple_tokens.rows import AlertRow, RunRow, SourceRow, TokenRow
from check_tokens.assessment import Known, assess
from check_tokens.clock_steps import until_now
from check_tokens.escalation import escalate
from check_tokens.occasions import Sources, plan
from check_tokens.policy import Policy
from tests.builders import DAY, NOW, SECOND, alert, moment, row, told, vpp

FAR = NOW + 3_650 * DAY
DONE = Sources(all_settled=True, any_read=True)


@pytest.mark.parametrize(
    "ahead,is_kept", [(-DAY, True), (DAY, True), (DAY + SECOND, False), (FAR - NOW, False)], ids=str
)
def test_a_time_more_than_a_day_ahead_counts_as_now(ahead: timedelta, *, is_kept: bool) -> None:
    known = row(vpp(), absent_since=NOW + ahead)

    assert until_now(known, NOW).absent_since == (NOW + ahead if is_kept else NOW)


@pytest.mark.parametrize("name", ["since", "seen_at", "clear_since", "ended_at", "escalated_at"])
def test_each_time_of_an_alert_counts(name: str) -> None:
    begun = alert(Problem.VPP_SYNC_FAILED)

    assert getattr(until_now(replace(begun, **{name: FAR}), NOW), name) == NOW


def test_a_token_that_went_missing_under_a_wrong_clock_is_told_as_removed() -> None:
    known: tuple[TokenRow, ...] = (row(vpp(), absent_since=FAR),)
    alerts: tuple[AlertRow, ...] = ()
    for days in range(3):
        after = assess(
            TokenKind.VPP,
            NotConfigured(),
            Known(tokens=known, alerts=alerts),
            SourceRow(kind=TokenKind.VPP),
            moment(NOW + days * DAY),
            Policy(),
        )
        known, alerts = after.tokens, after.alerts

    assert [one.problem for one in alerts if one.is_untold] == [Problem.TOKEN_REMOVED]


def test_an_alert_that_was_escalated_under_a_wrong_clock_is_escalated_again() -> None:
    expired = told(alert(Problem.PUSH_CERTIFICATE_EXPIRED, Severity.CRITICAL))

    after = escalate(replace(expired, escalated_at=FAR), moment(), Policy())

    assert after.escalated_at == NOW


@pytest.mark.parametrize("ahead,is_due", [(14, False), (15, True), (3_650, True)])
def test_a_digest_that_was_told_under_a_wrong_clock_is_told_again(
    ahead: int, *, is_due: bool
) -> None:
    told_on = NOW.date() + ahead * DAY
    run = RunRow(digest_step=1, digest_told_step=1, digest_told_check_date=told_on)

    assert plan(run, DONE, moment(), Policy()).digest_is_untold is is_due
