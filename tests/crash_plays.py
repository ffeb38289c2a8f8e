"""Mornings in which much happens, their effects, and how a tenant is in the end.

An undisturbed morning is played once for all that are disturbed; what it came to is what each of
them has to come to.
"""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from msgspec import Struct

from apple_tokens.codec import decode
from apple_tokens.model import TokenKind
from apple_tokens.rows import AlertRow, HistoryRow, RunRow, SourceRow, TokenRow
from apple_tokens.tables import ALERTS, HISTORY
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.tenant import SimulatedTenant
from tests.doomed import Doomed, Rows, Scene, opened

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Play(StrEnum):
    """A check of a tenant."""

    FIRST = "first check"
    LATER = "check a week later"
    LARGE = "first check of 120 tokens"

    @property
    def at(self) -> datetime:
        """When its timer fires."""
        return MONDAY + 7 * DAY if self is Play.LATER else MONDAY


def furnish(tenant: SimulatedTenant, play: Play) -> None:
    """Give a tenant the tokens of the first Monday."""
    if play is Play.LARGE:
        for number in range(120):
            name = f"Kiosk {number:03}"
            tenant.add(GraphSource.ADE, MONDAY, tokenName=name, lastSyncErrorCode=3)
        tenant.page_size = 200
        return
    for name, left, devices in (
        ("Stores", "-40d", 0),
        ("Offices", "+2d 12h", 120),
        ("Schools", "+13d 12h", 120),
    ):
        tenant.add(
            GraphSource.ADE,
            MONDAY,
            tokenName=name,
            tokenExpirationDateTime=left,
            syncedDeviceCount=devices,
        )
    tenant.add(GraphSource.ADE, MONDAY, tokenName="Labs")
    tenant.add(GraphSource.ADE, MONDAY, tokenName="Loaners", syncedDeviceCount=0)
    tenant.add(GraphSource.VPP, MONDAY, displayName="Apps")
    tenant.add(GraphSource.PUSH, MONDAY, expirationDateTime="+25d 12h")


def change(tenant: SimulatedTenant, day: int) -> None:
    """Let happen what happens between the check of the day before and that of this day."""
    now = MONDAY + day * DAY
    tenant.sync(now)
    tenant.change("Apps", now, lastSyncDateTime="-3h")  # also while it is invalid
    match day:
        case 4:
            tenant.change("Apps", now, state="invalid")
        case 5:
            tenant.remove("Loaners")
        case 7:
            tenant.renew("Offices", now)
            tenant.change("Labs", now, lastSyncErrorCode=3)
            tenant.change("push@contoso.example", now, appleIdentifier="mdm@contoso.example")


_EVENTFUL_DAYS = (0, 4, 5, 6)
"""On the others the app was down: what it missed is caught up."""


