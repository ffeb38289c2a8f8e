"""The connection to the storage account, as `AzureWebJobsStorage` describes it."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.data.tables.aio import TableServiceClient
from msgspec import Struct

from apple_tokens.identity import managed_identity
from apple_tokens.settings import CONNECTION, SettingsError, text

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.identity.aio import ManagedIdentityCredential

# At INFO the SDK logs ten lines a request, and a check makes a hundred: whoever looks for an event
# in the log would look for long, and a tick with nothing to do would not be silent.
for _name in ("azure.core", "azure.identity"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Patience(Struct, frozen=True, kw_only=True):
    """How long one request to the tables may take, repeated ones included.

    The SDK's own five minutes a try, with three more of them, would outlast the function, which the
    host then ends without a word. The service itself answers within 30 s, if only with an error:
    https://learn.microsoft.com/rest/api/storageservices/setting-timeouts-for-table-service-operations
    """

    connect_s: float = 5.0
    answer_s: float = 35.0
    """For each part of an answer."""
    retries: int = 3
    pause_s: float = 0.8
    """Before the second repeat; twice as long before each further one."""

    @property
    def longest_s(self) -> float:
        """When a request that is never answered has failed for the last time."""
        pauses_s = sum(self.pause_s * float(2**repeat) for repeat in range(1, self.retries))
        return (1 + self.retries) * (self.connect_s + self.answer_s) + pauses_s

    @property
    def options(self) -> dict[str, Any]:
        """The same in the words of the SDK."""
        return {
            "connection_timeout": self.connect_s,
            "read_timeout": self.answer_s,
            "retry_total": self.retries,
            "retry_backoff_factor": self.pause_s,
        }


PATIENCE = Patience()


@asynccontextmanager
async def table_service(
    settings: Mapping[str, str],
    credential: "AsyncTokenCredential | None" = None,
    *,
    patience: Patience = PATIENCE,
) -> AsyncIterator[TableServiceClient]:
    """Open the tables, from a connection string or from the identity form.

    The identity form is `AzureWebJobsStorage__tableServiceUri`, or `…__accountName`, with
    `…__clientId` for a user-assigned identity. `credential` takes the place of the managed
    identity, for an operator at a desk, and stays open. Raise SettingsError when neither form is
    there or whole; a connection string is a secret and is not quoted.
    """
    connection_string = text(settings, CONNECTION)
    if connection_string and credential is None:
        async with _from_connection_string(connection_string, patience) as service:
            yield service
        return
    endpoint = table_endpoint(settings)
    async with AsyncExitStack() as stack:
        if credential is None:
            # The client does not close its credential: each tick would leave a session behind.
            credential = await stack.enter_async_context(_managed_identity(settings))
        service = TableServiceClient(endpoint, credential=credential, **patience.options)
        yield await stack.enter_async_context(service)


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


def _from_connection_string(connection_string: str, patience: Patience) -> TableServiceClient:
    try:
        return TableServiceClient.from_connection_string(connection_string, **patience.options)
    except ValueError:
        # The library's own error can quote the string, with its key.
        problem = "is no storage connection string: copy it whole, from AccountName on"
    raise SettingsError(CONNECTION, problem)


def _managed_identity(settings: Mapping[str, str]) -> "ManagedIdentityCredential":
    client_id = text(settings, f"{CONNECTION}__clientId") or text(settings, "AZURE_CLIENT_ID")
    return managed_identity(client_id or None)
