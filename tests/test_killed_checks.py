"""A check whose process is killed at any of its outside effects: the next ticks make up for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.crash_plays import (
    MINUTE,
    Outcome,
    Play,
    Stage,
    assert_rows_are_as_undisturbed,
    outcome,
)
from tests.doomed import Kill, ProcessKilledError, Scene, Side
from tests.survival import Promise, survives

pytestmark = [pytest.mark.e2e, pytest.mark.crash]

SENDING = "sending message "
_GATHERING = (
    "reading the run rows",
    "signing in",
    "reading Graph: depOnboardingSettings",
    "reading Graph: vppTokens",
    "reading Graph: applePushNotificationCertificate",
    "reading tokenalerts",
    "reading tokenstatus",
)
EFFECTS: dict[Play, tuple[str, ...]] = {
    Play.FIRST: (
        *_GATHERING,
        "writing tokenalerts",  # which is not there yet
        "creating tokenalerts",
        "writing tokenalerts (2)",
        "writing tokenstatus",
        "creating tokenstatus",
        "writing tokenstatus (2)",
        "writing the run rows",
        "sending message 1",
        "sending message 2",
        "sending message 3",
        "sending message 4",
    ),
    Play.LATER: (
        *_GATHERING,
        "writing tokenhistory",
        "writing tokenalerts",
        "writing tokenstatus",
        "deleting from tokenstatus",
        "deleting from tokenalerts",
        "reading tokenhistory",
        "deleting from tokenhistory",
        "writing the run rows",
        "sending message 1",
        "sending message 2",
        "sending message 3",
        "sending message 4",
        "sending message 5",
    ),
    Play.LARGE: (
        *_GATHERING,
        "writing tokenalerts",
        "writing tokenalerts (2)",
        "writing tokenstatus",
        "writing tokenstatus (2)",
        "writing the run rows",
        "sending message 1",
        "sending message 2",
    ),
}
"""Everything that a check does outside of its process, in the order in which it is done."""

TICKS = (timedelta(minutes=30), timedelta(minutes=60))
"""With the second one, what an interrupted host did not send is queued once more."""


def every_kill() -> Iterator[object]:
    for play, effects in EFFECTS.items():
        for effect in effects:
            for side in Side:
                if _adds_something(play, effect, side):
                    yield pytest.param(play, effect, side, id=f"{play}, {side} {effect}")


def _adds_something(play: Play, effect: str, side: Side) -> bool:
    """Leave out what is the same as another kill."""
    if play is Play.LARGE:  # special about it is only that it needs several transactions
        return effect.endswith("(2)") and side is Side.BEFORE
    if play is Play.LATER and effect in _GATHERING and side is Side.BEFORE:
        return False  # as in the first check: nothing was written yet
    # Nothing happens between two messages, and nothing is missing after the last.
    return side is Side.BEFORE or not effect.startswith(SENDING)


@pytest.mark.parametrize("play", EFFECTS)
async def test_the_effects_of_a_check_are_known(stage: Stage, play: Play) -> None:
    async with stage.before_the_check(play) as scene:
        bodies = await scene.check(play.at)

        seen = scene.lives[-1].effects
    sending = [f"{SENDING}{number}" for number, _ in enumerate(bodies, 1)]
    # The sources are read side by side.
    assert sorted(seen + sending) == sorted(EFFECTS[play])


@survives(Promise.NOTHING_LOST, Promise.NOT_TWICE, fault="Killed {side} {effect} ({play})")
@pytest.mark.parametrize("play,effect,side", list(every_kill()))
async def test_a_check_that_is_killed_is_made_up_for(
    stage: Stage, play: Play, effect: str, side: Side, happened: Callable[[str], None]
) -> None:
    effects = EFFECTS[play]
    came_to = effects.index(effect) + (side is Side.AFTER)
    is_settled = came_to > effects.index("writing the run rows")
    expected = await _undisturbed(stage, play, on_time=is_settled)
    messages = sum(name.startswith(SENDING) for name in effects)
    assert expected.cards.total() == messages, "a check that comes late does not tell everything"

    async with stage.before_the_check(play) as scene:
        await _check_killed_at(scene, play, Kill(side, effect))
        await scene.host.drain(play.at + MINUTE)
        in_time = scene.cards.total()
        await _next_ticks(scene, play)
        found = await outcome(scene)
        at = scene.teams.posts[-1].at if scene.teams.posts else None

    lost, doubled = expected.cards - found.cards, found.cards - expected.cards
    assert not lost, f"{lost.total()} cards were lost: a problem is untold, or told otherwise"
    assert not doubled, f"{doubled.total()} cards too many: a step is told twice"
    assert found.escalated == expected.escalated, "what escalates is no longer said"
    assert_rows_are_as_undisturbed(found, expected)
    happened(
        f"{in_time} of {found.cards.total()} cards came in time, the last by {at:%H:%M}; "
        f"{len(found.rows['tokenhistory'])} rows of history"
    )


async def _check_killed_at(scene: Scene, play: Play, kill: Kill) -> None:
    """Let a check die, or its host die while it sends the check's messages."""
    if not kill.effect.startswith(SENDING):
        scene.kill = kill
        with pytest.raises(ProcessKilledError):
            await scene.host.tick(play.at)
        return
    sent = int(kill.effect.removeprefix(SENDING)) - (kill.side is Side.BEFORE)
    for body in (await scene.check(play.at))[:sent]:
        await scene.host.send(body)


async def _next_ticks(scene: Scene, play: Play) -> None:
    for after in TICKS:
        await scene.host.tick(play.at + after)
        await scene.host.drain(play.at + after + MINUTE)


async def _undisturbed(stage: Stage, play: Play, *, on_time: bool) -> Outcome:
    """Return what the check comes to; not on time, if its timer fires half an hour late."""

    async def live() -> Outcome:
        async with stage.before_the_check(play) as scene:
            if on_time:
                await scene.host.tick(play.at)
                await scene.host.drain(play.at + MINUTE)
            await _next_ticks(scene, play)
            return await outcome(scene)

    return await stage.undisturbed(f"{play}, {on_time}", live)
