"""A client of the simulated Graph, with an access token from its identity endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from sandbox.graph import GraphServer
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.tenant import SimulatedTenant

ADE_PATH = "/beta/deviceManagement/depOnboardingSettings"
VPP_PATH = "/beta/deviceAppManagement/vppTokens"
PUSH_PATH = "/v1.0/deviceManagement/applePushNotificationCertificate"


@dataclass(frozen=True)
class SignedIn:
    """A served tenant and a session that carries a good access token."""

    graph: GraphServer
    identity: IdentityEndpoint
    session: aiohttp.ClientSession

    async def get(self, path: str) -> aiohttp.ClientResponse:
        """Get a path of Graph and read the whole answer."""
        async with self.session.get(f"{self.graph.url}{path}", allow_redirects=False) as response:
            await response.read()
            return response


@asynccontextmanager
async def signed_in(tenant: SimulatedTenant) -> AsyncIterator[SignedIn]:
    """Serve the tenant and sign in."""
    async with (
        IdentityEndpoint(tenant.tenant_id) as identity,
        GraphServer(tenant, identity) as graph,
        aiohttp.ClientSession() as session,
    ):
        environment = identity.environment()
        async with session.get(
            environment["IDENTITY_ENDPOINT"],
            params={
                "api-version": "2019-08-01",
                "resource": "https://graph.microsoft.com",
                "client_id": CLIENT_ID,
            },
            headers={"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]},
        ) as response:
            token = (await response.json())["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        yield SignedIn(graph, identity, session)
