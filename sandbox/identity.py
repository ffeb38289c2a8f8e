"""Issue access tokens the way App Service does to the managed identity of an app.

The real `ManagedIdentityCredential` of azure-identity talks to it. Protocol:
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import base64
import json
import time
from dataclasses import dataclass

from aiohttp import web

from sandbox.faults import FaultPlan
from sandbox.planted import planted_secret
from sandbox.server import LoopbackServer

#: The user-assigned identity of the examples.
CLIENT_ID = "0b7e6a52-3d1f-4e88-a9c4-6f25d0b1c3e9"

_API_VERSION = "2019-08-01"
_GRAPH_RESOURCES = frozenset(
    {
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRequest:
    """One request for an access token; `client_id` is empty for the system-assigned identity."""

    resource: str
    client_id: str


class IdentityEndpoint(LoopbackServer):
    """The identity endpoint of a function app that has one user-assigned identity."""

    def __init__(
        self, tenant_id: str, *, client_id: str = CLIENT_ID, lifetime_s: int = 86_400
    ) -> None:
        super().__init__()
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._lifetime_s = lifetime_s
        self._header = planted_secret("identity-header")
        self._issued: dict[str, str] = {}
        self.requests: list[IdentityRequest] = []
        self.faults = FaultPlan()

    def environment(self) -> dict[str, str]:
        """Give the environment variables by which azure-identity finds this endpoint."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": self._header}

    def has_issued_for_graph(self, token: str) -> bool:
        """Say whether Graph would accept this access token."""
        return self._issued.get(token, "") in _GRAPH_RESOURCES

    def issue_for_graph(self) -> str:
        """Return an access token for Graph, for somebody who has signed in already."""
        return self._issue(min(_GRAPH_RESOURCES), int(time.time()) + self._lifetime_s)

    def revoke_all(self) -> None:
        """Forget every access token issued so far: Graph answers 401 to them from now on."""
        self._issued.clear()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request for an access token."""
        self.requests.append(
            IdentityRequest(
                resource=request.query.get("resource", ""),
                client_id=request.query.get("client_id", ""),
            )
        )
        regular = self._regular_answer(request)
        fault = self.faults.next()
        return regular if fault is None else await fault.play(request, regular)

    def _regular_answer(self, request: web.BaseRequest) -> web.Response:
        if request.path != "/msi/token" or request.query.get("api-version") != _API_VERSION:
            return _refusal(400, f"Ask GET /msi/token with api-version {_API_VERSION}.")
        if request.headers.get("X-IDENTITY-HEADER") != self._header:
            return _refusal(401, "The header X-IDENTITY-HEADER is missing or wrong.")
        resource, client_id = request.query.get("resource", ""), request.query.get("client_id", "")
        if not resource:
            return _refusal(400, "The parameter resource is missing.")
        if client_id != self._client_id:
            # Without a client id App Service takes the system-assigned identity, and there is none.
            return _refusal(400, "Unable to load the proper Managed Identity.")
        expires_on = int(time.time()) + self._lifetime_s
        token = self._issue(resource, expires_on)
        return web.json_response(
            {
                "access_token": token,
                "expires_on": str(expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": client_id,
            }
        )

    def _issue(self, resource: str, expires_on: int) -> str:
        claims = {
            "aud": resource,
            "exp": expires_on,
            "tid": self._tenant_id,
            "appid": self._client_id,
            "roles": ["DeviceManagementServiceConfig.Read.All"],
        }
        header = _encode({"typ": "JWT", "alg": "none"})
        signature = planted_secret("access-token", str(len(self._issued) + len(self.requests)))
        token = f"{header}.{_encode(claims)}.{signature}"
        self._issued[token] = resource
        return token


def _encode(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)
