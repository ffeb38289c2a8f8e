"""The tables, as an operator at a desk reaches them."""

import argparse
import getpass
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import AzureCliCredential

from apple_tokens.codec import decode_key
from apple_tokens.settings import text
from apple_tokens.storage import CONNECTION, table_service
from apple_tokens.tables import STATUS
from check_tokens.signin import read_claims

READER, CONTRIBUTOR = "Storage Table Data Reader", "Storage Table Data Contributor"
_STORAGE_SCOPE = "https://storage.azure.com/.default"


class CommandError(Exception):
    """A command that could not be carried out; the text says what to do."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """An open storage account, the tenant in it, and who is asking."""

    service: TableServiceClient
    tenant_id: str
    operator: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the options that every command on the tables has."""
    parser.add_argument(
        "--storage",
        default="",
        metavar="ACCOUNT",
        help="name or https address of the storage account, opened with your own `az login` "
        f"(default: the connection in {CONNECTION})",
    )
    parser.add_argument(
        "--tenant", default="", help="id of the tenant, where the tables hold more than one"
    )


@asynccontextmanager
async def open_desk(
    options: argparse.Namespace, environment: Mapping[str, str], *, role: str
) -> AsyncIterator[Desk]:
    """Open the tables that the options name. Raise CommandError, naming what is missing.

    `role` is what the command needs on the storage account.
    """
    try:
        if not options.storage:
            async with table_service(environment) as service:
                tenant_id = await _tenant_id(service, options, environment)
                yield Desk(service=service, tenant_id=tenant_id, operator=getpass.getuser())
            return
        connection = {f"{CONNECTION}__tableServiceUri": _endpoint(options.storage)}
        async with (
            AzureCliCredential() as credential,
            table_service(connection, credential) as service,
        ):
            token = await credential.get_token(_STORAGE_SCOPE)
            operator = read_claims(token.token).user or getpass.getuser()
            tenant_id = await _tenant_id(service, options, environment)
            yield Desk(service=service, tenant_id=tenant_id, operator=operator)
    except AzureError as error:
        raise _explain(error, role, options.storage) from error


def _endpoint(storage: str) -> str:
    if "://" not in storage:
        return f"https://{storage}.table.core.windows.net"
    parts = urlsplit(storage)
    return f"{parts.scheme}://{parts.netloc}"


async def _tenant_id(
    service: TableServiceClient, options: argparse.Namespace, environment: Mapping[str, str]
) -> str:
    wanted: str = options.tenant or text(environment, "TENANT_ID")
    if wanted:
        return wanted
    query = service.get_table_client(STATUS).query_entities(
        "RowKey eq 'run.check'", select=["PartitionKey"]
    )
    found = [decode_key(entity["PartitionKey"]) async for entity in query]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError("the tables hold no check yet: wait for the first, or see the logs")
    raise CommandError(f"the tables hold {len(found)} tenants, name one with --tenant: {found}")


def _explain(error: AzureError, role: str, storage: str) -> CommandError:
    where = storage or f"the storage account of {CONNECTION}"
    if isinstance(error, HttpResponseError) and error.status_code == HTTPStatus.FORBIDDEN:
        return CommandError(
            f"{where} refuses you: your account needs the role “{role}” on it, and a new role can "
            "take some minutes to be seen"
        )
    if isinstance(error, ClientAuthenticationError):
        return CommandError(f"signing in to {where} failed: run `az login` and try again")
    if isinstance(error, HttpResponseError) and error.status_code == HTTPStatus.NOT_FOUND:
        return CommandError(f"{where} has no table {STATUS}: is it the right account?")
    return CommandError(f"{where} cannot be reached ({type(error).__name__}): is its name right?")
