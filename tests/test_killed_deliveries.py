"""A delivery whose process is killed at any of its outside effects: the next one makes up for it.

The host keeps the message, which comes back when its lease is over. Only where Teams has accepted a
card and the stamp did not follow, the card comes once more: nobody can know of both at once.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pytest

from apple_tokens import messages
from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import Tenant
from apple_tokens.tables import ALERTS, TokenTables
from sandbox.host import CRASH_LEASE
from tests.crash_plays import (
    MINUTE,
    MONDAY,
    Outcome,
    Play,
    Stage,
    assert_rows_are_as_undisturbed,
    outcome,
)
from tests.doomed import Kill, ProcessKilledError, Side
from tests.survival import Promise, survives

pytestmark = [pytest.mark.e2e, pytest.mark.crash]


class Told(StrEnum):
    """What a message tells, and the part of its batch's name that finds it among all."""

    WORSE = "worse"
    FIXED = "fixed"
    LARGE = "120 tokens"
    WELCOME = "welcome"
    DIGEST = "digest"
    TEST = "test card"


PLAYS = {Told.LARGE: Play.LARGE, Told.WELCOME: Play.FIRST, Told.TEST: Play.FIRST}
_ALERTS = (
    "reading the alerts of the batch",
    "reading tokenstatus",
    "posting the card",
    "stamping tokenalerts",
)
EFFECTS: dict[Told, tuple[str, ...]] = {
    Told.WORSE: _ALERTS,
    Told.FIXED: _ALERTS,
    Told.LARGE: (*_ALERTS, "stamping tokenalerts (2)"),
    Told.WELCOME: (
        "reading the alerts of the batch",
        "reading the run rows",
        "reading tokenstatus",
        "reading tokenalerts",
        "posting the card",
        "stamping tokenalerts",
        "reading one row of tokenstatus",
        "stamping the run rows",
    ),
    Told.DIGEST: (
        "reading the run rows",
        "reading tokenstatus",
        "reading tokenalerts",
        "posting the card",
        "reading one row of tokenstatus",
        "stamping the run rows",
    ),
    Told.TEST: ("posting the card",),
}
"""Everything that a delivery does outside of its process, in this order."""

EVERY_KILL = [
    pytest.param(told, effect, side, id=f"{told}, {side} {effect}")
    for told, effects in EFFECTS.items()
    for effect in effects
    for side in Side
    # What is special about many alerts is only that they take several transactions.
    if told is not Told.LARGE or (side is Side.AFTER and not effect.startswith("reading"))
]


def body_of(told: Told, bodies: list[str], tenant_id: str) -> str:
    """Find the message that tells this."""
    if told is Told.TEST:
        return messages.encode(
            RemediationMessage(
                version=VERSION,
                kind=MessageKind.TEST,
                tenant=Tenant(id=tenant_id, name="Contoso"),
                checked_at=MONDAY,
                check_date=MONDAY.date(),
            )
        )
    part = "ade_terms_not_accepted" if told is Told.LARGE else told
    (body,) = [body for body in bodies if part in messages.decode(body).batch]
    return body


async def undisturbed(stage: Stage, told: Told) -> Outcome:
    """Return what a delivery comes to."""

    async def live() -> Outcome:
        play = PLAYS.get(told, Play.LATER)
        async with stage.after_the_check(play) as (scene, bodies):
            body = body_of(told, bodies, scene.tenant.tenant_id)
            await scene.tell(play.at + MINUTE, body, 1)
            return await outcome(scene)

    return await stage.undisturbed(f"telling {told}", live)


@pytest.mark.parametrize("told", Told)
async def test_the_effects_of_a_delivery_are_known(stage: Stage, told: Told) -> None:
    async with stage.after_the_check(PLAYS.get(told, Play.LATER)) as (scene, bodies):
        await scene.tell(MONDAY, body_of(told, bodies, scene.tenant.tenant_id), 1)

        assert tuple(scene.lives[-1].effects) == EFFECTS[told]


@survives(Promise.NOTHING_LOST, Promise.NOT_TWICE, fault="Killed {side} {effect} (telling {told})")
@pytest.mark.parametrize("told,effect,side", EVERY_KILL)
async def test_a_delivery_that_is_killed_is_made_up_for(
    stage: Stage, told: Told, effect: str, side: Side, happened: Callable[[str], None]
) -> None:
    play, effects = PLAYS.get(told, Play.LATER), EFFECTS[told]
    done = effects[: effects.index(effect) + (side is Side.AFTER)]
    is_repeated = "posting the card" in done and (done != effects or told is Told.TEST)
    expected = await undisturbed(stage, told)

    async with stage.after_the_check(play) as (scene, bodies):
        await scene.host.send(body_of(told, bodies, scene.tenant.tenant_id))
        scene.kill = Kill(side, effect)
        with pytest.raises(ProcessKilledError):
            await scene.host.drain(play.at + MINUTE)
        stamped = await _stamped(scene.tables)
        first = scene.cards
        await scene.host.drain(play.at + MINUTE + CRASH_LEASE)
        assert scene.host.next_delivery_at() is None, "the message is delivered"
        found = await outcome(scene)

    cards = found.cards
    assert cards, "the card was lost: nothing came to the channel"
    assert cards.total() <= 1 + is_repeated, "told twice, though the stamp was written"
    assert cards.total() == 1 + is_repeated, "the card did not come again without a stamp"
    assert first <= expected.cards, "the first card is not the one that an undisturbed run posts"
    again = cards - first
    if told is Told.LARGE and stamped and again:
        _assert_only_the_rest_is_told(again, stamped)
    else:
        assert cards.keys() == expected.cards.keys(), "the card is not as in the undisturbed run"
    assert_rows_are_as_undisturbed(found, expected)
    happened(
        "the card came twice: Teams accepted it, and the stamp was cut off"
        if cards.total() == 2
        else f"the card came once, {'in time' if first else 'when the message came back'}"
    )


