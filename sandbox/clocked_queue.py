"""Let a real storage queue follow a simulated clock."""

from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue.aio import QueueClient

# The longest time that the service lets a message be invisible: nothing comes back by itself.
_PARKED_S = 7 * 24 * 3600
_FOR_EVER = -1
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was taken from the queue, with the service's own count of its deliveries."""

    id: str
    text: str
    dequeue_count: int


@dataclass(frozen=True, slots=True)
class _Parked:
    visible_at: datetime
    pop_receipt: str


class ClockedQueue:
    """A storage queue in which messages become visible by simulated time.

    To the service, a message that waits is invisible for a week; here it is known until when. Once
    the simulated clock has come that far, it is made visible and received again, so that the count
    of deliveries is the service's. Messages that others put into the queue are received too.
    """

    def __init__(self, client: QueueClient) -> None:
        self._client = client
        self._parked: dict[str, _Parked] = {}

    async def create(self) -> None:
        """Create the queue where it is missing."""
        try:
            await self._client.create_queue()
        except ResourceExistsError:
            return

    async def send(self, text: str, visible_at: datetime | None = None) -> None:
        """Put a message in: visible at once, or from the given simulated time on."""
        if visible_at is None:
            await self._client.send_message(text, time_to_live=_FOR_EVER)
            return
        sent = await self._client.send_message(
            text, visibility_timeout=_PARKED_S, time_to_live=_FOR_EVER
        )
        self._parked[sent.id] = _Parked(visible_at, str(sent.pop_receipt))

    async def receive(self, now: datetime, leased_until: datetime, limit: int) -> list[Received]:
        """Take up to `limit` messages that are visible at `now`, those first that waited longest.

        They are invisible to others until `leased_until`, then they come back unless deleted.
        """
        waiting = sorted(self._parked.items(), key=lambda item: item[1].visible_at)
        due = [message_id for message_id, parked in waiting if parked.visible_at <= now]
        received: list[Received] = []
        while len(received) < limit:
            message = await self._client.receive_message(visibility_timeout=_PARKED_S)
            if message is None:
                if not due:
                    break
                await self._show(due.pop(0))
                continue
            self._parked[message.id] = _Parked(leased_until, str(message.pop_receipt))
            received.append(Received(message.id, message.content, int(message.dequeue_count or 0)))
        return received

    def hide(self, message: Received, until: datetime) -> None:
        """Let a received message come back at this simulated time instead."""
        parked = self._parked[message.id]
        self._parked[message.id] = _Parked(until, parked.pop_receipt)

    async def delete(self, message: Received) -> None:
        """Delete a received message for good."""
        parked = self._parked.pop(message.id)
        await self._client.delete_message(message.id, parked.pop_receipt)

    def next_visible_at(self) -> datetime | None:
        """Say when the next message that is known to wait becomes visible."""
        return min((parked.visible_at for parked in self._parked.values()), default=None)

    async def peek(self) -> list[str]:
        """Read the messages that are visible to everybody, without taking them."""
        return [message.content for message in await self._client.peek_messages(max_messages=32)]

    async def _show(self, message_id: str) -> None:
        parked = self._parked.pop(message_id)
        await self._client.update_message(message_id, parked.pop_receipt, visibility_timeout=0)
