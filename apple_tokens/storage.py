"""The connection to the storage account, as `AzureWebJobsStorage` describes it."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.data.tables.aio import TableServiceClient

from apple_tokens.settings import SettingsError, text

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.identity.aio import ManagedIdentityCredential

CONNECTION = "AzureWebJobsStorage"

# At INFO the SDK logs ten lines a request, and a check makes a hundred: whoever looks for an event
# in the log would look for long, and a tick with nothing to do would not be silent.
for _name in ("azure.core", "azure.identity"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@asynccontextmanager
async def table_service(
    settings: Mapping[str, str], credential: "AsyncTokenCredential | None" = None
) -> AsyncIterator[TableServiceClient]:
    """Open the tables, from a connection string or from the identity form.

    The identity form is `AzureWebJobsStorage__tableServiceUri`, or `…__accountName`, with
    `…__clientId` for a user-assigned identity. `credential` takes the place of the managed
    identity, for an operator at a desk, and stays open. Raise SettingsError when neither form is
    there or whole; a connection string is a secret and is not quoted.
    """
    connection_string = text(settings, CONNECTION)
    if connection_string and credential is None:
        async with _from_connection_string(connection_string) as service:
            yield service
        return
    endpoint = table_endpoint(settings)
    async with AsyncExitStack() as stack:
        if credential is None:
            # The client does not close its credential: each tick would leave a session behind.
            credential = await stack.enter_async_context(_managed_identity(settings))
        yield await stack.enter_async_context(TableServiceClient(endpoint, credential=credential))


def table_endpoint(settings: Mapping[str, str]) -> str:
    """Return the address of the tables from the identity form of the connection."""
    setting = f"{CONNECTION}__tableServiceUri"
    uri = text(settings, setting)
    account = text(settings, f"{CONNECTION}__accountName")
    if not uri and not account:
        problem = (
            f"is not set: set it to a connection string, or {setting} to "
            "https://<account>.table.core.windows.net"
        )
        raise SettingsError(CONNECTION, problem)
    endpoint = uri or f"https://{account}.table.core.windows.net"
    try:
        address = urlsplit(endpoint)
    except ValueError:
        address = urlsplit("")
    if address.scheme != "https" or not address.hostname:
        # The SDK refuses anything else, since the identity's token is sent there.
        problem = "must be an https address such as https://<account>.table.core.windows.net"
        raise SettingsError(setting, problem)
    return endpoint


def _from_connection_string(connection_string: str) -> TableServiceClient:
    try:
        return TableServiceClient.from_connection_string(connection_string)
    except ValueError:
        # The library's own error can quote the string, with its key.
        problem = "is no storage connection string: copy it whole, from AccountName on"
    raise SettingsError(CONNECTION, problem)


def _managed_identity(settings: Mapping[str, str]) -> "ManagedIdentityCredential":
    # Imported here because a connection string needs none of it, and it is slow to load.
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415

    client_id = text(settings, f"{CONNECTION}__clientId") or text(settings, "AZURE_CLIENT_ID")
    return ManagedIdentityCredential(client_id=client_id or None)
