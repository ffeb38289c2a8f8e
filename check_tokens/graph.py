"""Asks Microsoft Graph: signed in, one page at a time, with exactly one owner of each retry.

The parts are those of the Graph SDK (request adapter, token provider, middleware), for v1.0 and
beta alike. Its generated models are not used: the first one to be decoded loads over 1,200 modules,
and 6,000 tokens then take 40 seconds instead of a quarter of one.
"""

import asyncio
import binascii
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar, cast
from uuid import uuid4

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph_core import BaseGraphRequestAdapter
from msgraph_core.authentication import (
    AzureIdentityAuthenticationProvider,
)

from check_tokens import verdicts
from check_tokens.bodies import UnreadableBodyError
from check_tokens.clouds import LOOPBACK_HOSTS
from check_tokens.transport import Deadline, GraphHttp
from check_tokens.verdicts import GraphError
from check_tokens.waits import Waits
from check_tokens.wire import NotAsDocumentedError

Answer = TypeVar("Answer")

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class GraphClient:
    """Microsoft Graph for one tenant. Use it as an async context manager; close the credential.

    `endpoint` is the only origin that is ever asked or given an access token, and `scope` what the
    credential is asked for.
    """

    def __init__(
        self,
        credential: AsyncTokenCredential,
        *,
        endpoint: str,
        scope: str,
        waits: Waits = Waits(),  # noqa: B008 # frozen
    ) -> None:
        self._origin = httpx.URL(endpoint)
        self._waits = waits
        self._sign_in = AzureIdentityAuthenticationProvider(
            credential, scopes=[scope], allowed_hosts=[self._origin.host]
        )
        # A simulated Graph on this machine is not to be looked for behind a proxy.
        self._http = GraphHttp(
            behind_proxies=self._origin.host not in LOOPBACK_HOSTS,
            longest_own_wait_s=waits.longest_own_wait_s,
        )
        self._adapter = BaseGraphRequestAdapter(self._sign_in, http_client=self._http.client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def sign_in(self) -> None:
        """Get an access token, which the credential then keeps. Raise GraphError.

        Called once before several sources are read side by side; otherwise each of them would ask
        the identity endpoint, or open a browser.
        """
        try:
            await self._sign_in.access_token_provider.get_authorization_token(str(self._origin))
        except Exception as error:
            # Not AzureError alone: azure-identity does not wrap what a malformed answer of the
            # identity endpoint makes it raise.
            raise verdicts.not_signed_in(error) from error

    async def get(
        self, address: str, decode: Callable[[bytes], Answer], deadline: Deadline
    ) -> Answer:
        """Return what `decode` makes of the answer, a path or a whole address being asked.

        Raise GraphError with the verdict. The SDK has by then tried 429, 503 and 504 again, and
        this method the rest of what passes, all of it before the deadline.
        """
        url = self._own_url(address)
        waits_s = iter(self._waits.after_trouble_s)
        while True:
            try:
                return await self._try_once(url, decode, deadline)
            except GraphError as error:
                wait_s = next(waits_s, deadline.left_s())
                if not error.may_pass or wait_s >= deadline.left_s():
                    raise
            await asyncio.sleep(wait_s)

    async def _try_once(
        self, url: str, decode: Callable[[bytes], Answer], deadline: Deadline
    ) -> Answer:
        request_id = str(uuid4())
        request = RequestInformation(Method.GET)
        request.url = url
        request.headers.try_add("client-request-id", request_id)
        # The answer is taken as it is. On its own the adapter passes a redirect for an empty answer
        # and keeps nothing of an error but its status.
        request.add_request_options([ResponseHandlerOption(NativeResponseHandler()), deadline])
        try:
            answer: httpx.Response | None = await self._adapter.send_primitive_async(
                request, "bytes", {}
            )
        except httpx.TransportError as error:
            raise verdicts.unreachable(error, request_id) from error
        except UnreadableBodyError as error:
            detail = f"Microsoft Graph's answer {error}."
            raise verdicts.unexpected(detail, request_id) from error
        except (binascii.Error, UnicodeDecodeError) as error:
            # To a 401 that asks for other claims the SDK answers with another sign-in, after
            # decoding whatever the header holds. If that cannot be decoded, a plain 401 is left.
            raise verdicts.refused(httpx.codes.UNAUTHORIZED, b"", request_id) from error
        except AzureError as error:
            raise verdicts.not_signed_in(error) from error
        response = cast("httpx.Response", answer)
        request_id = _request_id(response, request_id)
        if response.status_code != httpx.codes.OK:
            raise verdicts.refused(response.status_code, response.content, request_id)
        try:
            return decode(response.content)
        except NotAsDocumentedError as error:
            detail = f"Microsoft Graph's answer is not as documented: {error}."
            raise verdicts.unexpected(detail, request_id, response.status_code) from error

    def _own_url(self, address: str) -> str:
        """Return a whole address, and refuse one that leads away from the endpoint.

        A link in an answer is data. Followed blindly it would carry the access token, or bring in
        tokens from elsewhere. The address is compared the way httpx reads it, which connects.
        """
        try:
            url = self._origin.join(address) if address.startswith("/") else httpx.URL(address)
        except httpx.InvalidURL:
            raise verdicts.unexpected(
                "Microsoft Graph's link to the next page is malformed."
            ) from None
        if _origin(url) != _origin(self._origin) or url.userinfo:
            raise verdicts.unexpected(
                "Microsoft Graph's link to the next page leads to another host."
            )
        return str(url)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _request_id(response: httpx.Response, own: str) -> str:
    """Return Graph's id of the request, which its support asks for, or the one that was sent."""
    given = response.headers.get("request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else own