async def _stamped(tables: TokenTables) -> set[str]:
    """Name the tokens whose alerts are told."""
    names = {row.token.id: row.token.name for row in await tables.token_rows()}
    return {
        names[alert.token_id]
        for alert in await tables.alert_rows()
        if alert.was_told and not alert.is_untold
    }


def _assert_only_the_rest_is_told(again: Counter[str], stamped: set[str]) -> None:
    assert len(stamped) == 100, "a transaction stamps 100 alerts, not only those on the card"
    (card,) = again
    assert "Kiosk" in card
    repeated = sorted(name for name in stamped if name in card)
    assert not repeated, f"told twice, though they were stamped: {repeated}"


@dataclass(frozen=True)
class Rewriting:
    """What somebody else does to the alert while its card is on its way."""

    name: str
    columns: Mapping[str, object]
    told_step: int
    """The told step in the end, after the one of the card."""
    is_untold: bool = False

    def __str__(self) -> str:
        return self.name


REWRITINGS = (
    Rewriting(
        "a newer check found it worse",
        {"Step": 2, "Stage": "1", "Batch": "newer"},
        1,
        is_untold=True,
    ),
    Rewriting(
        "a newer card was told",
        {"Step": 2, "Stage": "1", "Batch": "newer", "ToldStep": 2, "ToldStage": "1"},
        2,
    ),
    Rewriting("an operator snoozed it", {"SnoozedUntil": "2026-04-01T00:00:00Z"}, 1),
    Rewriting("somebody typed nonsense into it", {"ToldStep": "some", "Severity": "very"}, 1),
)


@survives(
    Promise.NOTHING_LOST,
    Promise.NOT_TWICE,
    fault="Storage: {rewriting}, between the card and its stamp",
)
@pytest.mark.parametrize("rewriting", REWRITINGS, ids=str)
async def test_an_alert_that_is_rewritten_before_its_stamp_keeps_both(
    stage: Stage, rewriting: Rewriting, happened: Callable[[str], None]
) -> None:
    async with stage.after_the_check(Play.FIRST) as (scene, bodies):
        body = next(each for each in bodies if "ade_token_expiring 3 new" in each)
        (posted,) = await scene.tables.untold(messages.decode(body).batch)

        async def rewrite() -> None:
            key = {"PartitionKey": scene.tenant.tenant_id, "RowKey": posted.stored.row_key}
            await scene.service.get_table_client(ALERTS).upsert_entity({**key, **rewriting.columns})

        scene.meanwhile["stamping tokenalerts"] = rewrite
        await scene.tell(MONDAY, body, 1)
        await scene.tell(MONDAY + MINUTE, body, 2)

        (row,) = [row for row in await scene.tables.alert_rows() if row.key == posted.row.key]
        (stored,) = [
            entity
            for entity in (await scene.rows())[ALERTS]
            if entity["RowKey"] == posted.stored.row_key
        ]
    assert scene.cards.total() == 1, "told twice: the stamp did not survive that the row changed"
    assert row.told_step == rewriting.told_step, "ToldStep is not that of the last card"
    assert row.is_untold == rewriting.is_untold, "the newer step is lost"
    others = rewriting.columns.items() - {("ToldStep", "some")}
    assert others <= stored.items(), "the stamp wrote over what was written meanwhile"
    happened(f"one card; ToldStep {row.told_step} of {row.step}")


@survives(
    Promise.NOTHING_LOST,
    Promise.NOT_TWICE,
    fault="Storage: one of two alerts is deleted, between the card and its stamp",
)
async def test_an_alert_that_is_deleted_before_its_stamp_takes_no_other_with_it(
    stage: Stage, happened: Callable[[str], None]
) -> None:
    async with stage.after_the_check(Play.LATER) as (scene, bodies):
        body = body_of(Told.FIXED, bodies, scene.tenant.tenant_id)
        gone, left = await scene.tables.untold(messages.decode(body).batch)

        async def delete() -> None:
            await scene.tables.delete_alerts([gone.row])

        scene.meanwhile["stamping tokenalerts"] = delete
        await scene.tell(Play.LATER.at, body, 1)
        effects = scene.lives[-1].effects
        await scene.tell(Play.LATER.at + MINUTE, body, 2)

        rows = {row.key: row for row in await scene.tables.alert_rows()}
    assert scene.cards.total() == 1, "told twice: one missing row kept the whole batch unstamped"
    assert gone.row.key not in rows, "the stamp made a ghost of a deleted alert"
    assert not rows[left.row.key].is_untold
    happened(f"one card; {effects.count('stamping tokenalerts (2)')} stamp more for the row left")
