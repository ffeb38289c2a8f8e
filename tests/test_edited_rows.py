"""Rows that somebody edited, tables that somebody deleted, and rows of a newer version of the app.

What was told is not told twice more than said here, what is wrong is told, and nothing stops the
check.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta

import pytest
from azure.data.tables import EntityProperty, UpdateMode

from apple_tokens import messages
from apple_tokens.codec import columns_of
from apple_tokens.messages import MalformedMessageError, MessageKind
from apple_tokens.model import Problem, Reason
from apple_tokens.rows import AlertRow, RunRow, SourceRow, TokenRow
from apple_tokens.tables import ALERTS, HISTORY, STATUS
from sandbox.azurite import Azurite
from tests.changing_tenant import MONDAY, TUESDAY, WEDNESDAY, tokens
from tests.faulty_scene import HALF_AN_HOUR, Scene, Scenes, of_alerts, said, scenes
from tests.survival import Promise, survives

pytestmark = [pytest.mark.e2e, pytest.mark.no_cover]

Happened = Callable[[str], None]
Edit = Callable[[Mapping[str, object]], dict[str, object]]

ALERT = "ade_token.a-1.ade_token_expired"
"""Told on Monday, and due again on Tuesday."""
ROWS = {
    "an alert": (ALERTS, ALERT),
    "a status row": (STATUS, "ade_token.a-1"),
    "run.check": (STATUS, "run.check"),
    "run.ade_token": (STATUS, "run.ade_token"),
    "a history row": (HISTORY, ""),
}
_KEYS = ("PartitionKey", "RowKey")
MOSTLY_EMPTY = {"ClearSince", "DigestDueSince", "Reason"}
"""Of an alert, run.check and the row of a source: a check empties them again."""
OF_THE_CHECK = (
    columns_of(TokenRow) | columns_of(SourceRow) | columns_of(RunRow) | columns_of(AlertRow)
) - (
    TokenRow.OPERATOR_COLUMNS
    | RunRow.NOTIFY_COLUMNS
    | RunRow.OPERATOR_COLUMNS
    | AlertRow.NOTIFY_COLUMNS
    | AlertRow.OPERATOR_COLUMNS
)
DAY = timedelta(days=1)


def nonsense(cells: Mapping[str, object]) -> dict[str, object]:
    """Put something into each column that it never holds."""
    return dict.fromkeys(cells.keys() | MOSTLY_EMPTY, "?!")


def other_types(cells: Mapping[str, object]) -> dict[str, object]:
    """Give each column a type that it never has."""
    return {
        name: EntityProperty(2**40, "Edm.Int64") if isinstance(value, str) else 2.5
        for name, value in cells.items()
    }


def emptied(cells: Mapping[str, object]) -> dict[str, object]:
    """Leave no column but the keys."""
    return {}


def values_of_a_newer_version(cells: Mapping[str, object]) -> dict[str, object]:
    """Use words that this version does not know, where it expects one of its own."""
    words = {"Severity", "Problem", "Health", "Reason", "ToldReason", "Result", "Portal"}
    return dict(cells) | dict.fromkeys(words & cells.keys(), "haunted")


EDITS: dict[str, Edit] = {
    "every column holds nonsense": nonsense,
    "every column has another type": other_types,
    "every column is gone": emptied,
    "words of a newer version": values_of_a_newer_version,
}

EDITED = [
    (place, how)
    for place in ROWS
    for how in EDITS
    # Such an edit changes nothing that is needed or known there.
    if (place, how)
    not in {
        ("a status row", "every column is gone"),
        ("run.check", "every column is gone"),
        ("run.check", "words of a newer version"),
        ("a history row", "words of a newer version"),
    }
]


@pytest.fixture
async def stage(azurite: Azurite) -> AsyncIterator[Scenes]:
    async with scenes(azurite) as opened:
        yield opened


async def edit(scene: Scene, table: str, key: str, change: Edit) -> str:
    """Edit one row by hand; return its key."""
    rows = await scene.cells(table)
    key = key or next(iter(rows))
    row = rows[key]
    keys = {name: row.pop(name) for name in _KEYS}
    client = scene.service.get_table_client(table)
    await client.upsert_entity(keys | change(row), mode=UpdateMode.REPLACE)
    return key


def unreadable(caplog: pytest.LogCaptureFixture, key: str) -> list[str]:
    """Return the columns of a row that were said to hold nonsense."""
    records = [each for each in caplog.records if each.name == "apple_tokens.events"]
    logged = [json.loads(record.getMessage()) for record in records]
    return [
        column
        for event in logged
        if event["event"] == "row_unreadable" and event["key"] == key
        for column in event["columns"]
    ]


@survives(
    Promise.NOTHING_LOST, Promise.CLEAR_ERROR, fault="Storage: {place} was edited by hand: {how}"
)
@pytest.mark.parametrize("place, how", EDITED)
async def test_an_edited_row_costs_at_most_one_reminder_the_word_new(
    stage: Scenes, place: str, how: str, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    table, key = ROWS[place]
    undisturbed, scene = stage.new(), stage.new()
    for each in (undisturbed, scene):
        await each.has_heard(MONDAY)
        if table == HISTORY:
            await each.has_heard(TUESDAY)
    key = await edit(scene, table, key, EDITS[how])
    day = WEDNESDAY if table == HISTORY else TUESDAY
    expected, posted = await undisturbed.has_heard(day), len(stage.teams.posts)
    caplog.clear()

    told = await scene.live(day)

    bad = unreadable(caplog, key)
    assert len(stage.teams.posts) - posted == len(expected), "a card was lost or came twice"
    differs = {each[2] for each in set(told) ^ set(expected)}
    assert differs in (set(), {Reason.NEW, Reason.REMINDER}), (
        f"not told as without the edit: {told}"
    )
    await scene.assert_nothing_is_untold()
    if table == HISTORY:
        for token in tokens(MONDAY):
            await scene.tables.history(token.kind, token.id)
        bad = unreadable(caplog, key)
    assert bad or EDITS[how] is not nonsense, "columns of nonsense are passed over in silence"
    caplog.clear()
    after = await scene.check(day + DAY)
    left = set(unreadable(caplog, key)) & OF_THE_CHECK
    assert not left, f"the check left its columns {left} as they were"
    as_ever = await undisturbed.check(day + DAY)
    assert said(of_alerts(after)) == said(of_alerts(as_ever))
    happened(
        f"{len(bad)} columns taken as empty; "
        + ("told as new, not as a reminder" if differs else "told as if nothing had been")
    )


class TestATableThatIsDeleted:
    @survives(Promise.NOTHING_LOST, fault="Storage: tokenalerts deleted between two checks")
    async def test_alerts_between_two_checks(self, stage: Scenes, happened: Happened) -> None:
        scene = stage.new()
        await scene.live(MONDAY)
        await scene.service.delete_table(ALERTS)

        told = await scene.live(TUESDAY)

        alerts = await scene.assert_nothing_is_untold()
        open_now = {alert.problem for alert in alerts if not alert.silenced}
        assert {reason for _, _, reason, *_ in told} == {Reason.NEW}
        assert (
            {problem for _, problem, *_ in told}
            == open_now
            == {
                Problem.ADE_TOKEN_EXPIRED,
                Problem.ADE_TOKEN_EXPIRING,
                Problem.VPP_TOKEN_INVALID,
            }
        )
        assert (await scene.tables.run_rows()).run.welcome_told_step == 1
        happened(
            f"all that is wrong was told anew as new ({len(told)} cards), the welcome not; "
            "of what was mended meanwhile no card says so"
        )

    @survives(Promise.NOTHING_LOST, fault="Storage: tokenalerts deleted while the tickets wait")
    async def test_alerts_while_the_tickets_wait(self, stage: Scenes, happened: Happened) -> None:
        scene = stage.new()
        tickets = of_alerts(await scene.check(MONDAY))
        await scene.service.delete_table(ALERTS)
        posted = stage.teams.requests

        await scene.tell(tickets, MONDAY)
        assert stage.teams.requests == posted, "posted, although nothing stands in the rows"
        told = await scene.live(TUESDAY)

        assert {each[1] for each in said(tickets)} <= {problem for _, problem, *_ in told}
        await scene.assert_nothing_is_untold()
        happened(
            f"{len(tickets)} tickets found nothing; the next day's check told all that is wrong"
        )

    @survives(
        Promise.NOTHING_LOST, Promise.NOT_TWICE, fault="Storage: tokenstatus deleted after a check"
    )
    async def test_status_rows(self, stage: Scenes, happened: Happened) -> None:
        scene, undisturbed = stage.new(), stage.new()
        await scene.live(MONDAY)
        await undisturbed.has_heard(MONDAY)
        expected = [each for each in await undisturbed.has_heard(TUESDAY) if each[1] or each[2]]
        steps = await scene.told_steps()
        await scene.service.delete_table(STATUS)

        same_day = await scene.live(MONDAY + HALF_AN_HOUR)

        assert [kind for kind, *_ in same_day] == [MessageKind.WELCOME], "told twice"
        assert await scene.told_steps() == steps
        told = await scene.live(TUESDAY)
        assert [each for each in told if each[1] or each[2]] == expected
        assert len(await scene.tables.token_rows()) == 6
        happened("checked again at once: all 6 rows, the welcome once more, no alert twice")

    @survives(
        Promise.NOTHING_LOST, Promise.NOT_TWICE, fault="Storage: tokenhistory deleted after a check"
    )
    async def test_history(self, stage: Scenes, happened: Happened) -> None:
        scene, undisturbed = stage.new(), stage.new()
        await scene.has_heard(MONDAY)
        await undisturbed.has_heard(MONDAY)
        expected = await undisturbed.has_heard(TUESDAY)
        await scene.service.delete_table(HISTORY)

        assert await scene.has_heard(TUESDAY) == expected
        rows = len(await scene.cells(HISTORY))
        assert rows > 0
        happened(f"told as if it were there; {rows} rows begin it anew")


async def newer_version_writes(scene: Scene) -> dict[str, dict[str, dict[str, object]]]:
    """Write what a newer version of the app could: columns, problems and kinds of its own."""
    own = {"PartitionKey": scene.tenant.id}
    writes: list[tuple[str, dict[str, object]]] = [
        (ALERTS, {"RowKey": ALERT, "Mood": "grim"}),
        (ALERTS, {"RowKey": "ade_token.a-1.ade_token_haunted", "Step": 3, "ToldStep": 2}),
        (ALERTS, {"RowKey": "watch_token.w-1.watch_token_expired", "Step": 1, "ToldStep": 1}),
        (STATUS, {"RowKey": "ade_token.a-1", "Mood": "grim"}),
        (STATUS, {"RowKey": "watch_token.w-1", "Name": "Of a kind to come"}),
        (STATUS, {"RowKey": "run.check", "Mood": "grim"}),
        (STATUS, {"RowKey": "run.ade_token", "Mood": "grim"}),
        (STATUS, {"RowKey": "run.watch_token", "SettledAt": "2026-03-02T08:00:00Z"}),
        (HISTORY, {"RowKey": "watch_token.w-1.1", "Changed": "Mood"}),
    ]
    written = dict[str, dict[str, dict[str, object]]]()
    for table, cells in writes:
        client = scene.service.get_table_client(table)
        await client.upsert_entity(own | cells, mode=UpdateMode.MERGE)
        written.setdefault(table, {})[str(cells["RowKey"])] = cells
    return written


class TestANewerVersionOnTheSameTables:
    @survives(
        Promise.NOTHING_LOST,
        Promise.NOT_TWICE,
        fault="Storage: a newer version of the app wrote to the same rows before",
    )
    async def test_finds_what_it_wrote_when_it_runs_again(
        self, stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        scene, undisturbed = stage.new(), stage.new()
        await scene.has_heard(MONDAY)
        await undisturbed.has_heard(MONDAY)
        written = await newer_version_writes(scene)

        for day in (TUESDAY, WEDNESDAY):
            assert await scene.has_heard(day) == await undisturbed.has_heard(day)

        for table, rows in written.items():
            found = await scene.cells(table)
            for key, cells in rows.items():
                assert key in found, f"the row {key} of the newer version was deleted"
                kept = {name: found[key].get(name) for name in cells}
                assert kept == cells, f"columns of the newer version are lost in {key}"
        assert unreadable(caplog, "ade_token.a-1.ade_token_haunted")
        count = sum(map(len, written.values()))
        happened(
            f"two days were told as ever; all {count} rows of the newer version are as it left them"
        )

    @survives(
        Promise.CLEAR_ERROR,
        Promise.NOTHING_LOST,
        fault="Queue: a message of a newer version, five times, among those of this one",
    )
    async def test_has_its_messages_refused(
        self, stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        scene = stage.new()
        (body, *_) = tickets = of_alerts(await scene.check(MONDAY))
        newer = json.dumps(json.loads(body) | {"version": messages.VERSION + 1})
        posted = stage.teams.requests
        for count in range(1, 6):
            with pytest.raises(MalformedMessageError, match="version 2, and this app reads"):
                await scene.deliver(newer, MONDAY, dequeue_count=count)

        assert stage.teams.requests == posted, "posted what it does not understand"
        assert '"event":"alert_gave_up"' in caplog.text
        await scene.tell(tickets, MONDAY)
        await scene.assert_nothing_is_untold()
        happened(f"refused, which names both versions; the other {len(tickets)} were told")
