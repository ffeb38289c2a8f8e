"""The storage account of the app, as an operator at a desk reaches it."""

import argparse
import getpass
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import msgspec
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.data.tables.aio import TableServiceClient

from admin.azure_cli import azure_cli, how_to_sign_in
from admin.command import CommandError, Environment
from apple_tokens.codec import decode_key
from apple_tokens.model import Cloud
from apple_tokens.operator_tables import Operator, OperatorTables
from apple_tokens.rows import RunRow
from apple_tokens.settings import choice, text
from apple_tokens.storage import CONNECTION, table_service
from apple_tokens.tables import STATUS, TokenTables
from check_tokens.signin import TokenClaims, read_claims

if TYPE_CHECKING:
    from datetime import datetime

    from azure.core.credentials_async import AsyncTokenCredential

READER, CONTRIBUTOR = "Storage Table Data Reader", "Storage Table Data Contributor"
_SCOPE = "https://storage.azure.com/.default"
_SERVICES = frozenset({"blob", "file", "queue", "table", "dfs", "web"})
_SUFFIXES = {
    Cloud.GLOBAL: "core.windows.net",
    Cloud.USGOV: "core.usgovcloudapi.net",
    Cloud.USGOV_DOD: "core.usgovcloudapi.net",
    Cloud.CHINA: "core.chinacloudapi.cn",
}
_NAME = re.compile(r"[a-z0-9]{3,24}")


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The open tables, the tenant in them, and who is asking."""

    service: TableServiceClient
    tenant_id: str
    operator: str

    @property
    def tables(self) -> TokenTables:
        """What can be read."""
        return TokenTables(self.service, self.tenant_id)

    @property
    def orders(self) -> OperatorTables:
        """What an operator may write."""
        return OperatorTables(self.service, self.tenant_id)

    def by_operator(self, at: "datetime", reason: str = "") -> Operator:
        """Return who gives an order now, and why."""
        return Operator(name=self.operator, at=at, reason=reason)


def add_arguments(
    parser: argparse.ArgumentParser, *, else_tenant: str = "the only one in the tables"
) -> None:
    """Describe the options that every command on the storage account has."""
    parser.add_argument(
        "--storage",
        default="",
        metavar="ACCOUNT",
        help="name or https address of the app's storage account, opened with your own `az login` "
        f"(default: the connection in {CONNECTION})",
    )
    parser.add_argument(
        "--tenant",
        default="",
        metavar="ID",
        help=f"id of the tenant (default: TENANT_ID, or {else_tenant})",
    )


@asynccontextmanager
async def open_desk(
    options: argparse.Namespace, environment: Environment, *, role: str
) -> AsyncIterator[Desk]:
    """Open the tables that the options name. Raise CommandError, naming what is missing.

    `role` is what the command needs on the storage account.
    """
    where = account_of(options, environment)
    try:
        async with AsyncExitStack() as stack:
            connection, credential, operator = environment, None, _local_user()
            if options.storage:
                address = service_address(options.storage, "table", environment)
                connection = {f"{CONNECTION}__tableServiceUri": address}
                credential = await stack.enter_async_context(azure_cli())
                operator = (await who_signed_in(credential)).user or operator
            service = await stack.enter_async_context(table_service(connection, credential))
            tenant_id = (
                options.tenant or text(environment, "TENANT_ID") or await _only_tenant(service)
            )
            yield Desk(service=service, tenant_id=tenant_id, operator=operator)
    except AzureError as error:
        raise explain(error, role=role, where=where, holds=f"table {STATUS}") from error


def account_of(options: argparse.Namespace, environment: Environment) -> str:
    """Return what the storage account is called in errors: its name, or the setting's.

    Raise CommandError where none is named.
    """
    if options.storage:
        return str(options.storage)
    if not any(name.startswith(CONNECTION) and value for name, value in environment.items()):
        raise CommandError(
            "name the app's storage account with --storage ACCOUNT (it is opened with your own "
            f"`az login`), or set {CONNECTION} to its connection string"
        )
    return CONNECTION


def service_address(storage: str, service: str, environment: Environment) -> str:
    """Return where one service of a storage account is, from its name or from any address of it.

    Raise CommandError for what is neither. An address with a signature is not quoted.
    """
    if _NAME.fullmatch(storage):
        suffix = _SUFFIXES[choice(environment, "GRAPH_CLOUD", Cloud.GLOBAL)]
        return f"https://{storage}.{service}.{suffix}"
    parts = _split(storage if "://" in storage else f"https://{storage}")
    is_host = "." in parts.netloc and "@" not in parts.netloc
    if parts.scheme != "https" or not is_host or parts.query:
        raise CommandError(
            "--storage is neither the name of a storage account nor its https address, such as "
            "https://ACCOUNT.table.core.windows.net; a signature (?sv=…) does not belong there"
        )
    labels = parts.netloc.split(".")
    if labels[1] in _SERVICES:
        labels[1] = service
    return f"https://{'.'.join(labels)}{parts.path.rstrip('/')}"


def _split(address: str) -> SplitResult:
    """Return the parts of an address; empty ones for what is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return urlsplit("")
    return parts


def explain(error: AzureError, *, role: str, where: str, holds: str) -> CommandError:
    """Return the error that says what an operator has to do; `holds` is what is looked for."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    code = getattr(error, "error_code", None)
    code = str(getattr(code, "value", code) or "")
    own_sign_in = where != CONNECTION
    place = where if own_sign_in else f"the storage account of {CONNECTION}"
    if code == "KeyBasedAuthenticationNotPermitted":
        return CommandError(f"{place} takes no account keys: use --storage ACCOUNT with `az login`")
    if isinstance(error, ClientAuthenticationError):
        if own_sign_in:
            return CommandError(f"signing in to {place} failed: {how_to_sign_in()}")
        return CommandError(f"{place} does not take its key: copy the connection string again")
    if status == HTTPStatus.FORBIDDEN:
        return CommandError(
            f"{place} refuses you ({code or status}): your account needs the role “{role}” on it, "
            "and a new role can take some minutes to be seen; if you have it, see whether the "
            "account's firewall lets you in from here"
        )
    if status == HTTPStatus.NOT_FOUND:
        return CommandError(f"{place} has no {holds}: is it the right account?")
    if status is not None:
        return CommandError(
            f"{place} answers with an error ({code or status}): is it the right account? If it is, "
            "try again later"
        )
    return CommandError(
        f"{place} cannot be reached ({type(error).__name__}): is its name right, and does a "
        "firewall or proxy stand in between?"
    )


async def _only_tenant(service: TableServiceClient) -> str:
    query = service.get_table_client(STATUS).query_entities(
        f"RowKey eq '{RunRow.key}'", select=["PartitionKey"]
    )
    found = sorted([decode_key(entity["PartitionKey"]) async for entity in query])
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError("the tables hold no check yet: wait for the first, or see the log")
    raise CommandError(
        f"the tables hold {len(found)} tenants, name one with --tenant: {', '.join(found)}"
    )


async def who_signed_in(credential: "AsyncTokenCredential") -> TokenClaims:
    """Return whose sign-in a credential stands for, as far as its access token says it."""
    token = await credential.get_token(_SCOPE)
    try:
        return read_claims(token.token)
    except ValueError:
        return TokenClaims(tenant_id="")


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # a container's user without a name
        return "unknown"
