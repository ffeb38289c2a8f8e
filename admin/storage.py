"""The storage account of the app, as an operator at a desk reaches it."""

import argparse
import getpass
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from azure.core.exceptions import AzureError
from azure.data.tables.aio import TableServiceClient

from admin.account import account_of, explain, service_address
from admin.azure_cli import azure_cli
from admin.command import CommandError, Environment
from apple_tokens.codec import decode_key
from apple_tokens.operator_tables import Operator, OperatorTables
from apple_tokens.rows import RunRow
from apple_tokens.settings import CONNECTION, text
from apple_tokens.storage import table_service
from apple_tokens.tables import STATUS, TokenTables
from check_tokens.signin import TokenClaims, read_claims

if TYPE_CHECKING:
    from datetime import datetime

    from azure.core.credentials_async import AsyncTokenCredential

READER, CONTRIBUTOR = "Storage Table Data Reader", "Storage Table Data Contributor"
_SCOPE = "https://storage.azure.com/.default"


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
