"""The small host treats timer and queue as Azure Functions does, on a real storage queue."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

from sandbox.azurite import Azurite
from sandbox.host import Check, Delivery, Outcome, SandboxHost
from sandbox.host_settings import QueueSettings, read_queue_settings

pytestmark = pytest.mark.e2e

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


class HostCrash(BaseException):
    """Stands for the end of the process: nothing gets a chance to clean up."""


class Notifier:
    """A queue function that takes down what it got, and fails as often as it is told to."""

    def __init__(self, *, failures: int = 0, crashes: int = 0) -> None:
        self.got: list[tuple[datetime, str, int]] = []
        self.failures = failures
        self.crashes = crashes

    async def __call__(self, now: datetime, body: str, dequeue_count: int) -> None:
        self.got.append((now, body, dequeue_count))
        if self.crashes:
            self.crashes -= 1
            raise HostCrash
        if self.failures:
            self.failures -= 1
            raise ValueError("Teams is down")

    @property
    def bodies(self) -> list[str]:
        return [body for _, body, _ in self.got]


def sends(*bodies: str) -> Check:
    async def check(_: datetime) -> list[str]:
        return list(bodies)

    return check


def outcomes(deliveries: list[Delivery]) -> list[tuple[int, Outcome]]:
    return [(delivery.dequeue_count, delivery.outcome) for delivery in deliveries]


async def test_what_the_check_returns_is_delivered_once_and_in_order(storage: str) -> None:
    notify = Notifier()
    async with SandboxHost(storage, check=sends("one", "two"), notify=notify) as host:
        await host.tick(NOW)
        await host.drain(NOW)
        await host.drain(NOW + timedelta(days=1))

    assert notify.got == [(NOW, "one", 1), (NOW, "two", 1)]


async def test_messages_lie_in_the_queue_as_base64(storage: str) -> None:
    async with SandboxHost(storage, check=sends("カード"), notify=Notifier()) as host:
        await host.tick(NOW)
    with QueueClient.from_connection_string(storage, "remediation") as queue:
        (message,) = queue.peek_messages()

    assert base64.b64decode(message.content).decode() == "カード"


async def test_a_check_that_fails_sends_nothing_and_is_heard(storage: str) -> None:
    async def check(_: datetime) -> list[str]:
        raise RuntimeError("the table is gone")

    notify = Notifier()
    async with SandboxHost(storage, check=check, notify=notify) as host:
        with pytest.raises(RuntimeError, match="the table is gone"):
            await host.tick(NOW)
        await host.drain(NOW)

    assert notify.got == []


async def test_a_failed_message_comes_back_after_five_simulated_minutes(storage: str) -> None:
    notify = Notifier(failures=1)
    async with SandboxHost(storage, check=sends("one"), notify=notify) as host:
        await host.tick(NOW)
        assert outcomes(await host.drain(NOW)) == [(1, Outcome.FAILED)]
        assert host.next_delivery_at() == NOW + FIVE_MINUTES
        assert await host.drain(NOW + FIVE_MINUTES - SECOND) == []

        (delivery,) = await host.drain(NOW + FIVE_MINUTES)

    assert (delivery.dequeue_count, delivery.outcome) == (2, Outcome.DONE)
    assert notify.got[-1] == (NOW + FIVE_MINUTES, "one", 2)


async def test_the_fifth_failure_is_the_last_and_moves_the_message_to_the_poison_queue(
    storage: str,
) -> None:
    notify = Notifier(failures=99)
    async with SandboxHost(storage, check=sends("one"), notify=notify) as host:
        await host.tick(NOW)
        ended_at = await host.drain_until_idle(NOW)

        assert await host.poison_messages() == ["one"]
        assert await host.drain(NOW + timedelta(days=30)) == []

    assert ended_at == NOW + 4 * FIVE_MINUTES
    assert outcomes(host.deliveries) == [
        *((count, Outcome.FAILED) for count in (1, 2, 3, 4)),
        (5, Outcome.POISONED),
    ]
    assert all(str(delivery.error) == "Teams is down" for delivery in host.deliveries)


async def test_a_success_at_the_last_attempt_leaves_the_poison_queue_empty(storage: str) -> None:
    notify = Notifier(failures=4)
    async with SandboxHost(storage, check=sends("one"), notify=notify) as host:
        await host.tick(NOW)
        await host.drain_until_idle(NOW)

        assert await host.poison_messages() == []
    assert outcomes(host.deliveries)[-1] == (5, Outcome.DONE)


async def test_one_failing_message_does_not_hold_up_the_others(storage: str) -> None:
    notify = Notifier(failures=1)
    async with SandboxHost(storage, check=sends("one", "two"), notify=notify) as host:
        await host.tick(NOW)
        await host.drain_until_idle(NOW)

    assert notify.bodies == ["one", "two", "one"]


async def test_a_message_that_a_dying_host_held_comes_back_after_ten_minutes(storage: str) -> None:
    notify = Notifier(crashes=1)
    async with SandboxHost(storage, check=sends("one"), notify=notify) as host:
        await host.tick(NOW)
        with pytest.raises(HostCrash):
            await host.drain(NOW)
        assert await host.drain(NOW + timedelta(minutes=10) - SECOND) == []

        assert outcomes(await host.drain(NOW + timedelta(minutes=10))) == [(2, Outcome.DONE)]


async def test_a_message_whose_last_attempt_the_host_did_not_survive_is_poisoned_unseen(
    storage: str,
) -> None:
    notify = Notifier(crashes=5)
    async with SandboxHost(storage, check=sends("one"), notify=notify) as host:
        await host.tick(NOW)
        for attempt in range(5):
            with pytest.raises(HostCrash):
                await host.drain(NOW + attempt * timedelta(minutes=10))

        (delivery,) = await host.drain(NOW + timedelta(hours=1))

        assert (delivery.dequeue_count, delivery.outcome) == (6, Outcome.POISONED)
        assert await host.poison_messages() == ["one"]
    assert len(notify.got) == 5


async def test_somebody_elses_message_that_is_no_base64_is_poisoned_without_a_call(
    storage: str,
) -> None:
    notify = Notifier()
    async with SandboxHost(storage, check=sends(), notify=notify) as host:
        await host.send_raw('{"plain": true}')

        (delivery,) = await host.drain(NOW)

        assert delivery.outcome is Outcome.POISONED
        assert await host.poison_messages() == ['{"plain": true}']
    assert notify.got == []


async def test_a_message_can_get_lost_on_the_way(storage: str) -> None:
    notify = Notifier()
    async with SandboxHost(storage, check=sends("one", "two"), notify=notify) as host:
        host.lose_next = 1
        assert await host.tick(NOW) == ["one", "two"]
        await host.drain(NOW)

        await host.tick(NOW)
        await host.drain(NOW)

    assert notify.bodies == ["two", "one", "two"]


@pytest.mark.parametrize("delay", [timedelta(seconds=40), timedelta(minutes=20)])
async def test_deliveries_can_come_late(delay: timedelta, storage: str) -> None:
    notify = Notifier()
    async with SandboxHost(storage, check=sends("one"), notify=notify) as host:
        host.delay = delay
        await host.tick(NOW)
        assert await host.drain(NOW + delay - SECOND) == []

        await host.drain(NOW + delay)

    assert notify.got == [(NOW + delay, "one", 1)]


async def test_late_messages_arrive_in_the_order_of_their_time(storage: str) -> None:
    notify = Notifier()
    async with SandboxHost(storage, check=sends(), notify=notify) as host:
        await host.send("later", NOW + timedelta(hours=2))
        await host.send("sooner", NOW + timedelta(hours=1))
        await host.drain(NOW + timedelta(days=1))

    assert notify.bodies == ["sooner", "later"]


async def test_a_message_can_arrive_twice(storage: str) -> None:
    notify = Notifier()
    async with SandboxHost(storage, check=sends("one", "two"), notify=notify) as host:
        host.duplicate_next = 1
        await host.tick(NOW)
        await host.drain(NOW)

    assert sorted(notify.got) == [(NOW, "one", 1), (NOW, "one", 1), (NOW, "two", 1)]


async def test_a_batch_is_worked_on_at_the_same_time(storage: str) -> None:
    both_started = asyncio.Barrier(2)

    async def notify(_: datetime, __: str, ___: int) -> None:
        async with asyncio.timeout(10), both_started:
            pass

    settings = QueueSettings(batch_size=2)
    async with SandboxHost(storage, check=sends(), notify=notify, settings=settings) as host:
        await host.send("copy")
        await host.send("copy")

        deliveries = await host.drain(NOW)

    assert outcomes(deliveries) == [(1, Outcome.DONE), (1, Outcome.DONE)]


async def test_without_a_visibility_timeout_five_failures_follow_at_once(storage: str) -> None:
    settings = QueueSettings(batch_size=1)
    notify = Notifier(failures=99)
    async with SandboxHost(storage, check=sends("one"), notify=notify, settings=settings) as host:
        await host.tick(NOW)

        assert len(await host.drain(NOW)) == 5


async def test_storage_that_goes_away_fails_the_tick_and_heals(azurite: Azurite) -> None:
    notify = Notifier()
    storage = azurite.connection_string
    async with SandboxHost(
        storage, check=sends("one"), notify=notify, queue="other", retry_total=0
    ) as host:
        azurite.stop()
        try:
            with pytest.raises(AzureError):
                await host.tick(NOW)
        finally:
            azurite.start()  # empty, as after a disaster
        await host.create_queues()
        await host.tick(NOW)
        await host.drain(NOW)

    assert notify.bodies == ["one"]


def test_the_settings_are_those_of_host_json(tmp_path: Path) -> None:
    host_json = tmp_path / "host.json"
    queues = {"batchSize": 1, "visibilityTimeout": "01:02:03", "maxDequeueCount": 7}
    host_json.write_text(json.dumps({"extensions": {"queues": queues}}))

    assert read_queue_settings(host_json) == QueueSettings(
        batch_size=1,
        max_dequeue_count=7,
        visibility_timeout=timedelta(hours=1, minutes=2, seconds=3),
    )


def test_what_host_json_leaves_out_has_the_hosts_own_default(tmp_path: Path) -> None:
    host_json = tmp_path / "host.json"
    host_json.write_text('{"version": "2.0"}')

    assert read_queue_settings(host_json) == QueueSettings(
        batch_size=16, max_dequeue_count=5, visibility_timeout=timedelta()
    )
