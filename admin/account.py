"""A storage account as an operator names it: where it is, and what its errors ask for."""

import argparse
import re
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from admin.azure_cli import how_to_sign_in
from admin.command import CommandError, Environment
from apple_tokens.model import Cloud
from apple_tokens.settings import CONNECTION, choice

_SERVICES = frozenset({"blob", "file", "queue", "table", "dfs", "web"})
_SUFFIXES = {
    Cloud.GLOBAL: "core.windows.net",
    Cloud.USGOV: "core.usgovcloudapi.net",
    Cloud.USGOV_DOD: "core.usgovcloudapi.net",
    Cloud.CHINA: "core.chinacloudapi.cn",
}
_NAME = re.compile(r"[a-z0-9]{3,24}")


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