@dataclass(frozen=True, slots=True)
class Morning:
    """A tenant before a check, or with the check's messages, of which none is delivered."""

    tenant: SimulatedTenant
    rows: Rows
    bodies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a morning came to. In its rows all times of this day read alike."""

    cards: Counter[str]
    rows: dict[str, dict[str, str]]
    escalated: frozenset[str]


class Stage:
    """Opens scenes at the beginning of a play, and says what the play comes to undisturbed."""

    def __init__(self, azurite: Azurite, doomed: Doomed) -> None:
        self._azurite = azurite
        self._doomed = doomed
        self._before: dict[Play, Morning] = {}
        self._after: dict[Play, Morning] = {}
        self._undisturbed: dict[str, Outcome] = {}

    @asynccontextmanager
    async def before_the_check(self, play: Play) -> AsyncIterator[Scene]:
        """Open a scene in the morning of a play."""
        if play not in self._before:
            self._before[play] = await self._morning(play)
        async with self._open(self._before[play]) as scene:
            if play is Play.FIRST:
                await scene.drop_tables()
            yield scene

    @asynccontextmanager
    async def after_the_check(self, play: Play) -> AsyncIterator[tuple[Scene, list[str]]]:
        """Open a scene when the check is over and none of its messages is delivered."""
        if play not in self._after:
            async with self.before_the_check(play) as scene:
                bodies = await scene.check(play.at)
                self._after[play] = Morning(scene.tenant, await scene.rows(), tuple(bodies))
        morning = self._after[play]
        async with self._open(morning) as scene:
            old, new = morning.tenant.tenant_id, scene.tenant.tenant_id
            yield scene, [body.replace(old, new) for body in morning.bodies]

    async def undisturbed(self, name: str, live: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return what is lived once for all that ask for it."""
        if name not in self._undisturbed:
            self._undisturbed[name] = await live()
        return self._undisturbed[name]

    def _open(self, morning: Morning) -> AbstractAsyncContextManager[Scene]:
        tenant = deepcopy(morning.tenant)
        tenant.tenant_id = str(uuid4())
        return opened(self._doomed, self._azurite, tenant, morning.rows)

    async def _morning(self, play: Play) -> Morning:
        tenant = SimulatedTenant()
        furnish(tenant, play)
        if play is not Play.LATER:
            return Morning(tenant, {})
        async with self._open(Morning(tenant, {})) as scene:
            for day in _EVENTFUL_DAYS:
                change(scene.tenant, day)
                await scene.host.tick(MONDAY + day * DAY)
                await scene.host.drain(MONDAY + day * DAY + MINUTE)
            change(scene.tenant, 7)
            await scene.tables.write_history([_OF_LONG_AGO])
            return Morning(scene.tenant, await scene.rows())


_OF_LONG_AGO = HistoryRow(kind=TokenKind.ADE, token_id="gone", checked_at=MONDAY - 3 * 365 * DAY)


async def outcome(scene: Scene) -> Outcome:
    """Return what a morning came to; fail if a row of it is unreadable."""
    rows = await scene.rows()
    for table, entities in rows.items():
        for entity in entities:
            _, bad = decode(_row_type(table, str(entity["RowKey"])), entity)
            assert not bad, f"unreadable in {table}: {entity['RowKey']}, {bad}"
    unreadable = [event for event in scene.events if event["event"] == "row_unreadable"]
    assert not unreadable, f"a row was unreadable meanwhile: {unreadable}"
    return Outcome(
        cards=scene.cards,
        rows={table: _by_key(entities, scene.teams.now) for table, entities in rows.items()},
        escalated=frozenset(
            f"{event['kind']} {event['problem']} {event['names']}"
            for event in scene.events
            if event["event"] == "problem_escalated"
        ),
    )


def assert_rows_are_as_undisturbed(found: Outcome, undisturbed: Outcome) -> None:
    """Compare all rows, and say which differ."""
    for table, expected in undisturbed.rows.items():
        rows = found.rows[table]
        lost, doubled = sorted(expected.keys() - rows.keys()), sorted(rows.keys() - expected.keys())
        assert not lost, f"{table} lost rows: {lost}"
        assert not doubled, f"{table} has rows too many: {doubled}"
        for key, row in expected.items():
            assert rows[key] == row, f"{key} of {table} is not as in the undisturbed run"


def _row_type(table: str, key: str) -> type[Struct]:
    if table == ALERTS:
        return AlertRow
    if table == HISTORY:
        return HistoryRow
    if key == RunRow.key:
        return RunRow
    return SourceRow if key.startswith("run.") else TokenRow


def _by_key(entities: list[dict[str, object]], today: datetime) -> dict[str, str]:
    """Return each row as text without its partition, the times of today taken for one."""
    times = re.compile(
        rf"{today:%Y-%m-%d}T\d\d:\d\d:\d\d(\.\d+)?Z|{today:%Y%m%d}T\d{{6}}\.\d{{6}}Z"
    )
    found = dict[str, str]()
    for entity in entities:
        cells = {name: value for name, value in entity.items() if name != "PartitionKey"}
        text = json.dumps(cells, sort_keys=True, indent=0, default=str, ensure_ascii=False)
        found[str(entity["RowKey"])] = times.sub("today", text)
    return found
