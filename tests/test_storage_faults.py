"""Storage that fails, in the middle of anything: the next tick or delivery makes up for it.

Also a storage account in which somebody edits or deletes rows and tables, and one that a newer
version of the app shares.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from azure.core.exceptions import AzureError

from sandbox import faults
from sandbox.azurite import ACCOUNT_KEY, Azurite
from sandbox.faults import Fault
from tests.changing_tenant import MONDAY, TUESDAY
from tests.faulty_scene import HALF_AN_HOUR, IMPATIENT, Scenes, of_alerts, said, scenes
from tests.survival import Promise, survives

pytestmark = pytest.mark.e2e

Happened = Callable[[str], None]

FAILURES = pytest.mark.parametrize(
    "fault",
    [faults.answer(500), faults.answer(503), faults.reset()],
    ids=lambda fault: fault.name,
)
LASTING = pytest.mark.parametrize(
    "fault", [faults.answer(503), faults.reset()], ids=lambda fault: fault.name
)
BEFORE_OR_AFTER = pytest.mark.parametrize("when", ["before", "after"])
"""Whether storage fails before its work, or does it and nobody hears of it."""


@pytest.fixture
async def stage(azurite: Azurite) -> AsyncIterator[Scenes]:
    async with scenes(azurite) as opened:
        yield opened


@survives(
    Promise.NOTHING_LOST,
    Promise.NOT_TWICE,
    fault="Storage: {fault.name} {when} each request of a check and its cards, once",
)
@BEFORE_OR_AFTER
@FAILURES
async def test_each_request_is_tried_again(
    stage: Scenes, when: str, fault: Fault, happened: Happened
) -> None:
    undisturbed, struck = stage.new(), stage.new()
    for scene in (undisturbed, struck):
        await scene.has_heard(MONDAY)
    expected, posted = await undisturbed.has_heard(TUESDAY), len(stage.teams.posts)
    plan = getattr(stage.proxy.table, when)
    plan.once(*[fault, faults.healthy()] * 100)

    async with stage.failing() as service:
        try:
            bodies = await struck.check(TUESDAY, service)
            await struck.tell(bodies, TUESDAY, service)
        except AzureError as error:
            pytest.fail(f"one failed request was not made up for: {error}")

    assert said(bodies) == expected
    assert await struck.kept() == await undisturbed.kept()
    assert len(stage.teams.posts) - posted == len(bodies), "a card was lost or came twice"
    requests = len(stage.proxy.table.requests) // 2
    assert requests > 10
    happened(f"{requests} requests were repeated: the same rows, {len(bodies)} cards")


@survives(
    Promise.NOTHING_LOST,
    Promise.KEPT,
    fault="Storage: {fault.name} {when} any one request of a check, and from then on",
)
@BEFORE_OR_AFTER
@LASTING
async def test_storage_that_goes_away_in_a_check_is_made_up_for_by_a_later_tick(
    stage: Scenes, when: str, fault: Fault, happened: Happened
) -> None:
    undisturbed = stage.new()
    await undisturbed.has_heard(MONDAY)
    async with stage.failing() as service:
        expected = said(await undisturbed.check(TUESDAY, service))
    as_expected, requests = await undisturbed.kept(), len(stage.proxy.table.requests)
    assert requests >= 6
    plan, an_hour_late = getattr(stage.proxy.table, when), 0

    for number in range(requests):
        scene = stage.new()
        await scene.has_heard(MONDAY)
        plan.once(*[faults.healthy()] * number)
        plan.always(fault)
        async with stage.failing() as service:
            with pytest.raises(AzureError):
                await scene.check(TUESDAY, service)
        plan.clear()

        bodies = await scene.check(TUESDAY + HALF_AN_HOUR)
        if not bodies:
            # All was written, and nobody heard of it: tickets are queued once more after an hour.
            an_hour_late += 1
            bodies = await scene.check(TUESDAY + 3 * HALF_AN_HOUR)
        where = f"cut off {when} request {number + 1}"
        assert said(bodies) == expected, f"{where}: a later tick does not tell the same"
        assert await scene.kept() == as_expected, f"{where}: the rows are others"

    assert an_hour_late <= 1
    happened(
        f"cut off at each of {requests} requests: each check failed, and the next tick told the "
        f"same ({an_hour_late} of them an hour later)"
    )


@survives(
    Promise.NOTHING_LOST,
    Promise.TOLD_IS_ACCEPTED,
    fault="Storage: {fault.name} {when} any one request of a notification, and from then on",
)
@BEFORE_OR_AFTER
@LASTING
async def test_storage_that_goes_away_in_a_notification_is_made_up_for_by_the_next_delivery(
    stage: Scenes, when: str, fault: Fault, happened: Happened
) -> None:
    plan, cards = getattr(stage.proxy.table, when), list[int]()

    for number in range(3):  # two reads, the card, and the stamp
        scene = stage.new()
        body, *_ = of_alerts(await scene.check(MONDAY))
        posted = stage.teams.requests
        plan.once(*[faults.healthy()] * number)
        plan.always(fault)
        async with stage.failing() as service:
            with pytest.raises(AzureError):
                await scene.deliver(body, MONDAY, service=service)
        plan.clear()
        if number < 2:
            assert stage.teams.requests == posted, "posted without having read the rows"
            assert set((await scene.told_steps()).values()) == {0}

        await scene.deliver(body, MONDAY, dequeue_count=2)
        await scene.deliver(body, MONDAY, dequeue_count=3)

        cards.append(stage.teams.requests - posted)
        assert sum((await scene.told_steps()).values()) == 1

    # Teams had accepted the card, and only a stamp that was written says so.
    assert cards == [1, 1, 2 if when == "before" else 1]
    happened(
        f"cut off while reading: 1 card; while stamping: {cards[2]}; told once it was accepted"
    )


class TestStorageThatIsDownAtTheStart:
    @survives(Promise.KEPT, fault="Storage: down when a check begins (connection refused)")
    async def test_fails_the_check_before_any_source_is_read(
        self, stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        scene = stage.new()
        await scene.has_heard(MONDAY)
        before, asked = await scene.kept(), scene.asked
        caplog.clear()
        await stage.proxy.table.stop()
        async with stage.failing() as service:
            with pytest.raises(AzureError) as failed:
                await scene.check(TUESDAY, service)
        await stage.proxy.table.start()

        assert scene.asked == asked, "sources were read though no row could be"
        assert events(caplog) == [], "a check that failed must leave no trace of having finished"
        assert ACCOUNT_KEY not in f"{failed.value!r} {caplog.text}"
        assert await scene.kept() == before
        tickets = await scene.check(TUESDAY + HALF_AN_HOUR)
        assert len(tickets) == 6
        happened(f"nothing changed, no check_finished; the next tick queued {len(tickets)} tickets")

    @survives(
        Promise.NOTHING_LOST,
        Promise.SECOND_WAY,
        fault="Storage: down when a ticket is delivered, five times (connection refused)",
    )
    async def test_fails_the_delivery_and_is_said_in_the_log(
        self, stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        scene = stage.new()
        body, *_ = of_alerts(await scene.check(MONDAY))
        caplog.clear()
        await stage.proxy.table.stop()
        async with stage.failing() as service:
            for count in range(1, 5):
                with pytest.raises(AzureError):
                    await scene.deliver(body, MONDAY, dequeue_count=count, service=service)
            with pytest.raises(AzureError) as failed:
                await scene.deliver(body, MONDAY, dequeue_count=5, service=service)
        await stage.proxy.table.start()

        logged = [str(event["event"]) for event in events(caplog)]
        assert logged == ["alert_failed"] * 4 + ["alert_gave_up"]
        assert ACCOUNT_KEY not in f"{failed.value!r} {caplog.text}"
        told = await scene.live(TUESDAY)
        assert said([body])[0][1] in {each[1] for each in told}, "it was not made again"
        happened("4 × alert_failed, alert_gave_up; the next day's check told it")


@survives(Promise.BOUNDED, Promise.KEPT, fault="Storage: never answers {what} of a check")
@pytest.mark.parametrize("what, number", [("the first read", 0), ("the first write", 3)])
async def test_storage_that_never_answers_ends_the_check(
    stage: Scenes, what: str, number: int, happened: Happened
) -> None:
    scene = stage.new()
    await scene.has_heard(MONDAY)
    stage.proxy.table.before.once(*[faults.healthy()] * number)
    stage.proxy.table.before.always(faults.silence())
    async with stage.failing(IMPATIENT) as service:
        check = asyncio.create_task(scene.check(TUESDAY, service))
        done, _ = await asyncio.wait({check}, timeout=5)
        assert done, "storage that never answers is waited for without end"
    with pytest.raises(AzureError):
        await check
    stage.proxy.table.before.clear()

    assert len(await scene.check(TUESDAY + HALF_AN_HOUR)) == 6
    happened("given up after one repeat; the next tick told all of it")


@survives(Promise.BOUNDED, Promise.NOTHING_LOST, fault="Storage: never answers a notification")
async def test_storage_that_never_answers_ends_the_delivery(
    stage: Scenes, happened: Happened
) -> None:
    scene = stage.new()
    body, *_ = of_alerts(await scene.check(MONDAY))
    stage.proxy.table.before.always(faults.silence())
    async with stage.failing(IMPATIENT) as service:
        delivery = asyncio.create_task(scene.deliver(body, MONDAY, service=service))
        done, _ = await asyncio.wait({delivery}, timeout=5)
        assert done, "storage that never answers is waited for without end"
    with pytest.raises(AzureError):
        await delivery
    stage.proxy.table.before.clear()

    await scene.deliver(body, MONDAY, dequeue_count=2)
    assert 1 in (await scene.told_steps()).values()
    happened("given up after one repeat; the next delivery told it")


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Return what was logged as events."""
    records = [each for each in caplog.records if each.name == "apple_tokens.events"]
    return [json.loads(record.getMessage()) for record in records]
