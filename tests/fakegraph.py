"""A simulated tenant, read by the real reader: real HTTP, real sign-in, no waits between tries."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from azure.identity.aio import ManagedIdentityCredential

from apple_tokens.identity import managed_identity
from apple_tokens.model import Cloud, SourceResult, TokenKind
from check_tokens.clouds import application_scope
from check_tokens.graph import GraphClient
from check_tokens.sources import read_sources
from check_tokens.waits import Waits
from sandbox.graph import GraphServer
from sandbox.graph_objects import GraphSource
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.tenant import SimulatedTenant

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
NO_WAITS = Waits(after_trouble_s=(0, 0, 0), longest_own_wait_s=0)
AMPLE_S = 50.0
"""A deadline that no test here is meant to reach."""

IN_GRAPH = {
    TokenKind.ADE: GraphSource.ADE,
    TokenKind.VPP: GraphSource.VPP,
    TokenKind.PUSH: GraphSource.PUSH,
}


@dataclass(frozen=True)
class Reading:
    """A client of a served tenant."""

    tenant: SimulatedTenant
    graph: GraphServer
    identity: IdentityEndpoint
    credential: ManagedIdentityCredential
    client: GraphClient

    async def read(
        self, kinds: Iterable[TokenKind] = TokenKind, deadline_s: float = AMPLE_S
    ) -> dict[TokenKind, SourceResult]:
        return await read_sources(self.client, kinds, deadline_s)

    def requests(self, kind: TokenKind) -> int:
        return len(self.graph.requests_for(IN_GRAPH[kind]))


def small_tenant() -> SimulatedTenant:
    """Make a tenant with one healthy token of each kind."""
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, NOW, tokenName="Tokyo iPads")
    tenant.add(GraphSource.VPP, NOW, displayName="Books")
    tenant.add(GraphSource.PUSH, NOW)
    return tenant


@asynccontextmanager
async def reading(
    tenant: SimulatedTenant, *, cloud: Cloud = Cloud.GLOBAL, waits: Waits = NO_WAITS
) -> AsyncIterator[Reading]:
    """Serve the tenant and sign in to it with azure-identity's own managed identity."""
    async with (
        IdentityEndpoint(tenant.tenant_id) as identity,
        GraphServer(tenant, identity) as graph,
    ):
        with pytest.MonkeyPatch.context() as environment:
            for name, value in identity.environment().items():
                environment.setenv(name, value)
            credential = managed_identity(CLIENT_ID)
        async with (
            credential,
            GraphClient(
                credential, endpoint=graph.url, scope=application_scope(cloud), waits=waits
            ) as client,
        ):
            yield Reading(tenant, graph, identity, credential, client)
