"""From a ticket to the channel and back to the rows: told once, and never marked before."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest
from azure.data.tables.aio import TableServiceClient
from msgspec.structs import replace

from apple_tokens import messages
from apple_tokens.messages import (
    VERSION,
    MalformedMessageError,
    MessageKind,
    RemediationMessage,
)
from apple_tokens.model import Facts, Problem, Reason, Severity, Tenant, TokenKind
from apple_tokens.rows import AlertRow, RunRow
from apple_tokens.settings import SettingsError
from apple_tokens.tables import TokenTables
from notify.delivery import MAX_DEQUEUE_COUNT, deliver
from notify.settings import Settings
from notify.teams import DeliveryError
from sandbox import faults
from sandbox.teams import TeamsChannel
from tests.builders import ade, row
from tests.gated_storage import gated
from tests.leaks import assert_hidden

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
CHECKED_AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
TENANT = Tenant(id="5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17", name="Contoso")
BATCH = "20260302T080000.000000Z ade_token_expiring 7 worse"
TICKET = RemediationMessage(
    version=VERSION,
    kind=MessageKind.ALERTS,
    tenant=TENANT,
    checked_at=CHECKED_AT,
    check_date=date(2026, 3, 2),
    batch=BATCH,
    problem=Problem.ADE_TOKEN_EXPIRING,
    reason=Reason.WORSE,
    stage="7",
    severity=Severity.CRITICAL,
    count=2,
)


def expiring(number: int, **changes: object) -> AlertRow:
    """Return the alert of a token in its last week: told as new, and worse by now."""
    untold = AlertRow(
        kind=TokenKind.ADE,
        token_id=f"a-{number}",
        problem=Problem.ADE_TOKEN_EXPIRING,
        since=CHECKED_AT - timedelta(days=20),
        seen_at=CHECKED_AT,
        severity=Severity.CRITICAL,
        step=2,
        reason=Reason.WORSE,
        stage="7",
        batch=BATCH,
        due_since=CHECKED_AT,
        facts=Facts(old_expires_on=NOW + timedelta(days=6, hours=12)),
    )
    return replace(untold, **changes)


@dataclass
class Scene:
    """A tenant's tables, a channel, and the function between them."""

    service: TableServiceClient
    teams: TeamsChannel
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> TokenTables:
        return TokenTables(self.service, TENANT.id)

    async def alerts_wait(self, *alerts: AlertRow) -> None:
        """Put alerts and their tokens into the rows, told once by an earlier card."""
        tokens = [row(ade(id=alert.token_id, name=f"Token {alert.token_id}")) for alert in alerts]
        await self.tables.write_tokens(tokens)
        await self.tables.write_alerts(replace(alert, step=1, batch="b1") for alert in alerts)
        await self.tables.stamp(
            await self.tables.untold("b1"), told_at=CHECKED_AT, check_date=date(2026, 2, 10)
        )
        await self.tables.write_alerts(alerts)

    async def deliver(
        self,
        body: str | bytes = messages.encode(TICKET),
        dequeue_count: int = 1,
        service: TableServiceClient | None = None,
    ) -> None:
        environment = {"TEAMS_WEBHOOK_URL": self.teams.webhook_url} | self.settings
        await deliver(
            body,
            dequeue_count,
            settings=lambda: Settings.from_env(environment),
            tables=lambda tenant_id: TokenTables(service or self.service, tenant_id),
            now=NOW,
        )

    async def told_steps(self) -> dict[str, int]:
        return {alert.token_id: alert.told_step for alert in await self.tables.alert_rows()}


@pytest.fixture
async def scene(storage: str) -> AsyncIterator[Scene]:
    async with (
        TableServiceClient.from_connection_string(storage) as service,
        TeamsChannel(NOW) as teams,
    ):
        yield Scene(service, teams)


Events = Callable[[], list[dict[str, object]]]


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Events:
    """Give what was logged as events, each with its level."""
    caplog.set_level(logging.DEBUG)

    def logged() -> list[dict[str, object]]:
        return [
            {"level": record.levelname} | json.loads(record.getMessage())
            for record in caplog.records
            if record.name == "apple_tokens.events"
        ]

    return logged


async def test_what_teams_accepted_is_marked_as_told(scene: Scene, events: Events) -> None:
    await scene.alerts_wait(expiring(1), expiring(2))

    await scene.deliver()

    (card,) = scene.teams.posts[0].cards
    assert "Token a-1" in json.dumps(card)
    assert "Token a-2" in json.dumps(card)
    found = await scene.tables.alert_rows()
    assert [(alert.told_step, alert.told_reason, alert.told_stage) for alert in found] == [
        (2, Reason.WORSE, "7")
    ] * 2
    # A telling counts for the check that made its ticket, whenever Teams took it.
    assert {(alert.told_at, alert.told_check_date) for alert in found} == {(NOW, date(2026, 3, 2))}
    assert events() == [
        {
            "level": "INFO",
            "event": "alert_delivered",
            "tenant_id": TENANT.id,
            "batch": BATCH,
            "problem": "ade_token_expiring",
            "reason": "worse",
            "count": 2,
        }
    ]


