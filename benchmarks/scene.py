"""What the subjects talk to: Graph and sign-in in this process, and Azurite in one of its own."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from azure.data.tables import TableServiceClient

from sandbox.azurite import ACCOUNT_KEY, ACCOUNT_NAME, Azurite, connect_to
from sandbox.graph import GraphServer
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.large_tenant import large_tenant
from sandbox.storage_proxy import ServiceProxy
from sandbox.tenant import SimulatedTenant

NOW = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
PAGE_SIZE = 1_000
_KEPT = frozenset({"accept", "content-type", "if-match", "x-ms-version"})
_OPERATION = re.compile(
    r"^(?P<method>PATCH|DELETE) (?P<address>\S+) HTTP/1\.1\r\n(?:(?!If-Match)[^\r\n]+\r\n)*"
    r"(?:If-Match: (?P<version>[^\r\n]+)\r\n)?(?:[^\r\n]+\r\n)*\r\n(?P<row>\{.*\})?\r\n",
    re.MULTILINE,
)
_WEBHOOK = "https://example.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=none"


class RenderedGraph(GraphServer):
    """Graph that renders and packs each page once, so that it is never what a subject waits for."""

    def __init__(self, tenant: SimulatedTenant, identity: IdentityEndpoint) -> None:
        super().__init__(tenant, identity)
        self._rendered = dict[str, bytes]()
        self.count = 0

    def forget(self) -> None:
        """Render the pages anew: the tenant has changed."""
        self._rendered.clear()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, from the rendered pages where it was asked before."""
        self.count += 1
        page = self._rendered.get(request.path_qs)
        if page is None or not self._is_authorised(request):
            response = await super().respond(request)
            if not isinstance(response, web.Response) or response.status != web.HTTPOk.status_code:
                return response
            page = self._rendered[request.path_qs] = gzip.compress(_body(response))
        headers = {"Content-Encoding": "gzip"}
        return web.Response(body=page, headers=headers, content_type="application/json")


def _body(response: web.Response) -> bytes:
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101 -- what GraphServer makes
    return body


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a subject needs, and the tenant to change."""

    tenant: SimulatedTenant
    graph: RenderedGraph
    azurite: Azurite
    environment: dict[str, str]
    signed_in: dict[str, str]
    """The same, with an access token for Graph: nobody needs to ask for one."""

    def empty_tables(self) -> None:
        """Delete all tables, so that each sample finds the storage alike."""
        with TableServiceClient.from_connection_string(self.azurite.connection_string) as tables:
            for table in tables.list_tables():
                tables.delete_table(table.name)


@asynccontextmanager
async def scene(
    azurite: Azurite, n_ade: int, n_vpp: int, *, push: bool = True
) -> AsyncIterator[Scene]:
    """Serve a tenant of so many tokens, three of five of them with a problem."""
    problems = 3 * (n_ade + n_vpp) // 5 // 2 * 2
    tenant = large_tenant(
        NOW,
        n_ade=n_ade,
        n_vpp=n_vpp,
        n_problems=min(problems, 2 * n_ade),
        page_size=PAGE_SIZE,
        empty_pages=0,
    )
    if not push:
        tenant.push = None
    async with (
        IdentityEndpoint(tenant.tenant_id) as identity,
        RenderedGraph(tenant, identity) as graph,
    ):
        environment = {
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AzureWebJobsStorage": azurite.connection_string,
            "GRAPH_ENDPOINT": graph.url,
            "TEAMS_WEBHOOK_URL": _WEBHOOK,
            "TENANT_ID": tenant.tenant_id,
            "TABLES": azurite.endpoint("table").removesuffix(f"/{ACCOUNT_NAME}"),
            "TABLES_ACCOUNT": ACCOUNT_NAME,
            "TABLES_KEY": ACCOUNT_KEY,
            **identity.environment(),
        }
        yield Scene(
            tenant,
            graph,
            azurite,
            environment,
            environment | {"GRAPH_TOKEN": identity.issue_for_graph()},
        )


class Recorder(ServiceProxy):
    """Stands before the tables and notes what is asked of them."""

    def __init__(self, azurite: Azurite) -> None:
        super().__init__(azurite.endpoint("table").removesuffix(f"/{ACCOUNT_NAME}"))
        self._noted = list[str]()

    @property
    def connection_string(self) -> str:
        """What the app is given in the place of the storage account's own."""
        return connect_to({"table": f"{self.url}/{ACCOUNT_NAME}"})

    def save(self, file: Path) -> None:
        """Write down the requests, one a line, for the floor to make them too."""
        file.write_text("\n".join(self._noted), encoding="utf-8")

    async def _pass_on(self, request: web.BaseRequest, body: bytes) -> web.Response:
        response = await super()._pass_on(request, body)
        headers = {name: value for name, value in request.headers.items() if _is_kept(name)}
        told = _rows(body.decode()) if request.path.endswith("/$batch") else body.decode()
        noted = (request.method, request.raw_path, headers, told, response.status)
        self._noted.append(json.dumps(noted))
        return response


def _rows(transaction: str) -> list[tuple[str, str, str, Any]]:
    """Take a transaction apart: method, address, version and row of each operation."""
    return [
        (found["method"], found["address"], found["version"] or "", json.loads(found["row"] or "0"))
        for found in _OPERATION.finditer(transaction)
    ]


@asynccontextmanager
async def recording(scene: Scene, file: Path) -> AsyncIterator[dict[str, str]]:
    """Note what is asked of the tables; yield the environment of whoever asks."""
    async with Recorder(scene.azurite) as recorder:
        yield scene.environment | {"AzureWebJobsStorage": recorder.connection_string}
    recorder.save(file)


def recorded_requests(file: Path) -> list[list[Any]]:
    """Return what was noted: method, path, headers, body and status of each request.

    The body of a transaction is a list of its operations: method, address, version, row.
    """
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _is_kept(header: str) -> bool:
    return header.lower() in _KEPT or header.lower().endswith("dataserviceversion")
