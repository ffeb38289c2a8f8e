"""Which alerts share a card, and the ticket that leads to them."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import Facts, FailureReason, Problem, Reason, Severity, Tenant, TokenKind
from apple_tokens.rows import AlertRow
from check_tokens import batches
from check_tokens.policy import Policy
from tests.builders import DAY, HOUR, NOW, alert, moment, told

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
TENANT = Tenant(id="00000000-0000-0000-0000-000000000001", name="Contoso")
TERMS = Problem.ADE_TERMS_NOT_ACCEPTED
EXPIRING = Problem.ADE_TOKEN_EXPIRING


def untold(
    problem: Problem = TERMS,
    severity: Severity = CRITICAL,
    reason: Reason = Reason.NEW,
    **changes: object,
) -> AlertRow:
    """Return an alert whose next step waits to be told."""
    return replace(alert(problem, severity, step=1, reason=reason), **changes)


def batch_of(row: AlertRow, now: datetime = NOW) -> str:
    (assigned,) = batches.assign([row], moment(now))
    return assigned.batch


def tickets(*alerts: AlertRow, policy: Policy | None = None) -> list[RemediationMessage]:
    """Return the tickets of one check at NOW."""
    assigned = batches.assign(alerts, moment())
    return batches.messages(assigned, TENANT, moment(), policy or Policy())


def test_a_batch_is_named_after_check_problem_stage_and_reason() -> None:
    row = untold(EXPIRING, WARNING, Reason.WORSE, stage="14")

    assert batch_of(row) == "20260302T080000.000000Z ade_token_expiring 14 worse"


def test_a_batch_is_named_in_utc_to_the_microsecond() -> None:
    tokyo = datetime(2026, 3, 2, 17, 0, 0, 12, tzinfo=timezone(9 * HOUR))

    assert batch_of(untold(), tokyo).startswith("20260302T080000.000012Z ")


@pytest.mark.parametrize("cause", FailureReason)
def test_a_batch_of_unread_sources_has_one_cause(cause: FailureReason) -> None:
    row = untold(Problem.COULD_NOT_CHECK, facts=Facts(cause=cause))

    assert batch_of(row) == f"20260302T080000.000000Z could_not_check critical new {cause}"


def test_other_problems_have_no_cause_in_their_batch() -> None:
    row = untold(TERMS, facts=Facts(cause=FailureReason.THROTTLED))

    assert FailureReason.THROTTLED not in batch_of(row)


def test_all_that_was_fixed_by_one_check_is_one_batch() -> None:
    fixed = [
        untold(problem, reason=Reason.FIXED, kind=kind)
        for problem, kind in [
            (TERMS, TokenKind.ADE),
            (EXPIRING, TokenKind.ADE),
            (Problem.VPP_TOKEN_EXPIRED, TokenKind.VPP),
            (Problem.COULD_NOT_CHECK, TokenKind.PUSH),
        ]
    ]

    assert {batch_of(row) for row in fixed} == {"20260302T080000.000000Z fixed"}
    (ticket,) = tickets(*fixed)
    assert ticket == RemediationMessage(
        version=VERSION,
        kind=MessageKind.ALERTS,
        tenant=TENANT,
        checked_at=NOW,
        check_date=NOW.date(),
        batch="20260302T080000.000000Z fixed",
        reason=Reason.FIXED,
        count=4,
    )


def test_an_accepted_topic_is_no_fix() -> None:
    accepted = untold(Problem.PUSH_CERTIFICATE_REPLACED, reason=Reason.ACCEPTED)

    assert batch_of(accepted).endswith(" push_certificate_replaced critical accepted")
    (ticket,) = tickets(accepted)
    assert (ticket.problem, ticket.severity) == (Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL)


@pytest.mark.parametrize(
    "one,other",
    [
        (untold(TERMS), untold(Problem.ADE_TOKEN_EXPIRED)),
        (untold(EXPIRING, stage="7"), untold(EXPIRING, stage="3")),
        (untold(TERMS), untold(TERMS, reason=Reason.REMINDER)),
        (untold(TERMS), untold(TERMS, reason=Reason.FIXED)),
    ],
    ids=["problem", "stage", "reason", "fixed"],
)
def test_another_problem_stage_or_reason_is_another_card(one: AlertRow, other: AlertRow) -> None:
    both = tickets(replace(one, token_id="a-1"), replace(other, token_id="a-2"))

    assert [ticket.count for ticket in both] == [1, 1]


def test_forty_tokens_are_one_ticket() -> None:
    (ticket,) = tickets(*(untold(token_id=f"a-{number}") for number in range(40)))

    assert ticket == RemediationMessage(
        version=VERSION,
        kind=MessageKind.ALERTS,
        tenant=TENANT,
        checked_at=NOW,
        check_date=NOW.date(),
        batch="20260302T080000.000000Z ade_terms_not_accepted critical new",
        problem=TERMS,
        reason=Reason.NEW,
        stage="critical",
        severity=CRITICAL,
        count=40,
    )


def test_a_ticket_is_as_severe_as_the_worst_of_its_alerts() -> None:
    rows = [untold(EXPIRING, severity, stage="7") for severity in (WARNING, CRITICAL, WARNING)]

    (ticket,) = tickets(*rows)

    assert ticket.severity is CRITICAL


def test_what_is_told_keeps_its_batch_and_has_no_ticket() -> None:
    known = told(alert(TERMS), batch="an older one")

    assert batches.assign([known], moment()) == [known]
    assert tickets(known) == []


def test_an_untold_alert_without_a_batch_has_no_ticket() -> None:
    assert batches.messages([untold()], TENANT, moment(), Policy()) == []


def test_what_the_welcome_tells_has_no_ticket_of_its_own() -> None:
    assert batches.messages([untold(batch="welcome")], TENANT, moment(), Policy()) == []


def test_each_check_puts_what_is_still_untold_into_a_batch_of_its_own() -> None:
    (yesterday,) = batches.assign([untold()], moment(NOW - DAY))

    assert batch_of(yesterday) == "20260302T080000.000000Z ade_terms_not_accepted critical new"


def test_a_batch_that_is_queued_again_keeps_the_time_of_the_check_that_made_it() -> None:
    (row,) = batches.assign([untold()], moment(NOW - HOUR))

    (ticket,) = batches.messages([row], TENANT, moment(), Policy())

    assert ticket.checked_at == NOW - HOUR
    assert ticket.check_date == date(2026, 3, 1)


def test_the_check_date_of_a_ticket_follows_the_time_zone() -> None:
    auckland = Policy(time_zone=ZoneInfo("Pacific/Auckland"), check_at=time(8))

    (ticket,) = tickets(untold(), policy=auckland)

    assert ticket.check_date == date(2026, 3, 2)
    (later,) = batches.messages(
        batches.assign([untold()], moment(NOW + 12 * HOUR)), TENANT, moment(), auckland
    )
    assert later.check_date == date(2026, 3, 3)
    assert later.checked_at.utcoffset() == timedelta(0)
    assert later.checked_at.tzinfo is UTC


@pytest.mark.parametrize("batch", ["edited by hand", "2026-03-01", "00010101T000000 x"])
def test_a_batch_with_a_name_that_somebody_edited_is_told_as_of_now(batch: str) -> None:
    (ticket,) = batches.messages([untold(batch=batch)], TENANT, moment(), Policy())

    assert (ticket.batch, ticket.checked_at) == (batch, NOW)


def test_the_worst_comes_first_and_good_news_last() -> None:
    found = tickets(
        untold(Problem.PUSH_CERTIFICATE_REPLACED, reason=Reason.ACCEPTED),
        untold(TERMS, reason=Reason.FIXED),
        untold(Problem.EXPIRY_UNKNOWN, WARNING),
        untold(TERMS, CRITICAL),
        untold(EXPIRING, CRITICAL, stage="7"),
        untold(Problem.ADE_SYNC_STALE, WARNING),
    )

    assert [ticket.problem for ticket in found] == [
        TERMS,
        EXPIRING,
        Problem.ADE_SYNC_STALE,
        Problem.EXPIRY_UNKNOWN,
        Problem.PUSH_CERTIFICATE_REPLACED,
        None,
    ]
