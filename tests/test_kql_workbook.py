"""What the workbook shows of records that the app logs."""

from datetime import UTC, date, datetime, timedelta

from apple_tokens.events import (
    AlertDelivered,
    AlertFailed,
    AlertGaveUp,
    AlertQueued,
    CheckFinished,
    SourceUnread,
    TokenCount,
    TokenStatus,
)
from apple_tokens.model import FailureReason, Health, Problem, Reason, Severity, TokenKind
from tests.log_workspace import LogWorkspace, Row
from tests.seeded import ROOT

MORNING = datetime(2026, 3, 2, 7, 0, 10, tzinfo=UTC)
DAY = timedelta(days=1)
TENANT = "00000000-0000-0000-0000-000000000002"


def show(workspace: LogWorkspace, part: str) -> list[Row]:
    query = (ROOT / "infra" / "queries" / f"{part}.kql").read_text(encoding="utf-8")
    return workspace.ask(query, MORNING + 30 * DAY)


def finished(at: datetime, *tokens: tuple[TokenKind, str, int]) -> CheckFinished:
    return CheckFinished(
        tenant_id=TENANT,
        checked_at=at,
        check_date=date(at.year, at.month, at.day),
        sources={kind: "tokens_read" for kind, _, _ in tokens},
        tokens=tuple(
            TokenCount(kind=kind, health=Health.HEALTHY, band=band, count=count)
            for kind, band, count in tokens
        ),
        open_problems=0,
        queued=0,
    )


def unhealthy(name: str, kind: TokenKind, severity: Severity, days_left: int) -> TokenStatus:
    return TokenStatus(
        tenant_id=TENANT,
        kind=kind,
        token_id=name,
        name=name,
        health=Health.UNHEALTHY,
        problem=Problem.EXPIRY_UNKNOWN,
        severity=severity,
        expires_on=None,
        days_left=days_left,
    )


def unread(*, settled: bool) -> SourceUnread:
    return SourceUnread(
        tenant_id=TENANT,
        kind=TokenKind.VPP,
        reason=FailureReason.UNAVAILABLE,
        detail="",
        status=503,
        request_id="",
        tries=1,
        settled=settled,
    )


def test_tokens_are_counted_by_days_left_as_each_kind_was_last_checked() -> None:
    workspace = LogWorkspace()
    ade, vpp, push = TokenKind.ADE, TokenKind.VPP, TokenKind.PUSH
    workspace.event(MORNING - DAY, finished(MORNING, (ade, "0-7", 9), (push, "over_90", 1)))
    workspace.event(MORNING, finished(MORNING, (ade, "over_90", 5), (ade, "expired", 2)))
    # Only this source was left to be read when the timer ticked again.
    later = MORNING + timedelta(minutes=30)
    workspace.event(later, finished(later, (vpp, "expired", 1), (vpp, "8-30", 3)))

    assert [tuple(row.values()) for row in show(workspace, "tokens-by-days-left")] == [
        ("expired", "ade_token", 2),
        ("expired", "vpp_token", 1),
        ("8-30", "vpp_token", 3),
        ("over_90", "ade_token", 5),
        ("over_90", "push_certificate", 1),
    ]


def test_problems_are_those_of_the_latest_check_of_their_kind_the_worst_first() -> None:
    workspace = LogWorkspace()
    ade, vpp = TokenKind.ADE, TokenKind.VPP
    for at, names in ((MORNING - DAY, ("fixed", "still")), (MORNING, ("still",))):
        for name in names:
            workspace.event(at, unhealthy(name, ade, Severity.WARNING, 20))
        workspace.event(at + timedelta(seconds=1), finished(at, (ade, "8-30", 2)))
    later = MORNING + timedelta(minutes=30)
    workspace.event(later, unhealthy("worst", vpp, Severity.CRITICAL, -1))
    workspace.event(later + timedelta(seconds=1), finished(later, (vpp, "expired", 1)))

    shown = show(workspace, "open-problems")

    assert [(row["Token"], row["Severity"], row["Kind"]) for row in shown] == [
        ("worst", "critical", "vpp_token"),
        ("still", "warning", "ade_token"),
    ]
    assert shown[0]["DaysLeft"] == -1
    assert shown[0]["Problem"] == "expiry_unknown"


def test_checks_and_failed_sources_are_counted_by_day() -> None:
    workspace = LogWorkspace()
    workspace.event(MORNING, finished(MORNING))
    for _ in range(5):
        workspace.event(MORNING + DAY, unread(settled=False))
    workspace.event(MORNING + DAY, unread(settled=True))
    workspace.event(MORNING + DAY, finished(MORNING))

    assert [tuple(row.values())[1:] for row in show(workspace, "checks-per-day")] == [
        (1, 0, 0),
        (1, 6, 1),
    ]


def test_messages_are_counted_by_day_and_fate() -> None:
    workspace = LogWorkspace()
    told = {"tenant_id": TENANT, "batch": "b"}
    workspace.event(
        MORNING,
        AlertQueued(**told, problem=None, reason=Reason.FIXED, stage="", severity=None, count=1),
    )
    for dequeue_count in range(1, 5):
        workspace.event(MORNING, AlertFailed(**told, error="", dequeue_count=dequeue_count))
    workspace.event(MORNING, AlertGaveUp(**told, error="", dequeue_count=5))
    workspace.event(
        MORNING + DAY, AlertDelivered(**told, problem=None, reason=Reason.FIXED, count=1)
    )

    shown = show(workspace, "delivery-per-day")

    assert [{name: count for name, count in row.items() if count} for row in shown] == [
        {"Day": datetime(2026, 3, 2), "Queued": 1, "FailedTries": 4, "GaveUp": 1},  # noqa: DTZ001 -- as the engine answers
        {"Day": datetime(2026, 3, 3), "Delivered": 1},  # noqa: DTZ001 -- as above
    ]


def test_recent_events_are_the_apps_newest_first_without_the_hosts_lines() -> None:
    workspace = LogWorkspace()
    workspace.event(MORNING, finished(MORNING))
    workspace.trace(MORNING, "Executing 'Functions.check_tokens'")
    workspace.trace(MORNING, '"just text"')
    workspace.trace(MORNING, '{"state": "no event"}')
    workspace.event(MORNING + DAY, unread(settled=True))

    shown = show(workspace, "recent-events")

    assert [row["Event"] for row in shown] == ["source_unread", "check_finished"]
