"""Sixty days of a tenant: what happens on which day, and what the time-lapse plays of it.

Days count from 1. The story starts on a Monday in March, so that the clocks change within it.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from admin.tokens import find_alert, find_token
from apple_tokens.operator_tables import Operator, OperatorTables
from sandbox import faults
from sandbox.graph_objects import GraphSource
from sandbox.stage import Stage
from sandbox.tenant import SimulatedTenant

ZONE = "Europe/Berlin"
FIRST_MORNING = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""08:00 in Berlin."""
MISSED_DAYS = frozenset({30})
"""The host is down from morning to night."""

Act = Callable[[Stage, datetime], Awaitable[None]]

_NEW_TOPIC = "com.apple.mgmt.External.7d9a4c10-52be-4f0e-8c3b-91e6f2a7d455"


def build_tenant(now: datetime) -> SimulatedTenant:
    """Build the tenant as it is on the first morning."""
    tenant = SimulatedTenant()
    ade, vpp = GraphSource.ADE, GraphSource.VPP
    tenant.add(ade, now, tokenName="Offices", tokenExpirationDateTime="+34d 4h")
    tenant.add(ade, now, tokenName="Shops", tokenExpirationDateTime="+12d 4h")
    tenant.add(ade, now, tokenName="Field service")
    tenant.add(ade, now, tokenName="Never renewed", tokenExpirationDateTime="-2d")
    tenant.add(ade, now, tokenName="Closed branch", tokenExpirationDateTime="-90d")
    tenant.add(ade, now, tokenName="Training room", tokenExpirationDateTime="+4d 12h")
    tenant.add(vpp, now, displayName="Apps", expirationDateTime="+39d 4h")
    tenant.add(vpp, now, displayName="Books")
    tenant.add(GraphSource.PUSH, now)
    return tenant


def _then(change: Callable[[SimulatedTenant, datetime], None]) -> Act:
    async def act(stage: Stage, now: datetime) -> None:
        change(stage.tenant, now)

    return act


def _terms(code: int) -> Act:
    def change(tenant: SimulatedTenant, now: datetime) -> None:
        for name in ("Offices", "Shops", "Field service"):
            tenant.change(name, now, lastSyncErrorCode=code)

    return _then(change)


async def _snooze_training_room(stage: Stage, now: datetime) -> None:
    row = find_token(await stage.token_rows(), "Training room")
    alert = find_alert(await stage.alert_rows(), row, "ade_token_expired")
    order = Operator(name="admin", at=now, reason="The room is being rebuilt")
    until = now + timedelta(days=14, hours=-8)
    await OperatorTables(stage.service, stage.tenant.tenant_id).snooze(alert, until, order)


async def _accept_topic(stage: Stage, now: datetime) -> None:
    order = Operator(name="admin", at=now, reason="We moved to a new Apple account")
    tables = OperatorTables(stage.service, stage.tenant.tenant_id)
    await tables.accept_topic(_NEW_TOPIC, order)


def _flow(*, on: bool) -> Act:
    async def act(stage: Stage, _: datetime) -> None:
        stage.teams.switched_on = on

    return act


async def _nothing(_: Stage, __: datetime) -> None:
    """Let a day be told that changes nothing in the tenant."""


def _graph(*, up: bool) -> Act:
    def change(tenant: SimulatedTenant, _: datetime) -> None:
        for plan in tenant.faults.values():
            plan.clear()
            if not up:
                plan.always(faults.answer(500))

    return _then(change)


STORY: dict[int, tuple[str, Act]] = {
    1: ("The first check", _nothing),
    7: ("“Training room” is snoozed for two weeks", _snooze_training_room),
    11: ("“Shops” is renewed", _then(lambda tenant, now: tenant.renew("Shops", now))),
    14: ("Apple publishes new terms", _terms(3)),
    17: ("The terms are accepted", _terms(0)),
    19: ("Graph fails all day", _graph(up=False)),
    20: ("Graph is back", _graph(up=True)),
    23: ("Graph fails for an hour", _graph(up=False)),
    30: ("The host is down all day", _nothing),
    32: ("The Teams flow is switched off", _flow(on=False)),
    36: ("The Teams flow is switched on", _flow(on=True)),
    37: ("“Offices” is renewed", _then(lambda tenant, now: tenant.renew("Offices", now))),
    43: ("“Apps” is renewed", _then(lambda tenant, now: tenant.renew("Apps", now))),
    46: ("“Books” is deleted", _then(lambda tenant, _: tenant.remove("Books"))),
    52: (
        "Another push certificate is uploaded",
        _then(
            lambda tenant, now: tenant.change(
                "push@contoso.example", now, topicIdentifier=_NEW_TOPIC
            )
        ),
    ),
    55: ("The new topic is accepted", _accept_topic),
}
SHORT_OUTAGE = {23: 2}
"""Day → after so many ticks Graph answers again."""


def fails_today(day: int) -> bool:
    """Say whether the sync of “Field service” fails, every other day for two weeks."""
    return day in range(38, 52) and day % 2 == 0


async def play(day: int, stage: Stage, now: datetime) -> str:
    """Let a day begin: what the story has for it happens, and syncs go on. Return what it is."""
    if day in range(38, 53):
        code = 17 if fails_today(day) else 0
        stage.tenant.change("Field service", now, lastSyncErrorCode=code)
    about, act = STORY.get(day, ("", None))
    if act is not None:
        await act(stage, now)
    # An error goes away with a sync that succeeds, so the syncs come after the changes.
    stage.tenant.sync(now)
    return about


async def heal(stage: Stage, now: datetime) -> None:
    """Let Graph answer again."""
    await _graph(up=True)(stage, now)
