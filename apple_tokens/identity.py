"""Signs in as the app's managed identity."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.identity.aio import ManagedIdentityCredential


def managed_identity(client_id: str | None) -> "ManagedIdentityCredential":
    """Return the credential of the app's identity: user-assigned, or the system's if None."""
    # Loaded by the first sign-in: azure-identity brings MSAL and cryptography, and the app would
    # take half as long again to start.
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415

    return ManagedIdentityCredential(client_id=client_id)
