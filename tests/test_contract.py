"""The app as Azure runs it on Python 3.13 and up: from the timer to a card in the channel.

Both functions are indexed, loaded and invoked by the worker's own code, read their settings from
the environment, sign in with the real credential, and work on real storage and real HTTP.
"""

import asyncio
import importlib.util
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apple_tokens import messages
from apple_tokens.messages import MessageKind
from apple_tokens.model import Problem, Reason
from sandbox import graph_faults
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.identity import CLIENT_ID, IdentityRequest
from sandbox.stage import Stage
from sandbox.tenant import TENANT_ID, SimulatedTenant
from tests.leaks import assert_hidden
from tests.survival import Promise, survives
from tests.worker import RUNTIME, Message, Worker

pytestmark = [pytest.mark.contract, pytest.mark.e2e]

ROOT = Path(__file__).resolve().parent.parent
SUCCESS, FAILURE = "success", "failure"

Happened = Callable[[str], None]


@pytest.fixture(scope="module")
def worker() -> Worker:
    """Give a worker that has indexed the app, which is possible once in a process."""
    if importlib.util.find_spec(RUNTIME) is None:
        pytest.skip("needs azure-functions-runtime, which is there for Python 3.13 and up")
    worker = Worker(str(ROOT))
    started = asyncio.run(worker.start())
    assert started.result.status == SUCCESS, started.result.exception
    return worker


@pytest.fixture
async def functions(worker: Worker) -> dict[str, Message]:
    return await worker.functions()


@pytest.fixture
async def stage(
    azurite: Azurite, storage: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """Give a small tenant, as it is now: the functions read the real clock and environment."""
    assert storage  # emptied
    now = datetime.now(UTC)  # noqa: TID251 -- the functions read it too
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, now, tokenName="Stores", tokenExpirationDateTime="+5d 12h")
    tenant.add(GraphSource.VPP, now, displayName="Apps", state="invalid")
    tenant.add(GraphSource.PUSH, now)
    # Far from now, or a check date could begin between two ticks.
    settings = {"CHECK_AT": f"{now + timedelta(hours=12):%H:%M}"}
    async with Stage(tenant, now, azurite=azurite, settings=settings) as stage:
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        yield stage


def queued(answer: Message) -> list[str]:
    """Return the messages that an invocation handed over, as the host reads them."""
    assert answer.result.status == SUCCESS, answer.result.exception
    assert answer.return_value is None
    bodies: list[str] = []
    for output in answer.output_data:
        assert output.name == "tickets"
        bodies += json.loads(output.data.json)
    return bodies


async def test_the_worker_finds_both_functions_and_their_bindings(
    functions: dict[str, Message],
) -> None:
    found = {
        name: [json.loads(binding) for binding in function.raw_bindings]
        for name, function in functions.items()
    }

    assert {name: {b["name"]: b["type"] for b in bound} for name, bound in found.items()} == {
        "check_tokens": {"timer": "timerTrigger", "tickets": "queue"},
        "notify": {"ticket": "queueTrigger"},
    }
    assert {b.get("queueName") for bound in found.values() for b in bound} == {None, "remediation"}
    assert all(function.retry_options is None for function in functions.values())


async def test_a_timer_tick_ends_in_cards_and_the_next_one_has_nothing_to_do(
    worker: Worker, functions: dict[str, Message], stage: Stage
) -> None:
    bodies = queued(await worker.fire(functions["check_tokens"]))

    tickets = [messages.decode(body) for body in bodies]
    assert [(ticket.kind, ticket.problem, ticket.reason, ticket.count) for ticket in tickets] == [
        (MessageKind.ALERTS, Problem.ADE_TOKEN_EXPIRING, Reason.NEW, 1),
        (MessageKind.ALERTS, Problem.VPP_TOKEN_INVALID, Reason.NEW, 1),
        (MessageKind.WELCOME, None, None, 0),
    ]
    assert {ticket.tenant.id for ticket in tickets} == {TENANT_ID}
    assert stage.identity.requests == [
        IdentityRequest(resource="https://graph.microsoft.com", client_id=CLIENT_ID)
    ]

    for body in bodies:
        answer = await worker.hand_over(functions["notify"], body)
        assert (queued(answer), answer.output_data) == ([], [])

    cards = [json.dumps(run.cards) for run in stage.teams.posts]
    assert ["Stores" in card for card in cards[:2]] == [True, False]
    assert ["Apps" in card for card in cards[:2]] == [False, True]
    assert len(cards) == 3
    assert {alert.told_step for alert in await stage.alert_rows()} == {1}

    # The same ticket once more, and another tick.
    queued(await worker.hand_over(functions["notify"], bodies[0], dequeue_count=2))
    assert len(stage.teams.posts) == 3
    assert queued(await worker.fire(functions["check_tokens"])) == []


