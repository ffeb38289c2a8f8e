"""Serve a simulated tenant the way Microsoft Graph does."""

import json
import re
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import NAMESPACE_OID, uuid5

from aiohttp import web

from sandbox.graph_errors import REQUEST_ID, gateway_error, push_certificate_missing
from sandbox.graph_objects import GRAPH_TYPES, GraphObject, GraphSource, property_names
from sandbox.identity import IdentityEndpoint
from sandbox.server import LoopbackServer
from sandbox.tenant import SimulatedTenant

_PATHS = {
    "/beta/deviceManagement/depOnboardingSettings": GraphSource.ADE,
    "/beta/deviceAppManagement/vppTokens": GraphSource.VPP,
    "/v1.0/deviceManagement/applePushNotificationCertificate": GraphSource.PUSH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """One request as Graph saw it; `source` is None for an address that Graph does not know."""

    method: str
    path: str
    query: str
    authorised: bool
    source: GraphSource | None
    fault: str = ""


class GraphServer(LoopbackServer):
    """Microsoft Graph for one tenant, for callers that signed in at the given identity endpoint."""

    def __init__(self, tenant: SimulatedTenant, identity: IdentityEndpoint) -> None:
        super().__init__()
        self._tenant = tenant
        self._identity = identity
        self.requests: list[GraphRequest] = []

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, with the fault that the tenant's plan holds for it."""
        source = _PATHS.get(request.path)
        authorised = self._is_authorised(request)
        fault = self._tenant.faults[source].next() if source is not None and authorised else None
        self.requests.append(
            GraphRequest(
                method=request.method,
                path=request.path,
                query=request.query_string,
                authorised=authorised,
                source=source,
                fault="" if fault is None else fault.name,
            )
        )
        request_id = str(uuid5(NAMESPACE_OID, f"request {len(self.requests)}"))
        regular = self._regular_answer(request, source, request_id, authorised=authorised)
        if fault is not None:
            response = await fault.play(request, regular)
            if not response.prepared:
                response.headers.setdefault(REQUEST_ID, request_id)
            return response
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            regular.enable_compression(web.ContentCoding.gzip)
        return regular

    def requests_for(self, source: GraphSource) -> list[GraphRequest]:
        """List the requests for one kind of token, in order."""
        return [request for request in self.requests if request.source is source]

    def _is_authorised(self, request: web.BaseRequest) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._identity.has_issued_for_graph(token)

    def _regular_answer(
        self,
        request: web.BaseRequest,
        source: GraphSource | None,
        request_id: str,
        *,
        authorised: bool,
    ) -> web.Response:
        if not authorised:
            sent = "Authorization" in request.headers
            message = (
                "Access token has expired or is not yet valid."
                if sent
                else "Access token is empty."
            )
            return gateway_error(401, "InvalidAuthenticationToken", message, request_id)
        if source is None:
            segment = request.path.rsplit("/", 1)[-1]
            message = f"Resource not found for the segment '{segment}'."
            return gateway_error(400, "BadRequest", message, request_id)
        if request.method != "GET":
            message = "Specified HTTP method is not allowed for the request target."
            return gateway_error(405, "Request_BadRequest", message, request_id)
        selected = [name.strip() for name in request.query.get("$select", "").split(",") if name]
        if unknown := sorted(set(selected) - property_names(source)):
            message = (
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{unknown[0]}' on type 'microsoft.graph.{GRAPH_TYPES[source]}'."
            )
            return gateway_error(400, "BadRequest", message, request_id)
        tokens = self._tokens(source, selected)
        if source is not GraphSource.PUSH:
            pages = self._pages(tokens)
            number = _page_number(request.query.get("$skiptoken"))
            if number is None or number >= len(pages):
                return gateway_error(400, "BadRequest", "The skip token is not valid.", request_id)
            document: dict[str, object] = {"value": pages[number]}
            if number + 1 < len(pages):
                document["@odata.nextLink"] = self._link(request, number + 1)
        elif tokens:
            document = tokens[0]
        else:
            return push_certificate_missing(request.path, request_id)
        _, version, resource = request.path.split("/", 2)
        context = f"https://graph.microsoft.com/{version}/$metadata#{resource}"
        return web.Response(
            body=json.dumps({"@odata.context": context, **document}, ensure_ascii=False).encode(),
            content_type="application/json",
            headers={REQUEST_ID: request_id},
        )

    def _tokens(self, source: GraphSource, selected: list[str]) -> list[GraphObject]:
        tokens = self._tenant.objects(source)
        if not selected or self._tenant.ignore_select:
            return tokens
        return [{key: token[key] for key in selected if key in token} for token in tokens]

    def _link(self, request: web.BaseRequest, number: int) -> str:
        # Graph repeats the whole query in the link, and leaves the dollar signs as they are.
        query = {**request.query, "$skiptoken": _skip_token(number)}
        return f"{self.url}{request.path}?{urlencode(query, safe='$,')}"

    def _pages(self, tokens: list[GraphObject]) -> list[list[GraphObject]]:
        size = self._tenant.page_size
        pages: list[list[GraphObject]] = []
        for start in range(0, len(tokens), size):
            if pages:
                pages.extend([] for _ in range(self._tenant.empty_pages))
            pages.append(tokens[start : start + size])
        return pages or [[]]


def _skip_token(number: int) -> str:
    # Opaque on purpose, as Graph's are: a client that counts pages by itself must fail here.
    return f"UGFnZQ{number:x}"


def _page_number(skip_token: str | None) -> int | None:
    """Read the number of the page asked for; None for a token that was never given out."""
    if skip_token is None:
        return 0
    given_out = re.fullmatch("UGFnZQ([0-9a-f]+)", skip_token)
    return int(given_out[1], 16) if given_out else None
