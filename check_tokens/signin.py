"""Signs a person at a desk in to Microsoft Graph, and reads where an access token is from."""

import asyncio
import base64
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import DeviceCodeCredential, InteractiveBrowserCredential
from msgspec import Struct, field

from apple_tokens.model import Cloud
from check_tokens.clouds import sign_in_authority

GRAPH_COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
"""Microsoft's own public client, the one behind `Connect-MgGraph`."""


def desk_credential(
    cloud: Cloud,
    *,
    tenant_id: str = "",
    client_id: str = GRAPH_COMMAND_LINE_TOOLS,
    show_device_code: Callable[[str], None] | None = None,
) -> "DeskCredential":
    """Return a credential that asks the person at this terminal to sign in, when first used.

    It opens the browser, or, where `show_device_code` is given, hands a sentence with an address
    and a code to it. Ask it for `clouds.delegated_scope`. A token of Azure CLI is no alternative:
    Intune refuses it (https://github.com/Azure/azure-cli/issues/20572).
    """
    authority, tenant = sign_in_authority(cloud), tenant_id or "organizations"
    if show_device_code is None:
        return DeskCredential(
            InteractiveBrowserCredential(client_id=client_id, tenant_id=tenant, authority=authority)
        )
    show = show_device_code

    def prompt(address: str, code: str, _expires_on: datetime) -> None:
        show(f"To sign in, open {address} and enter the code {code}")

    return DeskCredential(
        DeviceCodeCredential(
            client_id, tenant_id=tenant, authority=authority, prompt_callback=prompt
        )
    )


class DeskCredential:
    """An interactive credential of azure-identity, for asyncio.

    They block until somebody signed in, and there is no asynchronous edition of them. One sign-in
    runs at a time, since each would open a browser. It runs in a thread that does not keep the
    program alive, so that Ctrl+C ends a sign-in that nobody completes.
    """

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._one_at_a_time = asyncio.Lock()

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401 # azure's
        """Return an access token, from the credential's cache where there is one."""
        async with self._one_at_a_time:
            loop = asyncio.get_running_loop()
            outcome: asyncio.Future[AccessToken] = loop.create_future()

            def settle(token: AccessToken | None, error: Exception | None) -> None:
                if outcome.done():  # cancelled
                    return
                if token is not None:
                    outcome.set_result(token)
                elif error is not None:
                    outcome.set_exception(error)

            def sign_in() -> None:
                token, failure = None, None
                try:
                    token = self._credential.get_token(*scopes, **options)
                except Exception as error:  # noqa: BLE001 # raised where it is awaited
                    failure = error
                with suppress(RuntimeError):  # the loop was closed meanwhile
                    loop.call_soon_threadsafe(settle, token, failure)

            threading.Thread(target=sign_in, name="sign-in", daemon=True).start()
            return await outcome

    async def close(self) -> None:
        """Close the connections of the credential."""
        close = getattr(self._credential, "close", None)
        if close is not None:
            close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


class TokenClaims(Struct, frozen=True):
    """What an access token says about where it comes from."""

    tenant_id: str = field(name="tid")
    client_id: str = field(name="appid", default="")
    """The app that signed in, by which a token of Azure CLI is known."""
    user: str = field(name="upn", default="")
    """Who signed in; empty for an app, and where Entra leaves it out."""


def read_claims(access_token: str) -> TokenClaims:
    """Return the claims of an access token, unverified: for display and local use only.

    Whoever trusts a token has to verify it, and that is Graph. Raise ValueError, without the token
    in its text.
    """
    try:
        payload = access_token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=TokenClaims)
    except (IndexError, ValueError, msgspec.MsgspecError):
        raise ValueError("the access token does not say which tenant it is for") from None