async def test_all_alerts_of_a_batch_are_marked_also_those_that_no_card_has_room_for(
    scene: Scene,
) -> None:
    await scene.alerts_wait(*(expiring(number) for number in range(150)))

    await scene.deliver()

    assert len(scene.teams.posts) == 1
    assert set((await scene.told_steps()).values()) == {2}


async def test_delivered_twice_is_posted_once(scene: Scene, events: Events) -> None:
    await scene.alerts_wait(expiring(1))

    await scene.deliver()
    await scene.deliver(dequeue_count=2)

    assert scene.teams.requests == 1
    assert [event["event"] for event in events()] == ["alert_delivered", "alert_dropped"]


async def test_the_ticket_of_an_older_batch_is_dropped(scene: Scene, events: Events) -> None:
    await scene.alerts_wait(expiring(1))
    await scene.tables.write_alerts([expiring(1, stage="3", batch="of a later check")])

    await scene.deliver()

    assert scene.teams.requests == 0
    assert await scene.told_steps() == {"a-1": 1}
    assert [event["event"] for event in events()] == ["alert_dropped"]


async def test_only_what_is_untold_is_on_the_card(scene: Scene) -> None:
    await scene.alerts_wait(expiring(1), expiring(2))
    told = [each for each in await scene.tables.untold(BATCH) if each.row.token_id == "a-1"]
    await scene.tables.stamp(told, told_at=NOW, check_date=date(2026, 3, 2))

    await scene.deliver()

    (card,) = scene.teams.posts[0].cards
    assert "Token a-1" not in json.dumps(card)
    assert "Token a-2" in json.dumps(card)


async def test_an_alert_whose_token_has_no_row_is_told_all_the_same(scene: Scene) -> None:
    await scene.alerts_wait(expiring(1))
    await scene.tables.delete_tokens([row(ade(id="a-1"))])

    await scene.deliver()

    assert len(scene.teams.posts) == 1
    assert await scene.told_steps() == {"a-1": 2}


async def test_what_teams_refuses_is_raised_and_stays_untold(scene: Scene, events: Events) -> None:
    await scene.alerts_wait(expiring(1))
    scene.teams.switched_on = False

    with pytest.raises(DeliveryError, match="is switched off"):
        await scene.deliver(dequeue_count=4)

    assert await scene.told_steps() == {"a-1": 1}
    (event,) = events()
    assert (event["level"], event["event"]) == ("WARNING", "alert_failed")
    assert (event["batch"], event["dequeue_count"]) == (BATCH, 4)
    assert str(event["error"]).startswith("DeliveryError: the Teams workflow answered 400")


async def test_the_last_failure_is_said_to_be_the_last(scene: Scene, events: Events) -> None:
    await scene.alerts_wait(expiring(1))
    scene.teams.faults.always(faults.answer(500))

    with pytest.raises(DeliveryError):
        await scene.deliver(dequeue_count=MAX_DEQUEUE_COUNT)

    (event,) = events()
    assert (event["level"], event["event"]) == ("ERROR", "alert_gave_up")


async def test_what_failed_is_told_by_the_next_delivery(scene: Scene) -> None:
    await scene.alerts_wait(expiring(1))
    scene.teams.faults.once(faults.answer(500))

    with pytest.raises(DeliveryError):
        await scene.deliver()
    await scene.deliver(dequeue_count=2)

    assert len(scene.teams.posts) == 1
    assert await scene.told_steps() == {"a-1": 2}


@pytest.mark.parametrize("dequeue_count, event", [(1, "alert_failed"), (5, "alert_gave_up")])
@pytest.mark.parametrize("body", [b"not a message", b'{"version": 2}', b"\xff"])
async def test_what_is_no_message_is_raised_so_that_it_ends_in_the_poison_queue(
    scene: Scene, events: Events, body: bytes, dequeue_count: int, event: str
) -> None:
    with pytest.raises(MalformedMessageError):
        await scene.deliver(body, dequeue_count)

    assert scene.teams.requests == 0
    (logged,) = events()
    assert (logged["event"], logged["batch"]) == (event, "")
    assert str(logged["error"]).startswith("MalformedMessageError: ")


async def test_a_setting_that_cannot_be_used_is_said_in_the_event(
    scene: Scene, events: Events
) -> None:
    await scene.alerts_wait(expiring(1))
    scene.settings["LANGUAGE"] = "klingon"

    with pytest.raises(SettingsError):
        await scene.deliver()

    (event,) = events()
    assert str(event["error"]).startswith("SettingsError: LANGUAGE is 'klingon'")
    assert await scene.told_steps() == {"a-1": 1}


