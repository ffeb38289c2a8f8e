"""The ways in which `check` signs in to Microsoft Graph, and what to do when one fails."""

import argparse
import re
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError

from admin import azure_cli
from admin.command import CommandError, Environment
from apple_tokens.identity import managed_identity
from apple_tokens.model import Cloud
from apple_tokens.settings import text
from check_tokens.clouds import PERMISSION, application_scope, delegated_scope
from check_tokens.signin import (
    GRAPH_COMMAND_LINE_TOOLS,
    desk_credential,
    read_claims,
)

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class SignIn(StrEnum):
    """How `check` signs in."""

    BROWSER = "browser"
    DEVICE_CODE = "device-code"
    AZURE_CLI = "azure-cli"
    MANAGED_IDENTITY = "managed-identity"

    @property
    def is_person(self) -> bool:
        """Whether somebody signs in who can be asked to consent."""
        return self in {SignIn.BROWSER, SignIn.DEVICE_CODE}


_REMEDY = {
    SignIn.BROWSER: f"try again, or use --sign-in {SignIn.DEVICE_CODE} where no browser opens",
    SignIn.DEVICE_CODE: f"try again, or use --sign-in {SignIn.BROWSER} where codes are not allowed",
    SignIn.MANAGED_IDENTITY: "a managed identity exists only inside of Azure, and AZURE_CLIENT_ID "
    "must be the client id of one that is assigned there",
}
_ENTRA_CODE = re.compile(r"\bAADSTS(\d{3,9})\b")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options of signing in."""
    parser.add_argument(
        "--sign-in",
        choices=[way.value for way in SignIn],
        default=SignIn.BROWSER.value,
        metavar="WAY",
        help=f"{', '.join(SignIn)} (default: %(default)s); azure-cli is for an app that signed in "
        "with `az login`: a person is refused by Intune",
    )
    parser.add_argument(
        "--tenant", default="", metavar="ID", help="id or domain of the tenant to sign in to"
    )
    parser.add_argument(
        "--client-id",
        default=GRAPH_COMMAND_LINE_TOOLS,
        metavar="ID",
        help="the public client that asks people to sign in (default: Microsoft Graph Command "
        "Line Tools, %(default)s)",
    )


def scope_of(way: SignIn, cloud: Cloud) -> str:
    """Return what is asked for: one permission of a person, what was granted of an app."""
    return delegated_scope(cloud) if way.is_person else application_scope(cloud)


def open_credential(
    way: SignIn, cloud: Cloud, environment: Environment, *, tenant_id: str, client_id: str
) -> "AsyncTokenCredential":
    """Return the credential, to be used as a context manager. It signs in when first used."""
    if way is SignIn.AZURE_CLI:
        return azure_cli.azure_cli(tenant_id)
    if way is SignIn.MANAGED_IDENTITY:
        return managed_identity(text(environment, "AZURE_CLIENT_ID") or None)
    show = _say if way is SignIn.DEVICE_CODE else None
    try:
        credential = desk_credential(
            cloud, tenant_id=tenant_id, client_id=client_id, show_device_code=show
        )
    except ValueError:
        raise azure_cli.impossible_tenant(tenant_id) from None
    if show is None:
        _say("A browser opens for you to sign in; Ctrl+C gives up")
    return credential


def not_signed_in(way: SignIn, cause: BaseException | None, tenant_id: str) -> CommandError:
    """Return the error for a sign-in that failed.

    Of the cause's text, which can quote any answer, only the code of Microsoft Entra ID is shown.
    """
    code = _ENTRA_CODE.search(str(cause))
    said = (
        f"{code[0]}, explained at https://login.microsoftonline.com/error?code={code[1]}"
        if code
        else type(cause).__name__
    )
    remedy = _REMEDY.get(way) or azure_cli.how_to_sign_in(tenant_id)
    return CommandError(f"signing in to Microsoft Graph failed ({said}): {remedy}")


async def what_to_grant(way: SignIn, credential: "AsyncTokenCredential", cloud: Cloud) -> str:
    """Say what would let Graph answer to somebody whom it refused."""
    if way.is_person:
        return (
            f"Consent to {PERMISSION} for the app that signs you in (--client-id), and make sure "
            "that your role in Intune may read."
        )
    if way is SignIn.AZURE_CLI:
        return _what_to_grant_to(await _client_of(credential, cloud))
    return (
        f"Grant {PERMISSION} to the identity. A grant can take up to 24 hours to be seen: the "
        "identity's access token is cached."
    )


def _what_to_grant_to(client_id: str) -> str:
    if client_id not in {"", azure_cli.APP_ID}:
        return f"Grant {PERMISSION} to the app {client_id}, as which Azure CLI is signed in."
    return (
        "Intune refuses the access tokens that Azure CLI gets for people, whatever their role: "
        "Microsoft's app for Azure CLI has no DeviceManagement permission, and none can be added "
        f"(https://github.com/Azure/azure-cli/issues/20572). Use --sign-in {SignIn.BROWSER} or "
        f"--sign-in {SignIn.DEVICE_CODE}."
    )


async def _client_of(credential: "AsyncTokenCredential", cloud: Cloud) -> str:
    """Return the id of the app whose access token was refused; empty where that is not to see."""
    try:
        token = await credential.get_token(application_scope(cloud))
        return read_claims(token.token).client_id
    except (AzureError, ValueError):
        return ""


def _say(sentence: str) -> None:
    # Beside the answer, which may be JSON that a script reads.
    print(f"{sentence}.", file=sys.stderr, flush=True)
