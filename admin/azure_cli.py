"""The operator's own `az login`."""

import shutil

from azure.identity.aio import AzureCliCredential

from admin.command import CommandError

APP_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The app as which Azure CLI signs people in."""
_ANSWERS_WITHIN_S = 60
"""It starts a Python of its own, which takes more than ten seconds on some machines."""


def azure_cli(tenant_id: str = "") -> AzureCliCredential:
    """Return the credential of whoever ran `az login`, in another tenant than usual if given."""
    try:
        return AzureCliCredential(tenant_id=tenant_id, process_timeout=_ANSWERS_WITHIN_S)
    except ValueError:
        raise impossible_tenant(tenant_id) from None


def impossible_tenant(tenant_id: str) -> CommandError:
    """Return the error for what azure-identity refuses as a tenant."""
    return CommandError(f"--tenant is {tenant_id!r}: use the id or a domain of the tenant")


def how_to_sign_in(tenant_id: str = "") -> str:
    """Say what is missing on this machine when there is no sign-in of Azure CLI."""
    if shutil.which("az") is None:
        return (
            "Azure CLI is not installed, or not on the PATH: install it "
            "(https://learn.microsoft.com/cli/azure/install-azure-cli), then run `az login`"
        )
    return f"run `az login{f' --tenant {tenant_id}' if tenant_id else ''}` and try again"