@survives(
    Promise.TOLD_IS_ACCEPTED,
    Promise.NO_LEAK,
    fault="Functions runtime: Teams refuses, try {dequeue_count} of 5",
)
@pytest.mark.parametrize("dequeue_count, event", [(4, "alert_failed"), (5, "alert_gave_up")])
async def test_a_card_that_teams_refuses_is_a_failed_invocation_that_shows_no_secret(
    worker: Worker,
    functions: dict[str, Message],
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    dequeue_count: int,
    event: str,
    happened: Happened,
) -> None:
    caplog.set_level(logging.DEBUG)
    body, *_ = queued(await worker.fire(functions["check_tokens"]))
    stage.teams.switched_on = False

    answer = await worker.hand_over(functions["notify"], body, dequeue_count)

    assert answer.result.status == FAILURE, "the host takes the message for told"
    exception = answer.result.exception
    assert exception.message.startswith("DeliveryError: the Teams workflow answered 400")
    (logged,) = [record for record in caplog.records if f'"{event}"' in record.getMessage()]
    assert json.loads(logged.getMessage())["dequeue_count"] == dequeue_count
    shown = DeliveredTexts(f"{exception.message}\n{exception.stack_trace}")
    assert_hidden(stage.teams.webhook_url, shown, caplog.records)
    assert {alert.told_step for alert in await stage.alert_rows()} == {0}
    happened(f"a failed invocation, {event}, nothing stamped, no secret shown")


class DeliveredTexts(Exception):  # noqa: N818 -- carries what the host was handed
    """What the worker tells the host about an exception."""


@survives(Promise.CLEAR_ERROR, fault="Functions runtime: a message that is none")
async def test_a_message_that_is_none_is_a_failed_invocation(
    worker: Worker, functions: dict[str, Message], stage: Stage, happened: Happened
) -> None:
    answer = await worker.hand_over(functions["notify"], "not a ticket")

    assert answer.result.status == FAILURE, "the host takes the message for told"
    assert answer.result.exception.message.startswith("MalformedMessageError: ")
    assert stage.teams.requests == 0
    happened("a failed invocation: MalformedMessageError; nothing posted")


@survives(Promise.CLEAR_ERROR, fault="Functions runtime: a setting that is none")
async def test_a_check_that_fails_hands_nothing_over(
    worker: Worker,
    functions: dict[str, Message],
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    happened: Happened,
) -> None:
    monkeypatch.setenv("REMIND_DAYS", "soon")

    answer = await worker.fire(functions["check_tokens"])

    assert answer.result.status == FAILURE, "a check that did not run counts as one that did"
    assert answer.result.exception.message.startswith("SettingsError: REMIND_DAYS is 'soon'")
    assert not hasattr(answer, "output_data")
    assert stage.graph.requests == []
    happened("a failed invocation: SettingsError names REMIND_DAYS; Graph is not asked")


@survives(
    Promise.APART,
    Promise.NO_ALL_CLEAR,
    fault="Functions runtime: Graph answers 403 for one source",
)
async def test_a_source_that_cannot_be_read_fails_no_check(
    worker: Worker, functions: dict[str, Message], stage: Stage, happened: Happened
) -> None:
    stage.tenant.faults[GraphSource.VPP].always(graph_faults.forbidden())

    bodies = queued(await worker.fire(functions["check_tokens"]))

    assert [messages.decode(body).problem for body in bodies] == [
        Problem.ADE_TOKEN_EXPIRING,
        Problem.COULD_NOT_CHECK,
        None,
    ]
    happened("could_not_check told; the other sources' alerts and the welcome too")
