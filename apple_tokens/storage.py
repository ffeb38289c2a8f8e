"""The connection to the storage account, as `AzureWebJobsStorage` describes it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.data.tables.aio import TableServiceClient

from apple_tokens.settings import SettingsError, is_loopback, text

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

CONNECTION = "AzureWebJobsStorage"


def table_service(
    settings: Mapping[str, str], credential: "AsyncTokenCredential | None" = None
) -> TableServiceClient:
    """Return a client of the tables, from a connection string or from the identity form.

    The identity form is `AzureWebJobsStorage__tableServiceUri`, or `…__accountName`, with
    `…__clientId` for a user-assigned identity. `credential` takes the place of the managed
    identity, for an operator at a desk. Raise SettingsError when neither form is there or whole;
    a connection string is a secret and is not quoted.
    """
    connection_string = text(settings, CONNECTION)
    if connection_string and credential is None:
        try:
            return TableServiceClient.from_connection_string(connection_string)
        except ValueError:
            # The library's own error can quote the string, with its key.
            problem = "is no storage connection string: copy it whole, from AccountName on"
            raise SettingsError(CONNECTION, problem) from None
    return TableServiceClient(
        table_endpoint(settings), credential=credential or _managed_identity(settings)
    )


def table_endpoint(settings: Mapping[str, str]) -> str:
    """Return the address of the tables from the identity form of the connection."""
    uri = text(settings, f"{CONNECTION}__tableServiceUri")
    account = text(settings, f"{CONNECTION}__accountName")
    if not uri and not account:
        problem = (
            f"is not set: set it to a connection string, or {CONNECTION}__tableServiceUri to "
            "https://<account>.table.core.windows.net"
        )
        raise SettingsError(CONNECTION, problem)
    endpoint = uri or f"https://{account}.table.core.windows.net"
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        problem = "must be an https address: the identity's token is sent to it"
        raise SettingsError(f"{CONNECTION}__tableServiceUri", problem)
    return endpoint


def _managed_identity(settings: Mapping[str, str]) -> "AsyncTokenCredential":
    # Imported here because a connection string needs none of it, and it is slow to load.
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415

    client_id = text(settings, f"{CONNECTION}__clientId") or text(settings, "AZURE_CLIENT_ID")
    return ManagedIdentityCredential(client_id=client_id or None)
