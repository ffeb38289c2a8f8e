"""`check`: read Microsoft Graph with one's own sign-in, write nothing, print what is wrong.

What only memory can tell (a replaced push certificate, a removed token, a failure seen twice) is
not known here: this is for the time before anything is deployed.
"""

import argparse
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from azure.identity.aio import AzureCliCredential

from admin.table import KIND_NAMES, printable, status_json, status_table
from apple_tokens.model import (
    Cloud,
    CouldNotCheck,
    FailureReason,
    Health,
    SourceResult,
    TokenKind,
)
from apple_tokens.rows import SourceRow, TokenRow
from apple_tokens.settings import choice, refuse, text
from check_tokens.alerting import Moment
from check_tokens.assessment import Known, assess
from check_tokens.clouds import PERMISSION, application_scope, delegated_scope, graph_endpoint
from check_tokens.graph import GraphClient
from check_tokens.schedule import check_date
from check_tokens.settings import read_policy
from check_tokens.signin import GRAPH_COMMAND_LINE_TOOLS, desk_credential, managed_identity
from check_tokens.sources import read_sources

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

DEADLINE_S = 240.0
HEALTHY, PROBLEMS, COULD_NOT_CHECK = 0, 1, 2


class SignIn(StrEnum):
    """How `check` signs in."""

    BROWSER = "browser"
    DEVICE_CODE = "device-code"
    AZURE_CLI = "azure-cli"
    MANAGED_IDENTITY = "managed-identity"


_AZURE_CLI_CANNOT = (
    "Intune refuses every access token of Azure CLI, whatever your role: Microsoft's app for it "
    "has no DeviceManagement permissions (https://github.com/Azure/azure-cli/issues/20572). Use "
    f"--sign-in {SignIn.BROWSER} or --sign-in {SignIn.DEVICE_CODE}."
)
_GRANT_TO_PERSON = (
    f"Consent to {PERMISSION} for the app that signs in, and make sure that your role in Intune "
    "may read."
)
_GRANT = {
    SignIn.BROWSER: _GRANT_TO_PERSON,
    SignIn.DEVICE_CODE: _GRANT_TO_PERSON,
    SignIn.AZURE_CLI: _AZURE_CLI_CANNOT,
    SignIn.MANAGED_IDENTITY: f"Grant {PERMISSION} to the identity. A grant can take up to 24 hours "
    "to be seen: the identity's access token is cached.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--sign-in",
        type=SignIn,
        choices=list(SignIn),
        default=SignIn.BROWSER,
        help="how to sign in (default: %(default)s)",
    )
    parser.add_argument("--tenant", default="", help="id or domain of the tenant to sign in to")
    parser.add_argument(
        "--client-id",
        default=GRAPH_COMMAND_LINE_TOOLS,
        help="the public client to sign in with (default: Microsoft Graph Command Line Tools)",
    )


async def run(
    options: argparse.Namespace, environment: Mapping[str, str], now: datetime
) -> tuple[int, str]:
    """Read all sources and return the exit status and what to print.

    0 healthy, 1 problems, 2 when a source could not be checked, whatever else was found.
    """
    results = await _read(options, environment)
    policy = read_policy(environment)
    moment = Moment(now=now, check_date=check_date(now, policy))
    rows = [
        row
        for kind, result in results.items()
        for row in assess(kind, result, Known(), SourceRow(kind=kind), moment, policy).tokens
    ]
    status = _status(rows, results)
    if options.json:
        return status, status_json(rows, results)
    return status, "\n".join(_lines(rows, results, options.sign_in))


async def _read(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> dict[TokenKind, SourceResult]:
    cloud = choice(environment, "GRAPH_CLOUD", Cloud.GLOBAL)
    override = text(environment, "GRAPH_ENDPOINT")
    try:
        endpoint = graph_endpoint(cloud, override)
    except ValueError as error:
        raise refuse("GRAPH_ENDPOINT", override, str(error)) from None
    is_person = options.sign_in in {SignIn.BROWSER, SignIn.DEVICE_CODE}
    scope = delegated_scope(cloud) if is_person else application_scope(cloud)
    async with (
        _credential(options, cloud, environment) as credential,
        GraphClient(credential, endpoint=endpoint, scope=scope) as client,
    ):
        return await read_sources(client, TokenKind, DEADLINE_S)


def _credential(
    options: argparse.Namespace, cloud: Cloud, environment: Mapping[str, str]
) -> "AsyncTokenCredential":
    match options.sign_in:
        case SignIn.AZURE_CLI:
            return AzureCliCredential(tenant_id=options.tenant)
        case SignIn.MANAGED_IDENTITY:
            return managed_identity(text(environment, "AZURE_CLIENT_ID") or None)
        case _:
            show = print if options.sign_in is SignIn.DEVICE_CODE else None
            return desk_credential(
                cloud,
                tenant_id=options.tenant,
                client_id=options.client_id,
                show_device_code=show,
            )


def _status(rows: list[TokenRow], results: Mapping[TokenKind, SourceResult]) -> int:
    if any(isinstance(result, CouldNotCheck) for result in results.values()):
        return COULD_NOT_CHECK
    return PROBLEMS if any(row.health is not Health.HEALTHY for row in rows) else HEALTHY


def _lines(
    rows: list[TokenRow], results: Mapping[TokenKind, SourceResult], sign_in: SignIn
) -> list[str]:
    lines = [status_table(rows)] if rows else []
    read = {row.token.kind for row in rows}
    refused = False
    for kind, result in results.items():
        if isinstance(result, CouldNotCheck):
            lines.append(f"COULD NOT CHECK {KIND_NAMES[kind]}: {printable(result.detail)}")
            if result.request_id:
                lines.append(f"    request id {result.request_id}")
            refused |= result.reason is FailureReason.PERMISSION
        elif kind not in read:
            lines.append(f"{KIND_NAMES[kind]}: none configured")
    if refused:
        lines.append(_GRANT[sign_in])
    unhealthy = sum(row.health is not Health.HEALTHY for row in rows)
    failed = sum(isinstance(result, CouldNotCheck) for result in results.values())
    summary = f"{len(rows)} read, {unhealthy} with problems"
    if failed:
        summary += (
            f"; {failed} of {len(results)} sources could not be checked: nothing is known of them"
        )
    return [*lines, summary]
