"""An app whose process dies at an outside effect of choice, and what it talks to.

Graph, sign-in, Teams and storage are served by the test's process. So it sees each outside effect
as a request, and can kill whoever sent it: before it is carried out, or after, with the answer
never delivered.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient

from apple_tokens.tables import ALERTS, HISTORY, STATUS, TokenTables
from sandbox.azurite import Azurite
from sandbox.graph import GraphServer
from sandbox.host import SandboxHost
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.server import LoopbackServer, Respond
from sandbox.storage_proxy import StorageProxy
from sandbox.teams import TeamsChannel
from sandbox.tenant import SimulatedTenant

ROOT = Path(__file__).resolve().parent.parent
TABLES = (STATUS, ALERTS, HISTORY)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

Rows = dict[str, list[dict[str, object]]]
"""All rows of a tenant by their tables, as they stand there."""


class Side(StrEnum):
    """When the process is killed: before an effect is carried out, or after it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Kill:
    """Where a process dies."""

    side: Side
    effect: str


class ProcessKilledError(BaseException):
    """The function's process is gone, and its host with it: nobody takes note of a failure."""


@dataclass
class Life:
    """What was done and said while one order was carried out."""

    effects: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


class Doomed:
    """The app in a process of its own, and in another one when that is killed."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.doomed_app"],
            cwd=ROOT,
            env={},  # nothing but the settings of each order
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._worker = 0
        return self

    def __exit__(self, *_: object) -> None:
        # At the end of its input it goes, first the process that carries out orders.
        with self._process as process:
            process.communicate()

    def order(self, settings: Mapping[str, str], function: str, *arguments: object) -> None:
        """Let a process carry out a function of the app."""
        order = {"settings": settings, "function": function, "arguments": arguments}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    async def hear(self) -> tuple[str, Any]:
        """Return the next that it says; of a new process, only its id is kept."""
        assert self._process.stdout is not None
        while True:
            line = await asyncio.to_thread(self._process.stdout.readline)
            assert line, "the app does not even start"
            what, content = json.loads(line)
            if what != "started":
                return what, content
            self._worker = content

    def kill(self) -> None:
        """Kill the process that carries out the order."""
        os.kill(self._worker, signal.SIGKILL)


class Scene:
    """A tenant, its rows, its queue and its channel, and the app that works on them."""

    service: TableServiceClient
    host: SandboxHost
    settings: dict[str, str]

    def __init__(self, doomed: Doomed, proxy: StorageProxy, tenant: SimulatedTenant) -> None:
        self._doomed = doomed
        self.tenant = tenant
        self.proxy = proxy
        self.identity = IdentityEndpoint(tenant.tenant_id)
        self.graph = GraphServer(tenant, self.identity)
        self.teams = TeamsChannel(_LONG_AGO)
        self.lives: list[Life] = []
        self.kill: Kill | None = None
        """Where the next process dies; forgotten once it did."""
        self.meanwhile = dict[str, Callable[[], Awaitable[None]]]()
        """What others do just before an effect is carried out, once."""
        for server, name in (
            (self.identity, _signing_in),
            (self.graph, _reading_graph),
            (self.teams, _posting),
            (self.proxy.table, _storage_effect),
        ):
            self._watch(server, name)

    async def check(self, now: datetime) -> list[str]:
        """Let the timer's function run; return its messages."""
        return await self._live("check", now.isoformat())

    async def tell(self, now: datetime, body: str, dequeue_count: int) -> None:
        """Let the queue's function run."""
        self.teams.now = now
        await self._live("tell", now.isoformat(), body, dequeue_count)

    async def rows(self) -> Rows:
        """Read all rows of the tenant as they stand in the tables."""
        query = f"PartitionKey eq '{self.tenant.tenant_id}'"
        found: Rows = {table: [] for table in TABLES}
        for table in TABLES:
            entities = self.service.get_table_client(table).query_entities(query)
            with suppress(ResourceNotFoundError):  # a table that is missing holds nothing
                found[table] = [dict(entity) async for entity in entities]
        return found

    async def put(self, rows: Rows) -> None:
        """Begin with the rows of another tenant."""
        own = {"PartitionKey": self.tenant.tenant_id}
        for table in TABLES:
            entities = rows.get(table, [])
            await self.service.create_table_if_not_exists(table)
            for start in range(0, len(entities), 100):
                chunk = [("upsert", entity | own) for entity in entities[start : start + 100]]
                await self.service.get_table_client(table).submit_transaction(chunk)

    async def drop_tables(self) -> None:
        """Let storage be as before the very first check."""
        for table in TABLES:
            await self.service.delete_table(table)

    @property
    def tables(self) -> TokenTables:
        """The rows as the app reads them."""
        return TokenTables(self.service, self.tenant.tenant_id)

    @property
    def cards(self) -> Counter[str]:
        """What stands in the channel, and how often."""
        assert not self.teams.failed_runs
        return Counter(run.payload.decode() for run in self.teams.posts)

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that was logged, by those that were killed too."""
        return [event for life in self.lives for event in life.events]

    async def _live(self, function: str, *arguments: object) -> list[str]:
        life = Life()
        self.lives.append(life)
        kill = self.kill
        self._doomed.order(self.settings, function, *arguments)
        while True:
            what, content = await self._doomed.hear()
            match what:
                case "event":
                    life.events.append(json.loads(content))
                case "result":
                    assert kill is None, f"it never came to {kill.effect}, only to {life.effects}"
                    result: list[str] = content
                    return result
                case "ended":
                    assert content == signal.SIGKILL
                    self.kill = None
                    raise ProcessKilledError(kill)
                case _:
                    raise AssertionError(content)

    def _watch(
        self, server: LoopbackServer, name: Callable[[web.BaseRequest], Awaitable[str]]
    ) -> None:
        async def around(request: web.BaseRequest, respond: Respond) -> web.StreamResponse:
            effect = self._note(await name(request))
            if self.kill == Kill(Side.BEFORE, effect):
                return self._end()
            if meanwhile := self.meanwhile.pop(effect, None):
                await meanwhile()
            answer = await respond(request)
            if self.kill == Kill(Side.AFTER, effect):
                return self._end()
            return answer

        server.around = around

    def _note(self, name: str) -> str:
        """Return an effect's name, with its number where a process has several of that name."""
        effects = self.lives[-1].effects
        earlier = sum(effect == name or effect.startswith(f"{name} (") for effect in effects)
        effects.append(f"{name} ({earlier + 1})" if earlier else name)
        return effects[-1]

    def _end(self) -> web.Response:
        self._doomed.kill()
        return web.Response(status=503)  # nobody is there to hear it


