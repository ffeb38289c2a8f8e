"""Say what Graph does wrong: its own error answers, and pages that lead astray."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web

from sandbox import faults
from sandbox.faults import Fault
from sandbox.graph_errors import REQUEST_ID, gateway_error, intune_error, push_certificate_missing

_SCOPES = (
    "DeviceManagementServiceConfiguration.Read.All, "
    "DeviceManagementServiceConfig.Read.All, "
    "DeviceManagementServiceConfiguration.ReadWrite.All, "
    "DeviceManagementServiceConfig.ReadWrite.All"
)
_SERVER_ERRORS = {
    500: ("InternalServerError", "An internal server error has occurred"),
    502: ("BadGateway", "Failed to connect to the back end"),
    503: ("ServiceUnavailable", "The service is temporarily unavailable"),
    504: ("GatewayTimeout", "The request timed out"),
}


def forbidden() -> Fault:
    """Answer 403: the application permission is missing, and the text lists what would do."""
    message = (
        "Application is not authorized to perform this operation. "
        f"Application must have one of the following scopes: {_SCOPES}"
    )
    return _error(
        "403 permission missing",
        lambda path, request_id: intune_error(403, "Forbidden", message, path, request_id),
    )


def unauthorised() -> Fault:
    """Answer 401 although the access token is good, as after a revocation."""
    message = "Access token has expired or is not yet valid."
    return _error(
        "401 access token refused",
        lambda _, request_id: gateway_error(401, "InvalidAuthenticationToken", message, request_id),
    )


def not_found() -> Fault:
    """Answer 404 ResourceNotFound: what a missing push certificate looks like."""
    return _error("404 not found", push_certificate_missing)


def not_licensed() -> Fault:
    """Answer 400: the tenant has no Intune licence, or no MDM authority was ever set."""
    message = "Request not applicable to target tenant."
    return _error(
        "400 tenant without Intune",
        lambda _, request_id: gateway_error(400, "BadRequest", message, request_id),
    )


def throttled(retry_after: str | None = None) -> Fault:
    """Answer 429, with `Retry-After` (seconds or a date) or without, as Intune sometimes does."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    message = "Too many requests"
    return _error(
        "429 throttled" + (f", Retry-After {retry_after}" if retry_after else ""),
        lambda path, request_id: intune_error(
            429, "TooManyRequests", message, path, request_id, headers
        ),
    )


def unavailable(status: int = 503, retry_after: str | None = None) -> Fault:
    """Answer with one of the errors of a service in trouble: 500, 502, 503 or 504."""
    code, message = _SERVER_ERRORS[status]
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return _error(
        f"{status} service trouble" + (f", Retry-After {retry_after}" if retry_after else ""),
        lambda path, request_id: intune_error(status, code, message, path, request_id, headers),
    )


def next_page_at(url: str) -> Fault:
    """Answer correctly, but say that the next page is at this address."""
    return _next_link(f"next page at {url}", lambda _: url)


def next_page_in_a_circle() -> Fault:
    """Answer correctly, but say that the next page is the one just asked for."""
    return _next_link("next page in a circle", lambda request: str(request.url))


def many_pages(count: int = 10_000) -> Fault:
    """Answer with empty pages, `count` of them, each with a new address for the next."""

    async def play(request: web.BaseRequest, _: web.Response) -> web.StreamResponse:
        number = int(request.query.get("$skiptoken", "1"))
        page: dict[str, object] = {"value": []}
        if number < count:
            query = {**request.query, "$skiptoken": str(number + 1)}
            page["@odata.nextLink"] = (
                f"{request.url.with_query(None)}?{urlencode(query, safe='$,')}"
            )
        return web.json_response(page)

    return Fault(f"{count:,} pages", play)


#: The faults that a scenario file can ask for by name.
NAMED_FAULTS: dict[str, Callable[[], Fault]] = {
    "permission missing": forbidden,
    "sign-in refused": unauthorised,
    "not licensed": not_licensed,
    "throttled": throttled,
    "unavailable": unavailable,
    "web page": faults.html_page,
    "truncated answer": faults.truncated,
    "empty answer": faults.empty_body,
    "connection reset": faults.reset,
}


def _error(name: str, build: Callable[[str, str], web.Response]) -> Fault:
    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        return build(request.path, regular.headers[REQUEST_ID])

    return Fault(name, play)


def _next_link(name: str, link: Callable[[web.BaseRequest], str]) -> Fault:
    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        page = json.loads(regular.text or "{}")
        return web.json_response({**page, "@odata.nextLink": link(request)})

    return Fault(name, play)
