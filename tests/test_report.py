"""What a check leaves in the log, for the alarms and the workbook."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.events import (
    AlertQueued,
    AlertUndelivered,
    CheckFinished,
    Event,
    ProblemEscalated,
    TokenCount,
    TokenStatus,
)
from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import (
    SOURCE_ID,
    FailureReason,
    Health,
    NotConfigured,
    Problem,
    Reason,
    Severity,
    SourceResult,
    Tenant,
    TokenKind,
)
from apple_tokens.rows import AlertRow
from check_tokens.assessment import Assessment
from check_tokens.report import band, escalations_of, events_of
from tests.builders import DAY, NOW, SECOND, ade, alert, failed, moment, read, row, told, vpp

TENANT = Tenant(id="tenant-1", name="Contoso")
TERMS = Problem.ADE_TERMS_NOT_ACCEPTED
EMPTY = Assessment(kind=TokenKind.ADE)


def report(
    results: Mapping[TokenKind, SourceResult] | None = None,
    assessments: Sequence[Assessment] = (),
    alerts: Sequence[AlertRow] = (),
    messages: Sequence[RemediationMessage] = (),
) -> list[Event]:
    """Return the events of a check at NOW."""
    return list(events_of(TENANT, results or {}, assessments, alerts, messages, moment()))


def test_a_tick_that_settled_nothing_did_not_finish_a_check() -> None:
    assert report({TokenKind.ADE: failed()}) == []


def test_a_check_says_in_the_end_what_each_source_answered() -> None:
    answers: dict[TokenKind, SourceResult] = {
        TokenKind.ADE: read(ade()),
        TokenKind.VPP: NotConfigured(),
        TokenKind.PUSH: failed(FailureReason.PERMISSION),
    }

    events = report(answers, [EMPTY])

    assert events == [
        CheckFinished(
            tenant_id="tenant-1",
            checked_at=NOW,
            check_date=NOW.date(),
            sources={
                TokenKind.ADE: "tokens_read",
                TokenKind.VPP: "not_configured",
                TokenKind.PUSH: "permission",
            },
            tokens=(),
            open_problems=0,
            queued=0,
        )
    ]


def test_tokens_are_counted_by_kind_health_and_days_left() -> None:
    part = Assessment(
        kind=TokenKind.ADE,
        tokens=(
            row(vpp(), health=Health.HEALTHY, days_left=300),
            row(ade(), health=Health.HEALTHY, days_left=100),
            row(ade(id="a-2"), health=Health.HEALTHY, days_left=200),
            row(ade(id="a-3"), health=Health.UNHEALTHY, days_left=-1),
        ),
    )

    finished = report(assessments=[part])[-1]

    assert isinstance(finished, CheckFinished)
    assert finished.tokens == (
        TokenCount(kind=TokenKind.ADE, health=Health.HEALTHY, band="over_90", count=2),
        TokenCount(kind=TokenKind.ADE, health=Health.UNHEALTHY, band="expired", count=1),
        TokenCount(kind=TokenKind.VPP, health=Health.HEALTHY, band="over_90", count=1),
    )


@pytest.mark.parametrize(
    "days_left,name",
    [
        (None, "unknown"),
        (-400, "expired"),
        (-1, "expired"),
        (0, "0-7"),
        (7, "0-7"),
        (8, "8-30"),
        (30, "8-30"),
        (31, "31-90"),
        (90, "31-90"),
        (91, "over_90"),
    ],
)
def test_days_left_fall_into_bands(days_left: int | None, name: str) -> None:
    assert band(days_left) == name


def test_every_token_that_is_not_healthy_has_its_line() -> None:
    unwell = row(
        ade(),
        health=Health.UNHEALTHY,
        problem=TERMS,
        severity=Severity.CRITICAL,
        days_left=300,
    )
    unknown = row(ade(id="a-2"), health=Health.UNKNOWN)
    healthy = row(ade(id="a-3"), health=Health.HEALTHY)
    part = Assessment(kind=TokenKind.ADE, tokens=(unwell, unknown, healthy))

    status, other, _ = report(assessments=[part])

    assert status == TokenStatus(
        tenant_id="tenant-1",
        kind=TokenKind.ADE,
        token_id="a-1",
        name="Head office iPads",
        health=Health.UNHEALTHY,
        problem=TERMS,
        severity=Severity.CRITICAL,
        expires_on=NOW + 300 * DAY,
        days_left=300,
    )
    assert isinstance(other, TokenStatus)
    assert (other.token_id, other.problem) == ("a-2", None)


def test_open_problems_are_those_that_are_neither_over_nor_silenced() -> None:
    alerts = [
        alert(TERMS),
        told(alert(TERMS)),
        alert(TERMS, ended_at=NOW),
        alert(TERMS, silenced=True),
    ]

    finished = report(assessments=[EMPTY], alerts=alerts)[-1]

    assert isinstance(finished, CheckFinished)
    assert finished.open_problems == 2


def test_each_ticket_has_its_line() -> None:
    ticket = RemediationMessage(
        version=VERSION,
        kind=MessageKind.ALERTS,
        tenant=TENANT,
        checked_at=NOW,
        check_date=NOW.date(),
        batch="b",
        problem=TERMS,
        reason=Reason.NEW,
        stage="critical",
        severity=Severity.CRITICAL,
        count=3,
    )

    queued, finished = report(assessments=[EMPTY], messages=[ticket])

    assert queued == AlertQueued(
        tenant_id="tenant-1",
        batch="b",
        problem=TERMS,
        reason=Reason.NEW,
        stage="critical",
        severity=Severity.CRITICAL,
        count=3,
    )
    assert isinstance(finished, CheckFinished)
    assert finished.queued == 1


def _untold(due: timedelta | None, problem: Problem = TERMS) -> AlertRow:
    return alert(problem, step=1, due_since=None if due is None else NOW - due)


@pytest.mark.parametrize(
    "due,is_late",
    [(None, False), (DAY - SECOND, False), (DAY, False), (DAY + SECOND, True)],
    ids=str,
)
def test_an_alert_is_undelivered_when_it_was_due_over_a_day_ago(
    due: timedelta | None, *, is_late: bool
) -> None:
    assert bool(report(alerts=[_untold(due)])) is is_late


def test_what_was_told_is_not_undelivered() -> None:
    assert report(alerts=[replace(told(alert(TERMS)), due_since=NOW - 9 * DAY)]) == []


def test_undelivered_alerts_have_one_line_a_problem() -> None:
    late = [
        _untold(2 * DAY),
        _untold(3 * DAY),
        _untold(2 * DAY + SECOND),
        _untold(9 * DAY, Problem.ADE_SYNC_STALE),
    ]

    assert report(alerts=late) == [
        AlertUndelivered(tenant_id="tenant-1", problem=TERMS, count=3, due_since=NOW - 3 * DAY),
        AlertUndelivered(
            tenant_id="tenant-1",
            problem=Problem.ADE_SYNC_STALE,
            count=1,
            due_since=NOW - 9 * DAY,
        ),
    ]


def test_what_was_escalated_by_this_check_has_one_line_a_problem() -> None:
    part = Assessment(
        kind=TokenKind.ADE,
        tokens=tuple(row(ade(id=f"a-{n}", name=f"iPads {n}")) for n in range(12)),
    )
    alerts = [
        alert(TERMS, token_id=f"a-{n}", since=NOW - (20 - n) * DAY, escalated_at=NOW)
        for n in reversed(range(12))
    ]
    earlier = alert(Problem.ADE_TOKEN_EXPIRED, escalated_at=NOW - SECOND)
    source = alert(
        Problem.COULD_NOT_CHECK, token_id=SOURCE_ID, since=NOW - 3 * DAY - SECOND, escalated_at=NOW
    )

    found = list(escalations_of(TENANT, [part], [*alerts, earlier, source], moment()))

    assert found == [
        ProblemEscalated(
            tenant_id="tenant-1",
            kind=TokenKind.ADE,
            problem=TERMS,
            count=12,
            names=tuple(f"iPads {n}" for n in range(10)),
            since=NOW - 20 * DAY,
            days_open=20,
        ),
        ProblemEscalated(
            tenant_id="tenant-1",
            kind=TokenKind.ADE,
            problem=Problem.COULD_NOT_CHECK,
            count=1,
            names=(),
            since=NOW - 3 * DAY - SECOND,
            days_open=3,
        ),
    ]
