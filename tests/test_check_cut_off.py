"""A check that is cut off before any of its writes: the next tick makes up for it, telling once."""

import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from apple_tokens.messages import RemediationMessage
from apple_tokens.model import FailureReason, TokenKind
from apple_tokens.rows import AlertRow
from tests.builders import ade, push, vpp
from tests.policy_oracle import Oracle
from tests.policy_world import DAY, HOUR, TICK, Held, World, run

FIRST = datetime(2026, 4, 6, 6, tzinfo=UTC)
"""A Monday at 08:00 in Berlin."""
DAYS = 12
MOST_WRITES = 12


@dataclass
class Channel(Oracle):
    """The oracle, which also remembers what the channel heard on which day."""

    heard: list[str] = field(default_factory=list)

    def stamped(self, row: AlertRow, message: RemediationMessage) -> None:
        super().stamped(row, message)
        self.heard.append(f"{message.check_date} {row.key} {row.reason} {row.stage}")


def tenant() -> World:
    """Return a tenant in which much is going to happen."""
    channel = Channel(happened=Counter())
    world = World(now=FIRST - HOUR, happened=channel.happened, oracle=channel)
    for token in (
        ade(id="a-1", expires_on=FIRST + 2 * DAY + HOUR),
        ade(id="a-2", device_count=0, expires_on=FIRST + 300 * DAY),
        vpp(id="v-1", state="invalid", expires_on=FIRST + 300 * DAY),
        vpp(id="v-2", expires_on=FIRST + 300 * DAY),
        push(expires_on=FIRST + 20 * DAY),
    ):
        world.tokens[token.id] = Held(token)
    return world


def _change(world: World, token_id: str, **columns: object) -> None:
    world.tokens[token_id].token = replace(world.tokens[token_id].token, **columns)


def _remove(world: World, token_id: str) -> None:
    world.tokens[token_id].is_there = False


def _ade_fails_for_a_day(world: World) -> None:
    world.outages[TokenKind.ADE] = (FailureReason.PERMISSION, world.now + DAY)


BEFORE_THE_CHECK_OF: dict[int, list[Callable[[World], None]]] = {
    1: [
        lambda world: _remove(world, "a-2"),
        lambda world: _change(world, "a-1", sync_error_code=3),
    ],
    2: [lambda world: _change(world, "v-1", state="valid")],
    3: [
        lambda world: _remove(world, "v-2"),
        lambda world: _change(world, "apns", topic="new"),
    ],
    4: [lambda world: _change(world, "a-1", sync_error_code=0, expires_on=world.now + 365 * DAY)],
    5: [_ade_fails_for_a_day, World.accept_topic],
    7: [lambda world: _change(world, "v-1", sync_status="failed")],
    9: [lambda world: _change(world, "v-1", sync_status="completed")],
}


def live(*, cut_day: int | None = None, writes: int = 0) -> tuple[list[str], World]:
    """Live through all days, the check of one of them cut off. Return what the channel heard."""
    world = tenant()
    for day in range(DAYS):
        world.now = FIRST + day * DAY - TICK
        for change in BEFORE_THE_CHECK_OF.get(day, ()):
            change(world)
        if day == cut_day:
            world.cut_off(writes)
        else:
            world.now += TICK
            world.tick()
        world.now = FIRST + day * DAY + 3 * HOUR
        world.tick()
    assert isinstance(world.oracle, Channel)
    return sorted(world.oracle.heard), world


def test_much_is_told_in_these_days() -> None:
    heard, world = live()

    assert [line.split(" ", 1) for line in heard] == [
        [f"2026-04-{day:02}", what]
        for day, what in [
            (6, "ade_token.a-1.ade_token_expiring new 3"),
            (6, "push_certificate.apns.push_certificate_expiring new 30"),
            (6, "vpp_token.v-1.vpp_token_invalid new critical"),
            (7, "ade_token.a-1.ade_terms_not_accepted new critical"),
            (7, "vpp_token.v-1.vpp_token_invalid reminder critical"),
            (8, "ade_token.a-1.ade_terms_not_accepted reminder critical"),
            (8, "ade_token.a-1.ade_token_expiring worse 1"),
            (8, "ade_token.a-2.token_removed new warning"),
            (8, "vpp_token.v-1.vpp_token_invalid fixed critical"),
            (9, "ade_token.a-1.ade_terms_not_accepted reminder critical"),
            (9, "ade_token.a-1.ade_token_expired new critical"),
            (9, "push_certificate.apns.push_certificate_replaced new critical"),
            (10, "ade_token.a-1.ade_terms_not_accepted fixed critical"),
            (10, "ade_token.a-1.ade_token_expired fixed critical"),
            (10, "ade_token.a-1.ade_token_expiring fixed 1"),
            (10, "push_certificate.apns.push_certificate_replaced reminder critical"),
            (10, "vpp_token.v-2.token_removed new critical"),
            (11, "ade_token.source.could_not_check new critical"),
            (11, "push_certificate.apns.push_certificate_replaced accepted critical"),
            (11, "vpp_token.v-2.token_removed reminder critical"),
            (12, "ade_token.source.could_not_check fixed critical"),
            (12, "push_certificate.apns.push_certificate_expiring worse 14"),
            (12, "vpp_token.v-2.token_removed reminder critical"),
            (14, "vpp_token.v-1.vpp_sync_failed new warning"),
            (16, "vpp_token.v-1.vpp_sync_failed fixed warning"),
        ]
    ]
    assert world.happened["welcome"] == 1
    assert {row.token.id for row in run(world.tables.token_rows())} == {"a-1", "v-1", "apns"}


@pytest.mark.parametrize("day", range(DAYS))
def test_a_check_cut_off_before_any_of_its_writes_is_made_up_for(day: int) -> None:
    undisturbed, _ = live()
    cut_off = 0

    for writes in range(MOST_WRITES):
        heard, world = live(cut_day=day, writes=writes)

        assert heard == undisturbed
        cut_off += world.happened["a check was cut off"]

    assert 2 <= cut_off < MOST_WRITES, "each write was cut off, and the last run was whole"


@pytest.mark.parametrize("day", range(DAYS))
def test_what_a_cut_off_check_was_to_escalate_is_still_said(
    day: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The log is the way that does not lead through Teams: better said twice than never."""

    def escalated(**cut: int) -> set[tuple[str, str, int]]:
        caplog.clear()
        live(**cut)
        events = (json.loads(record.message) for record in caplog.records)
        return {
            (event["kind"], event["problem"], event["days_open"])
            for event in events
            if event["event"] == "problem_escalated"
        }

    caplog.set_level(logging.ERROR, logger="apple_tokens.events")
    undisturbed = escalated()

    assert ("ade_token", "ade_token_expired", 0) in undisturbed
    for writes in range(MOST_WRITES):
        assert escalated(cut_day=day, writes=writes) == undisturbed
