"""Teams that does not take a card, and a queue that brings what it should not, or too late.

What was refused stays untold and is told later, once; what nobody can read ends in the poison queue
and harms nothing else. Of the webhook's address nothing is seen anywhere.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from apple_tokens.messages import MalformedMessageError, MessageKind
from apple_tokens.model import Problem, Reason
from apple_tokens.rows import RunRow
from apple_tokens.tables import ALERTS, STATUS
from notify.teams import DeliveryError, post
from notify.webhook import WebhookUrl
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource
from sandbox.host import Outcome
from sandbox.stage import Stage
from sandbox.tenant import SimulatedTenant
from tests.changing_tenant import MONDAY, TUESDAY
from tests.faulty_scene import Scene, Scenes, of_alerts, said, scenes
from tests.leaks import assert_hidden
from tests.survival import Promise, survives

pytestmark = pytest.mark.e2e

Happened = Callable[[str], None]
GOLDEN = Path(__file__).parent / "golden" / "messages"
DAY = timedelta(days=1)
WEEK = 7 * DAY
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def stage(azurite: Azurite, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Scenes]:
    caplog.set_level(logging.DEBUG)
    async with scenes(azurite) as opened:
        yield opened


async def first_ticket(scene: Scene) -> str:
    """Check for the first time; return the ticket of one alert."""
    return of_alerts(await scene.check(MONDAY))[0]


REFUSALS = [
    *(faults.answer(status) for status in (300, 304, 400, 401, 403, 404, 405, 410, 413, 415, 418)),
    faults.redirect("https://login.example/?sig=elsewhere"),
    *(faults.answer(status) for status in (408, 429, 500, 501, 502, 503, 504, 599)),
    faults.answer(429, headers={"Retry-After": "3600"}, name="429 with an hour's Retry-After"),
    faults.html_page(502),
    faults.reset(),
]


@survives(
    Promise.TOLD_IS_ACCEPTED,
    Promise.NOTHING_LOST,
    Promise.SECOND_WAY,
    Promise.NO_LEAK,
    fault="Teams: {fault.name}",
)
@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.name)
async def test_what_is_not_accepted_stays_untold_and_is_told_by_the_next_delivery(
    stage: Scenes, fault: Fault, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    scene = stage.new()
    body = await first_ticket(scene)
    stage.teams.faults.always(fault)

    with pytest.raises(DeliveryError) as refused:
        await scene.deliver(body, MONDAY, dequeue_count=5)

    assert '"event":"alert_gave_up"' in caplog.text
    assert sum((await scene.told_steps()).values()) == 0, "told, although Teams refused the card"
    requests = stage.teams.requests
    stage.teams.faults.clear()
    await scene.deliver(body, MONDAY)
    assert len(stage.teams.posts) == 1
    assert sum((await scene.told_steps()).values()) == 1
    rows = f"{await scene.cells(ALERTS)} {await scene.cells(STATUS)}"
    assert "sig=" not in rows
    assert_hidden(stage.teams.webhook_url, refused.value, caplog.records)
    last = "permanent" if refused.value.is_permanent else "the host tries again"
    happened(f"{requests} request, {last}; untold until it was accepted")


@survives(
    Promise.TOLD_IS_ACCEPTED, Promise.NOT_TWICE, Promise.NO_LEAK, fault="Teams: answers {status}"
)
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_what_is_accepted_is_told_and_never_again(
    stage: Scenes, status: int, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    scene = stage.new()
    body = await first_ticket(scene)
    stage.teams.faults.always(faults.answer(status))

    await scene.deliver(body, MONDAY)
    await scene.deliver(body, MONDAY, dequeue_count=2)

    assert stage.teams.requests == 1, "told twice"
    assert sum((await scene.told_steps()).values()) == 1
    assert_hidden(stage.teams.webhook_url, None, caplog.records)
    happened("accepted: told, and a second delivery posted nothing")


@survives(
    Promise.TOLD_IS_ACCEPTED,
    Promise.NO_LEAK,
    fault="Teams: {status} with Retry-After of a second, then accepted",
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_short_pause_that_teams_asks_for_is_kept_here(
    stage: Scenes, status: int, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    scene = stage.new()
    body = await first_ticket(scene)
    stage.teams.faults.once(faults.answer(status, headers={"Retry-After": "1"}))

    await scene.deliver(body, MONDAY)

    assert (stage.teams.requests, len(stage.teams.posts)) == (2, 1)
    assert sum((await scene.told_steps()).values()) == 1
    assert_hidden(stage.teams.webhook_url, None, caplog.records)
    happened("waited and posted within one delivery: 2 requests, 1 card")


@survives(
    Promise.NOTHING_LOST,
    Promise.TOLD_IS_ACCEPTED,
    Promise.NO_LEAK,
    fault="Teams: took the card, and its 202 is lost ({fault.name})",
)
@pytest.mark.parametrize("fault", [faults.reset(), faults.answer(504)], ids=lambda f: f.name)
async def test_a_card_whose_acceptance_is_lost_comes_once_more(
    stage: Scenes, fault: Fault, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    scene = stage.new()
    body = await first_ticket(scene)
    stage.teams.after.once(fault)

    with pytest.raises(DeliveryError) as refused:
        await scene.deliver(body, MONDAY)
    assert sum((await scene.told_steps()).values()) == 0, "told without an acceptance"
    for count in (2, 3):
        await scene.deliver(body, MONDAY, dequeue_count=count)

    cards = [run.payload for run in stage.teams.posts]
    assert len(cards) == 2
    assert cards[0] == cards[1], "the second card says something else"
    assert sum((await scene.told_steps()).values()) == 1
    assert_hidden(stage.teams.webhook_url, refused.value, caplog.records)
    happened("2 cards of the same content (at least once, as documented); told after the second")


@survives(Promise.BOUNDED, Promise.NO_LEAK, fault="Teams: never answers")
async def test_a_card_that_is_never_answered_is_given_up_at_the_deadline(
    stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    stage.teams.faults.always(faults.silence())

    posting = asyncio.create_task(post(WebhookUrl(stage.teams.webhook_url), {}, deadline_s=0.3))
    done, _ = await asyncio.wait({posting}, timeout=5)

    assert done, "Teams is waited for without end"
    with pytest.raises(DeliveryError, match="did not answer within") as refused:
        await posting
    assert not refused.value.is_permanent
    assert_hidden(stage.teams.webhook_url, refused.value, caplog.records)
    happened("given up when the time was over; the host tries again")


@survives(
    Promise.NOTHING_LOST,
    Promise.NOT_TWICE,
    Promise.SECOND_WAY,
    fault="Teams: the flow is switched off for a week",
)
async def test_after_a_week_without_teams_what_is_wrong_is_told_once(
    stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
) -> None:
    scene = stage.new()
    stage.teams.switched_on = False
    for day in range(7):
        body, *_ = await scene.check(MONDAY + day * DAY)
        with pytest.raises(DeliveryError, match="switched off"):
            await scene.deliver(body, MONDAY + day * DAY)
    assert '"event":"alert_undelivered"' in caplog.text, "the log does not say that nothing arrives"
    assert '"event":"problem_escalated"' in caplog.text

    stage.teams.switched_on = True
    told = await scene.live(MONDAY + WEEK)
    quiet = of_alerts(await scene.check(MONDAY + 8 * DAY))

    heard = {(problem, stage_) for _, problem, _, stage_, *_ in told if problem}
    assert len(heard) == len([each for each in told if each[1]]), "told twice"
    assert Problem.ADE_TOKEN_EXPIRED in {problem for problem, _ in heard}
    news = {(problem, at) for _, problem, reason, at, *_ in said(quiet) if reason is Reason.NEW}
    assert not news & heard, "told as news once more"
    happened(f"alert_undelivered, problem_escalated; then {len(heard)} cards, each once")


class TestTickets:
    @survives(
        Promise.NOT_TWICE, Promise.NOTHING_LOST, fault="Queue: a ticket a week late ({state})"
    )
    @pytest.mark.parametrize("state", ["all was told since", "nothing was told since"])
    async def test_that_are_a_week_late_tell_only_what_is_still_untold(
        self, stage: Scenes, state: str, happened: Happened
    ) -> None:
        scene = stage.new()
        tickets = of_alerts(await scene.check(MONDAY))
        if state == "all was told since":
            await scene.tell(tickets, MONDAY)
        posted, steps = stage.teams.requests, await scene.told_steps()

        await scene.tell(tickets, MONDAY + WEEK)

        cards = stage.teams.requests - posted
        if state == "all was told since":
            assert cards == 0, "told twice by a late ticket"
            assert await scene.told_steps() == steps
        else:
            assert cards == len(tickets)
            await scene.assert_nothing_is_untold()
        happened(f"{cards} cards from {len(tickets)} tickets")

    @survives(Promise.NOT_TWICE, fault="Queue: the same ticket delivered twice at one instant")
    async def test_that_come_twice_at_once_make_at_most_one_card_more(
        self, stage: Scenes, happened: Happened
    ) -> None:
        scene = stage.new()
        body = await first_ticket(scene)

        await asyncio.gather(scene.deliver(body, MONDAY), scene.deliver(body, MONDAY))
        at_once = len(stage.teams.posts)
        await scene.deliver(body, MONDAY, dequeue_count=2)

        assert len(stage.teams.posts) == at_once, "told again, although it was told"
        assert at_once in (1, 2)
        assert sum((await scene.told_steps()).values()) == 1, "one step was counted twice"
        happened(f"{at_once} cards, ToldStep 1; a third delivery posted nothing")

    @survives(Promise.NOT_TWICE, Promise.KEPT, fault="Queue: a ticket of another tenant")
    async def test_of_another_tenant_touch_no_row_of_this_one(
        self, stage: Scenes, happened: Happened
    ) -> None:
        scene = stage.new()
        body = json.loads(await first_ticket(scene))
        before = await scene.cells(ALERTS)
        body["tenant"]["id"] = "somebody-else"

        await scene.deliver(json.dumps(body), MONDAY)

        assert stage.teams.requests == 0, "posted what stands in another tenant's rows"
        assert await scene.cells(ALERTS) == before
        happened("nothing posted, no row touched")

    @survives(Promise.NOT_TWICE, Promise.KEPT, fault="Queue: a ticket for rows that are gone")
    async def test_for_rows_that_are_gone_are_dropped_and_make_no_ghost(
        self, stage: Scenes, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        scene = stage.new()
        body = await first_ticket(scene)
        await scene.tables.delete_alerts(await scene.tables.alert_rows())

        await scene.deliver(body, MONDAY)

        assert stage.teams.requests == 0, "posted a card about nothing"
        assert await scene.cells(ALERTS) == {}
        assert '"event":"alert_dropped"' in caplog.text
        happened("alert_dropped, nothing posted, no row made")

    @survives(Promise.NOTHING_LOST, fault="Queue: a message of the app's first version ({name})")
    @pytest.mark.parametrize(
        "name", ["v1-alerts", "v1-fixed", "v1-welcome", "v1-digest", "v1-test"]
    )
    async def test_of_the_first_version_are_understood(
        self, stage: Scenes, name: str, happened: Happened
    ) -> None:
        scene = stage.new()
        body = json.loads((GOLDEN / f"{name}.json").read_bytes())
        body["tenant"]["id"] = scene.tenant.id
        await scene.check(MONDAY)
        alert, *_ = await scene.tables.alert_rows()
        await scene.tables.write_alerts([replace(alert, batch=body.get("batch", ""))])
        await scene.tables.write_run(RunRow(welcome_step=1, digest_step=12), [])

        await scene.deliver(json.dumps(body), MONDAY)

        assert len(stage.teams.posts) == 1, "an old message was not told"
        happened("understood: 1 card")


@pytest.fixture
async def app(azurite: Azurite, storage: str) -> AsyncIterator[Stage]:
    """Give a whole sandbox with one token that expires in five days, checked and told about."""
    assert storage  # emptied: the queue is shared
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, MONDAY, tokenName="Stores", tokenExpirationDateTime="+5d 12h")
    tenant.add(GraphSource.PUSH, MONDAY)
    async with Stage(tenant, MONDAY, azurite=azurite) as opened:
        yield opened


class TestThePoisonQueue:
    @survives(
        Promise.NOTHING_LOST,
        Promise.SECOND_WAY,
        Promise.NO_LEAK,
        fault="Teams: switched off for five deliveries, until the tickets are in the poison queue",
    )
    async def test_gets_what_failed_five_times_and_the_next_check_makes_it_again(
        self, app: Stage, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        caplog.set_level(logging.DEBUG)
        app.teams.switched_on = False
        lost = of_alerts(await app.tick(MONDAY))
        await app.host.drain_until_idle(MONDAY)
        assert lost[0] in await app.host.poison_messages(), "it is not in the poison queue"
        tries = [each for each in app.host.deliveries if each.body == lost[0]]
        assert [each.outcome for each in tries] == [Outcome.FAILED] * 4 + [Outcome.POISONED]
        assert caplog.text.count('"event":"alert_gave_up"') == 2

        app.teams.switched_on = True
        again = of_alerts(await app.tick(TUESDAY))
        await app.deliver(TUESDAY)
        await app.host.send(lost[0])
        await app.deliver(TUESDAY + MINUTE)

        assert said(again) == said(lost), "what was lost was not made again"
        told = [each for each in app.posted if each.message.kind is MessageKind.ALERTS]
        assert [each.names for each in told] == [("Stores",)], "not told exactly once"
        for delivery in tries:
            assert delivery.error is not None
            # Without the frames of the sandbox's host, one of which is called like a part of a URL.
            error = delivery.error.with_traceback(None)
            assert_hidden(app.teams.webhook_url, error, caplog.records)
        happened("2 × alert_gave_up; the next day's check made both again: told once each")

    @survives(
        Promise.CLEAR_ERROR,
        Promise.NOTHING_LOST,
        fault="Queue: {what}, among tickets that are well",
    )
    @pytest.mark.parametrize(
        "what", ["no JSON", "a ticket cut short", "an unknown problem", "45 KiB"]
    )
    async def test_gets_what_nobody_can_read_and_nothing_else(
        self, app: Stage, what: str, caplog: pytest.LogCaptureFixture, happened: Happened
    ) -> None:
        tickets = of_alerts(await app.tick(MONDAY))
        ticket = json.loads(tickets[0])
        bad = {
            "no JSON": "not a ticket",
            "a ticket cut short": tickets[0][:-9],
            "an unknown problem": json.dumps(ticket | {"problem": "ade_token_haunted"}),
            "45 KiB": "x" * 45 * 1024,  # the most that a queue takes, in base64
        }[what]
        await app.host.send(bad)

        await app.host.drain_until_idle(MONDAY)

        assert await app.host.poison_messages() == [bad], "it is not alone in the poison queue"
        failed = [each.error for each in app.host.deliveries if each.body == bad]
        assert len(failed) == 5
        assert all(isinstance(error, MalformedMessageError) for error in failed)
        assert "the queue message is no remediation message" in str(failed[-1])
        assert len(str(failed[-1])) < 300, "the error repeats the message"
        assert caplog.text.count('"event":"alert_gave_up"') == 1
        assert [each.message.problem for each in app.posted] == [Problem.ADE_TOKEN_EXPIRING, None]
        happened("MalformedMessageError five times, then the poison queue; the others were told")
