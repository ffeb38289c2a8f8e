"""Fire the timer and drain the queue as Azure Functions does, on a simulated clock."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Self

from azure.storage.queue.aio import QueueServiceClient

from sandbox.clocked_queue import ClockedQueue, Received
from sandbox.host_settings import QueueSettings

#: For so long a message stays hidden when the host dies while a function works on it.
CRASH_LEASE = timedelta(minutes=10)

Check = Callable[[datetime], Awaitable[list[str]]]
Notify = Callable[[datetime, str, int], Awaitable[None]]


class Outcome(StrEnum):
    """How a delivery ended."""

    DONE = "done"
    FAILED = "failed"
    POISONED = "poisoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of one message; `error` is what the function raised."""

    at: datetime
    body: str
    dequeue_count: int
    outcome: Outcome
    error: Exception | None = None


class SandboxHost:
    """A host with one timer function and one queue function, on a real storage queue.

    `check` gets the time and returns the bodies of the messages to send; they are sent only after
    it has returned. `notify` gets the time, a body and how often it has been delivered by now.

    What can go wrong on the way is set before `tick`: the next `lose_next` messages never arrive,
    the next `duplicate_next` arrive twice, and all arrive `delay` after the check.
    """

    def __init__(
        self,
        connection_string: str,
        *,
        check: Check,
        notify: Notify,
        queue: str = "remediation",
        settings: QueueSettings | None = None,
        retry_total: int = 3,
    ) -> None:
        self._check = check
        self._notify = notify
        self._settings = settings or QueueSettings(
            batch_size=1, visibility_timeout=timedelta(minutes=5)
        )
        self._service = QueueServiceClient.from_connection_string(
            connection_string, retry_total=retry_total
        )
        self._queue = ClockedQueue(self._service.get_queue_client(queue))
        self._poison = ClockedQueue(self._service.get_queue_client(f"{queue}-poison"))
        self.lose_next = 0
        self.duplicate_next = 0
        self.delay = timedelta()
        self.deliveries: list[Delivery] = []

    async def tick(self, now: datetime) -> list[str]:
        """Fire the timer; return the bodies that the check wanted sent, also those to be lost.

        When the check raises, nothing is sent and the exception goes on: the next tick is the only
        retry, as in the project's function app.
        """
        bodies = await self._check(now)
        for body in bodies:
            if self.lose_next:
                self.lose_next -= 1
                continue
            await self.send(body, now + self.delay if self.delay else None)
            if self.duplicate_next:
                self.duplicate_next -= 1
                await self.send(body, now + self.delay if self.delay else None)
        return bodies

    async def send(self, body: str, visible_at: datetime | None = None) -> None:
        """Put a message in as the output binding does; visible at once or from a time on."""
        await self._queue.send(base64.b64encode(body.encode()).decode(), visible_at)

    async def send_raw(self, text: str) -> None:
        """Put in what is no base64: somebody else's message."""
        await self._queue.send(text)

    async def drain(self, now: datetime) -> list[Delivery]:
        """Deliver every message that is visible at `now`, once; failed ones wait for later."""
        delivered: list[Delivery] = []
        while batch := await self._queue.receive(now, now + CRASH_LEASE, self._settings.batch_size):
            delivered += await asyncio.gather(*(self._deliver(message, now) for message in batch))
        self.deliveries += delivered
        return delivered

    async def drain_until_idle(self, now: datetime) -> datetime:
        """Deliver now and whenever a message comes back; return the time of the last delivery."""
        await self.drain(now)
        while (later := self._queue.next_visible_at()) is not None:
            now = max(now, later)
            await self.drain(now)
        return now

    def next_delivery_at(self) -> datetime | None:
        """Say when the next message that is known to wait becomes visible."""
        return self._queue.next_visible_at()

    async def poison_messages(self) -> list[str]:
        """Read the bodies in the poison queue; what is no base64 comes as it is."""
        return [_decode(text) or text for text in await self._poison.peek()]

    async def _deliver(self, message: Received, now: datetime) -> Delivery:
        body = _decode(message.text)
        error: Exception | None = None
        if body is None:
            # The host does not call the function: trying again would not make it base64.
            # https://github.com/Azure/azure-sdk-for-net/pull/18326
            outcome = Outcome.POISONED
        elif message.dequeue_count > self._settings.max_dequeue_count:
            # The host died during the last attempt, so that nobody could move the message.
            outcome = Outcome.POISONED
        else:
            outcome, error = await self._invoke(message, body, now)
        if outcome is Outcome.POISONED:
            await self._poison.send(message.text)
        if outcome is Outcome.FAILED:
            self._queue.hide(message, now + self._settings.visibility_timeout)
        else:
            await self._queue.delete(message)
        return Delivery(
            at=now,
            body=message.text if body is None else body,
            dequeue_count=message.dequeue_count,
            outcome=outcome,
            error=error,
        )

    async def _invoke(
        self, message: Received, body: str, now: datetime
    ) -> tuple[Outcome, Exception | None]:
        try:
            await self._notify(now, body, message.dequeue_count)
        except Exception as error:  # noqa: BLE001  # whatever a function raises is a failed delivery
            last = message.dequeue_count >= self._settings.max_dequeue_count
            return Outcome.POISONED if last else Outcome.FAILED, error
        return Outcome.DONE, None

    async def create_queues(self) -> None:
        """Create the queue and its poison queue where they are missing."""
        await self._queue.create()
        await self._poison.create()

    async def __aenter__(self) -> Self:
        await self.create_queues()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._service.close()


def _decode(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