@asynccontextmanager
async def opened(
    doomed: Doomed, azurite: Azurite, tenant: SimulatedTenant, rows: Rows
) -> AsyncIterator[Scene]:
    """Serve a tenant that begins with these rows, and with an empty channel."""
    direct = azurite.connection_string
    proxy = StorageProxy(azurite)
    scene = Scene(doomed, proxy, tenant)
    async with (
        proxy,
        scene.identity,
        scene.graph,
        scene.teams,
        TableServiceClient.from_connection_string(direct) as scene.service,
        SandboxHost(
            direct, check=scene.check, notify=scene.tell, queue=f"q{tenant.tenant_id}"
        ) as scene.host,
    ):
        scene.settings = scene.identity.environment() | {
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AzureWebJobsStorage": proxy.connection_string,
            "GRAPH_ENDPOINT": scene.graph.url,
            "TEAMS_WEBHOOK_URL": scene.teams.webhook_url,
            "TENANT_ID": tenant.tenant_id,
            "TENANT_NAME": "Contoso",
        }
        await scene.put(rows)
        yield scene


async def _signing_in(_: web.BaseRequest) -> str:
    return "signing in"


async def _reading_graph(request: web.BaseRequest) -> str:
    return f"reading Graph: {request.path.rsplit('/', 1)[-1]}"


async def _posting(_: web.BaseRequest) -> str:
    return "posting the card"


_IN_A_TRANSACTION = re.compile(
    r"^(?P<verb>[A-Z]+) http\S+/(?P<table>\w+)\(\S*RowKey='(?P<key>[^']*)'\).*?(?=^--|\Z)",
    re.MULTILINE | re.DOTALL,
)


async def _storage_effect(request: web.BaseRequest) -> str:
    """Name a request to the tables by what it is for; a transaction by its first operation."""
    if request.path.endswith("/$batch"):
        body = (await request.read()).decode()
        operation = _IN_A_TRANSACTION.search(body)
        assert operation, body
        verb, table, key = operation.group("verb", "table", "key")
        place = "the run rows" if key.startswith("run.") else table
        if verb == "DELETE":
            return f"deleting from {place}"
        is_stamp = 'If-Match: W/"' in operation[0]
        return f"{'stamping' if is_stamp else 'writing'} {place}"
    if request.path.endswith("/Tables"):
        return f"creating {json.loads(await request.read())['TableName']}"
    table = request.path.rsplit("/", 1)[-1].partition("(")[0]
    condition = request.query.get("$filter", "")
    if "RowKey eq" in condition:
        return f"reading one row of {table}"
    if "run." in condition:
        return "reading the run rows"
    if "Batch eq" in condition:
        return "reading the alerts of the batch"
    if "RowKey=" in request.path:
        return f"deleting one row of {table}"
    return f"reading {table}"
