"""The real app, a week of troubles, and the mails that the alarms would send."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.host import Outcome
from sandbox.stage import Stage
from sandbox.tenant import SimulatedTenant
from tests.bicep_cli import of_type, snapshot_text
from tests.log_workspace import LogWorkspace
from tests.test_kql_alarms import POISONED

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.no_cover,
    pytest.mark.xdist_group("bicep"),  # each deployment is compiled once
]

FIRST_MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday; the tenant's zone is UTC."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
TICK = timedelta(minutes=30)
TICKS = 8
"""From 08:00 to half past eleven: six tries, and the hour until untold alerts go out again."""


async def play_day(stage: Stage, workspace: LogWorkspace, morning: datetime) -> None:
    """Fire the timer from 08:00 on and deliver everything; keep what app and host log."""
    for tick in range(TICKS):
        now = morning + tick * TICK
        await stage.tick(now)
        workspace.request(now, "check_tokens", success=True)
        while (at := stage.host.next_delivery_at()) is not None and at < now + TICK:
            for delivery in await stage.deliver(at):
                workspace.request(at, "notify", success=delivery.outcome is Outcome.DONE)
                if delivery.outcome is Outcome.POISONED:
                    workspace.trace(at, POISONED.format("remediation-poison"), "WARNING")


def mails(workspace: LogWorkspace) -> dict[str, list[str]]:
    """Return on which days and hours each alarm is on, looked at from 06:00 to 14:00."""
    rules = of_type(snapshot_text("home"), "Microsoft.Insights/scheduledQueryRules")
    on = defaultdict(list)
    for day in range(6):
        for hour in range(-2, 7):
            now = FIRST_MORNING + timedelta(days=day, hours=hour)
            for rule in rules:
                if workspace.found_by(rule, now):
                    on[rule["name"]].append(f"{now:%a %H}")
    return on


def hours(*spans: str) -> list[str]:
    """Spell out spans such as `Mon 06-08`."""
    return [
        f"{span[:3]} {hour:02}"
        for span in spans
        for hour in range(int(span[4:6]), int(span[7:9]) + 1)
    ]


@pytest.mark.timeout(180)  # some three hundred queries
async def test_a_week_of_troubles_brings_these_mails(azurite: Azurite, storage: str) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, FIRST_MORNING, tokenName="Offices")
    tenant.add(GraphSource.ADE, FIRST_MORNING, tokenName="Old", tokenExpirationDateTime="-1d")
    tenant.add(GraphSource.ADE, FIRST_MORNING, tokenName="Terms", lastSyncErrorCode=3)
    tenant.add(GraphSource.VPP, FIRST_MORNING, displayName="Apps")
    tenant.add(GraphSource.PUSH, FIRST_MORNING)
    workspace = LogWorkspace(arrives_after=timedelta(minutes=3))

    async with Stage(tenant, FIRST_MORNING, azurite=azurite) as stage:
        stage.host.delay = timedelta(seconds=40)
        with workspace.recording(lambda: stage.teams.now):
            for day in DAYS:
                morning = FIRST_MORNING + timedelta(days=DAYS.index(day))
                if day == "Tue":
                    tenant.faults[GraphSource.VPP].always(faults.answer(403))
                if day == "Wed":
                    tenant.faults[GraphSource.VPP].clear()
                stage.teams.switched_on = day not in {"Wed", "Thu"}
                if day != "Fri":
                    tenant.sync(morning)
                    await play_day(stage, workspace, morning)

    # Checks finish at 08:00, so that the 26 hours end at 10:00. Each card is tried for 20 minutes,
    # and all of them once more an hour later.
    assert mails(workspace) == {
        "check-overdue": hours("Mon 06-08", "Fri 11-14", "Sat 06-08"),
        "source-unread": hours("Tue 09-09"),
        "alert-undelivered": hours("Wed 09-10", "Thu 09-10", "Sat 09-09"),
        "function-failing": hours("Wed 09-14", "Thu 06-14", "Fri 06-09"),
        # The expired token at once, Apple's terms after three days.
        "problem-escalated": hours("Mon 09-09", "Thu 09-09"),
    }
