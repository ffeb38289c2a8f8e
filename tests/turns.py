"""Let several writers take turns at the storage, in an order drawn from a seed.

Each of them makes its requests through a client of its own, which waits before every request until
it is this writer's turn. So an order that goes wrong can be played again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

from azure.core.rest import HttpRequest
from azure.data.tables.aio import TableServiceClient

from tests.gated_storage import gated

Observe = Callable[[str], Awaitable[None]]


class Turns:
    """One order of turns. `observe` is called with the writer after each that may have written."""

    def __init__(self, connection_string: str, seed: int, observe: Observe) -> None:
        self._connection_string = connection_string
        self._random = Random(seed)  # noqa: S311 -- an order, no secret
        self._observe = observe
        self._waiting = dict[str, tuple[HttpRequest, asyncio.Event]]()
        self._came = asyncio.Event()

    def client(self, writer: str) -> TableServiceClient:
        """Return the client through which a writer must make all its requests."""

        async def wait_for_turn(request: HttpRequest) -> None:
            turn = asyncio.Event()
            self._waiting[writer] = request, turn
            self._came.set()
            await turn.wait()

        return gated(self._connection_string, wait_for_turn)

    async def take(self, **writers: Coroutine[Any, Any, None]) -> None:
        """Run the writers, one request at a time, until all of them are done."""
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(work) for name, work in writers.items()}
            for task in tasks.values():
                task.add_done_callback(lambda _: self._came.set())
            while await self._all_stand_still(tasks):
                writer = self._random.choice(sorted(self._waiting))
                request, turn = self._waiting.pop(writer)
                turn.set()
                await self._all_stand_still(tasks)
                if request.method != "GET":
                    await self._observe(writer)

    async def _all_stand_still(self, tasks: dict[str, asyncio.Task[None]]) -> bool:
        """Wait until every writer waits for its turn or is done; return whether any waits."""
        while any(not task.done() and name not in self._waiting for name, task in tasks.items()):
            self._came.clear()
            await self._came.wait()
        return bool(self._waiting)