async def test_an_error_of_the_storage_is_raised_and_named_without_its_text(
    scene: Scene, events: Events
) -> None:
    closed = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=RkFLRQ==;"
    closed += "TableEndpoint=http://127.0.0.1:1/a;"
    async with TableServiceClient.from_connection_string(closed, retry_total=0) as service:
        with pytest.raises(AzureError):
            await scene.deliver(service=service)

    (event,) = events()
    assert event["error"] == "ServiceRequestError"
    assert scene.teams.requests == 0


async def test_a_row_that_goes_between_post_and_stamp_comes_to_no_harm_and_does_not_come_back(
    scene: Scene, storage: str, events: Events
) -> None:
    await scene.alerts_wait(expiring(1), expiring(2))

    async def delete_once_posted(request: HttpRequest) -> None:
        if request.url.endswith("/$batch"):
            assert scene.teams.requests == 1
            await scene.tables.delete_alerts([expiring(1)])

    async with gated(storage, delete_once_posted) as service:
        await scene.deliver(service=service)

    assert await scene.told_steps() == {"a-2": 2}
    assert [(event["event"], event["count"]) for event in events()] == [("alert_delivered", 1)]


async def test_a_test_message_is_posted_though_nothing_waits(scene: Scene, events: Events) -> None:
    ticket = RemediationMessage(
        version=VERSION,
        kind=MessageKind.TEST,
        tenant=TENANT,
        checked_at=CHECKED_AT,
        check_date=date(2026, 3, 2),
    )

    await scene.deliver(messages.encode(ticket))

    assert len(scene.teams.posts) == 1
    assert [event["event"] for event in events()] == ["alert_delivered"]


def overview(kind: MessageKind, batch: str) -> str:
    return messages.encode(
        RemediationMessage(
            version=VERSION,
            kind=kind,
            tenant=TENANT,
            checked_at=CHECKED_AT,
            check_date=date(2026, 3, 2),
            batch=batch,
        )
    )


WELCOME = overview(MessageKind.WELCOME, "welcome")


async def test_the_welcome_tells_its_own_alerts_and_comes_once(
    scene: Scene, events: Events
) -> None:
    await scene.alerts_wait(expiring(1, batch="welcome"))
    await scene.tables.write_run(RunRow(welcome_step=1), [])

    await scene.deliver(WELCOME)
    await scene.deliver(WELCOME, dequeue_count=2)

    assert len(scene.teams.posts) == 1
    assert await scene.told_steps() == {"a-1": 2}
    assert (await scene.tables.run_rows()).run.welcome_told_step == 1
    assert [event["event"] for event in events()] == ["alert_delivered", "alert_dropped"]


async def test_a_welcome_that_teams_refuses_stays_untold(scene: Scene) -> None:
    await scene.tables.write_run(RunRow(welcome_step=1), [])
    scene.teams.switched_on = False

    with pytest.raises(DeliveryError):
        await scene.deliver(WELCOME)

    assert (await scene.tables.run_rows()).run.welcome_is_untold


@pytest.mark.parametrize(
    "told, wanted, ticket, is_posted",
    [(0, 1, 1, True), (1, 1, 1, False), (3, 4, 3, False), (3, 4, 4, True), (3, 4, 5, False)],
)
async def test_a_digest_is_told_once_by_the_ticket_of_its_number(
    scene: Scene, told: int, wanted: int, ticket: int, is_posted: bool
) -> None:
    await scene.tables.write_run(RunRow(digest_step=wanted), [])
    await scene.tables.stamp_run(lambda run: replace(run, digest_told_step=told))

    await scene.deliver(overview(MessageKind.DIGEST, f"digest {ticket}"))

    run = (await scene.tables.run_rows()).run
    assert len(scene.teams.posts) == int(is_posted)
    assert run.digest_told_step == (wanted if is_posted else told)
    assert run.digest_told_check_date == (date(2026, 3, 2) if is_posted else None)


@pytest.mark.parametrize("batch", ["digest", "digest one", f"digest {'9' * 5_000}"])
async def test_a_digest_without_a_number_is_malformed(scene: Scene, batch: str) -> None:
    with pytest.raises(MalformedMessageError, match="which one it is"):
        await scene.deliver(overview(MessageKind.DIGEST, batch))


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(401),
        faults.answer(500),
        faults.redirect("https://login.example/?sig=elsewhere"),
        faults.reset(),
        faults.html_page(502),
    ],
    ids=lambda fault: fault.name,
)
async def test_nothing_of_the_webhook_url_is_in_the_log_or_in_the_error(
    scene: Scene, caplog: pytest.LogCaptureFixture, fault: faults.Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "azure", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    await scene.alerts_wait(expiring(1))
    scene.teams.faults.once(fault)

    with pytest.raises(DeliveryError) as failed:
        await scene.deliver(dequeue_count=MAX_DEQUEUE_COUNT)
    await scene.deliver(dequeue_count=2)

    assert_hidden(scene.teams.webhook_url, failed.value, caplog.records)
