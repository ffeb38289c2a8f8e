"""The alarms go off when they must, not a moment before, and never for anything else.

The rules come from the deployment that the compiler works out; the records are those that the app
logs, and lines of the host as its source writes them.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apple_tokens.events import (
    AlertDelivered,
    AlertDropped,
    AlertFailed,
    AlertGaveUp,
    AlertQueued,
    AlertUndelivered,
    CheckFinished,
    ProblemEscalated,
    RowUnreadable,
    SourceUnread,
    TokenStatus,
)
from apple_tokens.model import FailureReason, Health, Problem, Reason, Severity, TokenKind
from tests.bicep_cli import of_type, snapshot_text
from tests.log_workspace import LogWorkspace

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

NOW = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
TENANT = "00000000-0000-0000-0000-000000000002"
BATCH = "a batch"
SECOND = timedelta(seconds=1)
OLDEST, NEWEST = timedelta(minutes=76), timedelta(minutes=15)
"""An alarm about events looks at those made in between, the newest included."""

# https://github.com/Azure/azure-sdk-for-net/blob/main/sdk/storage/
# Microsoft.Azure.WebJobs.Extensions.Storage.Queues/src/QueueProcessor.cs
POISONED = "Message has reached MaxDequeueCount of 5. Moving message to queue '{}'."

FINISHED = CheckFinished(
    tenant_id=TENANT,
    checked_at=NOW,
    check_date=date(2026, 3, 2),
    sources={TokenKind.ADE: "tokens_read"},
    tokens=(),
    open_problems=0,
    queued=0,
)
UNREAD = SourceUnread(
    tenant_id=TENANT,
    kind=TokenKind.VPP,
    reason=FailureReason.UNAVAILABLE,
    detail="Graph answered 503",
    status=503,
    request_id="r",
    tries=6,
    settled=True,
)
TRIED = SourceUnread(
    tenant_id=TENANT,
    kind=TokenKind.VPP,
    reason=FailureReason.UNAVAILABLE,
    detail="Graph answered 503",
    status=503,
    request_id="r",
    tries=5,
    settled=False,
)
GAVE_UP = AlertGaveUp(tenant_id=TENANT, batch=BATCH, error="HTTP 500", dequeue_count=5)
FAILED = AlertFailed(tenant_id=TENANT, batch=BATCH, error="HTTP 500", dequeue_count=4)
UNDELIVERED = AlertUndelivered(
    tenant_id=TENANT, problem=Problem.ADE_TOKEN_EXPIRED, count=3, due_since=NOW
)
ESCALATED = ProblemEscalated(
    tenant_id=TENANT,
    kind=TokenKind.ADE,
    problem=Problem.ADE_TOKEN_EXPIRED,
    count=40,
    names=("Offices", '{"event":"check_finished"}'),
    since=NOW,
    days_open=3,
)
# The name of a token is anybody's text, also that of an alarm.
STATUS = TokenStatus(
    tenant_id=TENANT,
    kind=TokenKind.ADE,
    token_id="t1",
    name='","event":"problem_escalated","settled":true,"x":"',
    health=Health.UNHEALTHY,
    problem=Problem.ADE_TOKEN_EXPIRED,
    severity=Severity.CRITICAL,
    expires_on=NOW,
    days_left=-1,
)
QUEUED = AlertQueued(
    tenant_id=TENANT,
    batch=BATCH,
    problem=Problem.ADE_TOKEN_EXPIRED,
    reason=Reason.NEW,
    stage="",
    severity=Severity.CRITICAL,
    count=1,
)
DELIVERED = AlertDelivered(
    tenant_id=TENANT, batch=BATCH, problem=None, reason=Reason.FIXED, count=1
)
DROPPED = AlertDropped(tenant_id=TENANT, batch=BATCH)
ROW = RowUnreadable(tenant_id=TENANT, table="tokenstatus", key="k", columns=("Health",))

EVERYTHING = (
    *(FINISHED, UNREAD, TRIED, GAVE_UP, FAILED, UNDELIVERED, ESCALATED),
    *(STATUS, QUEUED, DELIVERED, DROPPED, ROW),
)
ABOUT_EVENTS = {
    "source-unread": (UNREAD,),
    "alert-undelivered": (GAVE_UP, UNDELIVERED),
    "problem-escalated": (ESCALATED,),
}
"""The alarms about events, and all events that set them off."""


def rule(name: str, deployment: str = "home") -> dict[str, Any]:
    rules = of_type(snapshot_text(deployment), "Microsoft.Insights/scheduledQueryRules")
    return next(rule for rule in rules if rule["name"] == name)


def fires(name: str, workspace: LogWorkspace, now: datetime = NOW) -> bool:
    return bool(workspace.found_by(rule(name), now))


def test_each_rule_looks_hourly_at_records_that_may_not_exist_yet() -> None:
    rules = of_type(snapshot_text("home"), "Microsoft.Insights/scheduledQueryRules")

    for found in rules:
        assert found["properties"]["enabled"] is True
        assert found["properties"]["skipQueryValidation"] is True
        assert found["properties"]["evaluationFrequency"] == "PT1H"
        # Only a state can end; an alarm about events that is still on would swallow the next one.
        assert found["properties"]["autoMitigate"] is (found["name"] not in ABOUT_EVENTS)


@pytest.mark.parametrize("name", ["check-overdue", *ABOUT_EVENTS, "function-failing"])
def test_only_the_missing_check_is_told_from_empty_tables(name: str) -> None:
    assert fires(name, LogWorkspace()) is (name == "check-overdue")


@pytest.mark.parametrize("late_s, is_told", [(-1, False), (0, False), (1, True)])
def test_a_check_is_missed_after_26_hours(late_s: int, is_told: bool) -> None:
    workspace = LogWorkspace()
    workspace.event(NOW - timedelta(hours=26, seconds=late_s), FINISHED)

    assert fires("check-overdue", workspace) is is_told


@pytest.mark.parametrize("late_s, is_told", [(0, False), (1, True)])
def test_the_hours_until_a_check_is_missed_can_be_changed(late_s: int, is_told: bool) -> None:
    workspace = LogWorkspace()
    workspace.event(NOW - timedelta(hours=30, seconds=late_s), FINISHED)

    assert bool(workspace.found_by(rule("check-overdue", "changed"), NOW)) is is_told


def test_the_last_finished_check_counts_and_no_other_event() -> None:
    workspace = LogWorkspace()
    workspace.event(NOW - timedelta(days=3), FINISHED)
    workspace.event(NOW - timedelta(hours=27), FINISHED)
    for event in EVERYTHING:
        if event is not FINISHED:
            workspace.event(NOW - timedelta(hours=1), event)
    assert fires("check-overdue", workspace)

    workspace.event(NOW - timedelta(hours=25), FINISHED)
    assert not fires("check-overdue", workspace)


@pytest.mark.parametrize("name", ABOUT_EVENTS)
def test_an_alarm_about_events_goes_off_for_its_own_and_for_no_other(name: str) -> None:
    for event in EVERYTHING:
        workspace = LogWorkspace()
        workspace.event(NOW - timedelta(minutes=30), event)
        workspace.trace(NOW - timedelta(minutes=30), f"seen: {event}")

        assert fires(name, workspace) is (event in ABOUT_EVENTS[name]), event


@pytest.mark.parametrize("name", ABOUT_EVENTS)
@pytest.mark.parametrize(
    "age, is_told",
    [
        (NEWEST - SECOND, False),
        (NEWEST, True),
        (OLDEST - SECOND, True),
        (OLDEST, False),
    ],
)
def test_an_event_is_told_from_15_minutes_of_age_for_a_little_over_an_hour(
    name: str, age: timedelta, is_told: bool
) -> None:
    workspace = LogWorkspace()
    workspace.event(NOW - age, ABOUT_EVENTS[name][0])

    assert fires(name, workspace) is is_told


@pytest.mark.parametrize("name", ABOUT_EVENTS)
def test_no_event_is_missed_between_two_looks_even_if_it_arrives_late(name: str) -> None:
    workspace = LogWorkspace(arrives_after=timedelta(minutes=14))
    made = [NOW + timedelta(minutes=minute) for minute in range(120)]
    for at in made:
        workspace.event(at, ABOUT_EVENTS[name][0])

    # The looks drift, as those of a scheduler do, by less than the minute that they overlap.
    looks = [NOW + timedelta(hours=hour, seconds=9 * hour) for hour in range(5)]
    told = [row["LoggedAt"] for now in looks for row in workspace.found_by(rule(name), now)]

    assert set(told) == {at.replace(tzinfo=None) for at in made}
    assert len(told) <= len(made) + len(looks)


@pytest.mark.parametrize(
    "queue, is_told", [("remediation-poison", True), ("another-poison", False)]
)
def test_what_the_host_puts_into_the_poison_queue_is_told(queue: str, is_told: bool) -> None:
    workspace = LogWorkspace()
    workspace.trace(NOW - timedelta(minutes=30), POISONED.format(queue), "WARNING")

    assert fires("alert-undelivered", workspace) is is_told


def test_what_is_found_about_an_escalated_problem_names_the_tokens() -> None:
    workspace = LogWorkspace()
    workspace.event(NOW - timedelta(minutes=30), ESCALATED)

    (found,) = workspace.found_by(rule("problem-escalated"), NOW)

    assert found["Tokens"] == ", ".join(ESCALATED.names)
    assert (found["Problem"], found["Alerts"], found["DaysOpen"]) == ("ade_token_expired", 40, 3)


@pytest.mark.parametrize(
    "outcomes, is_told",
    [
        ("", False),
        ("F", False),
        ("FF", True),
        ("SFF", True),
        ("SF", False),
        ("FFS", False),
        ("FFSF", False),
        ("FSFF", True),
    ],
)
def test_a_function_keeps_failing_from_its_second_failure_in_a_row(
    outcomes: str, is_told: bool
) -> None:
    workspace = LogWorkspace()
    for i, outcome in enumerate(outcomes):
        at = NOW - timedelta(minutes=300 - 30 * i)
        workspace.request(at, "check_tokens", success=outcome == "S")
        workspace.request(at, "notify", success=True)

    assert [row["Function"] for row in workspace.found_by(rule("function-failing"), NOW)] == (
        ["check_tokens"] if is_told else []
    )


def test_a_function_that_failed_and_was_not_called_again_is_forgotten_after_a_day() -> None:
    workspace = LogWorkspace()
    for minutes in (5, 10):
        workspace.request(NOW - timedelta(minutes=minutes), "notify", success=False)

    assert fires("function-failing", workspace, NOW + timedelta(hours=23))
    assert not fires("function-failing", workspace, NOW + timedelta(hours=24))
