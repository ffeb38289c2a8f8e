"""The HTTP client below the Graph SDK: its middleware, with a deadline for its waits.

The SDK's redirect handler is left out, so that a redirect is an answer like any other: the handler
would take the answer of whatever host a `Location` names for Graph's.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, cast

import httpx
from kiota_abstractions.request_option import RequestOption
from kiota_http.middleware import RetryHandler
from kiota_http.middleware.options import RetryHandlerOption
from kiota_http.middleware.user_agent_handler import UserAgentHandler
from msgraph_core import GraphClientFactory
from msgraph_core.middleware import GraphTelemetryHandler

from apple_tokens.tls import tls_context
from check_tokens.bodies import BoundBody

if TYPE_CHECKING:
    from msgraph_core.middleware.telemetry import GraphRequest

# Below the 100 s of the SDK: a request that hangs must leave time for further ones before the
# deadline of the source.
_TIMEOUT = httpx.Timeout(50.0, connect=15.0)

_TALKATIVE = {
    "httpx": logging.WARNING,  # full addresses
    "httpcore": logging.WARNING,  # all headers of the answers
    "hpack": logging.WARNING,  # all headers of the requests, should HTTP/2 ever be switched on
    "azure.core": logging.WARNING,  # headers and addresses of the identity endpoint
    "azure.identity": logging.CRITICAL,  # the answers of the identity endpoint, names of people
    "msal": logging.WARNING,  # the exchanges of a sign-in
    "urllib3": logging.WARNING,  # addresses of a sign-in
}


class Deadline(RequestOption):
    """When an answer is no longer of use, as a time of the running event loop."""

    def __init__(self, at: float) -> None:
        self.at = at

    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self.at - asyncio.get_running_loop().time()

    @staticmethod
    def get_key() -> str:
        """Return the name of the option, as the SDK wants it."""
        return "AppleTokenWatchDeadline"


class RetryBeforeDeadline(RetryHandler):
    """The SDK's retries of 429, 503 and 504, given up at once when the wait outlasts the deadline.

    Otherwise a `Retry-After` of two minutes would be waited for in vain, and the result would be
    "timed out" although Graph said "throttled".
    """

    def __init__(self, longest_own_wait_s: int) -> None:
        super().__init__()
        # Holds for waits without `Retry-After`; what Graph asks for is never shortened.
        self.backoff_max = longest_own_wait_s

    def get_delay_time(
        self,
        retry_count: int,
        response: httpx.Response | None = None,
        delay: float = RetryHandlerOption.DEFAULT_DELAY,
    ) -> float:
        """Return the seconds to wait; the SDK gives up where these are `MAX_DELAY` or more."""
        wait_s = super().get_delay_time(retry_count, response, delay)
        in_vain = response is not None and wait_s >= _deadline(response.request).left_s()
        return RetryHandlerOption.MAX_DELAY if in_vain else wait_s


def _deadline(request: httpx.Request) -> Deadline:
    # The options live on the request's context: those on the request itself are gone once it was
    # sent (kiota_http.middleware.BaseMiddleware.send).
    options = cast("GraphRequest", request).context.middleware_control
    return cast("Deadline", options[Deadline.get_key()])


class _ClientTransport(httpx.AsyncBaseTransport):
    """Sends through an httpx client of its own.

    It exists because the SDK's transport never closes the one that it wraps, and only a whole
    client knows the proxies of the environment, which a desk behind a proxy needs.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)


class GraphHttp:
    """The SDK's pipeline around one connection pool. Call `close` in the end."""

    def __init__(self, *, behind_proxies: bool, longest_own_wait_s: int) -> None:
        silence_talkative_libraries()
        # HTTP/1.1: three requests a day gain nothing from HTTP/2, whose library logs the encoded
        # headers at DEBUG, and whoever can decode them has the access token.
        self._pool = httpx.AsyncClient(
            verify=tls_context(trust_env=behind_proxies), trust_env=behind_proxies
        )
        self.client = GraphClientFactory.create_with_custom_middleware(
            [
                RetryBeforeDeadline(longest_own_wait_s),
                UserAgentHandler(),
                GraphTelemetryHandler(),
                BoundBody(),
            ],
            client=httpx.AsyncClient(
                transport=_ClientTransport(self._pool),
                timeout=_TIMEOUT,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
        await self._pool.aclose()


def silence_talkative_libraries() -> None:
    """Keep addresses, headers and answers out of the log, whatever level the host logs at.

    What these libraries have to say about a failure reaches the administrator as the result of the
    source, in words that are known to hold no secret.
    """
    for name, level in _TALKATIVE.items():
        logging.getLogger(name).setLevel(level)
