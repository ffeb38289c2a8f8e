"""The app's queue, as an operator at a desk reaches it."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from azure.core.exceptions import AzureError

from admin.account import account_of, explain, service_address
from admin.azure_cli import azure_cli
from admin.command import CommandError, Environment
from admin.storage import who_signed_in
from apple_tokens.messages import QUEUE
from apple_tokens.settings import CONNECTION, text

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.queue import TextBase64EncodePolicy
    from azure.storage.queue.aio import QueueClient

SENDER = "Storage Queue Data Message Sender"
PACKAGE = "azure-storage-queue"
_NO_RETRY = 0
"""By itself the package would wait for a minute and a half before it says what is wrong."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """The open queue, and the tenant in which the operator signed in."""

    client: "QueueClient"
    home_tenant_id: str
    """Empty for a connection string, which is nobody's sign-in."""

    async def send(self, body: str) -> None:
        """Put a message in."""
        await self.client.send_message(body)


@asynccontextmanager
async def open_queue(options: argparse.Namespace, environment: Environment) -> AsyncIterator[Queue]:
    """Open the queue of the account that the options name. Raise CommandError."""
    where = account_of(options, environment)
    try:
        async with AsyncExitStack() as stack:
            home_tenant_id = ""
            if options.storage:
                address = service_address(options.storage, "queue", environment)
                credential = await stack.enter_async_context(azure_cli())
                home_tenant_id = (await who_signed_in(credential)).tenant_id
                client = _from_address(address, credential)
            else:
                client = _from_connection_string(text(environment, CONNECTION))
            await stack.enter_async_context(client)
            yield Queue(client=client, home_tenant_id=home_tenant_id)
    except AzureError as error:
        raise explain(error, role=SENDER, where=where, holds=f"queue {QUEUE}") from error


def _from_address(address: str, credential: "AsyncTokenCredential") -> "QueueClient":
    client, encoding = _library()
    return client(
        address,
        QUEUE,
        credential=credential,
        message_encode_policy=encoding,
        retry_total=_NO_RETRY,
    )


def _from_connection_string(connection_string: str) -> "QueueClient":
    client, encoding = _library()
    try:
        return client.from_connection_string(
            connection_string, QUEUE, message_encode_policy=encoding, retry_total=_NO_RETRY
        )
    except ValueError:
        pass
    # Raised out here: the library's own error can quote the string, with its key.
    raise CommandError(
        f"{CONNECTION} is no whole connection string: copy it again, or name the account with "
        "--storage ACCOUNT"
    )


def _library() -> "tuple[type[QueueClient], TextBase64EncodePolicy]":
    """Return the client and the encoding that the Functions host expects.

    The app itself gets and sends messages through bindings, so the package is no dependency of it.
    """
    try:
        from azure.storage.queue import TextBase64EncodePolicy  # noqa: PLC0415
        from azure.storage.queue.aio import QueueClient  # noqa: PLC0415
    except ImportError:
        raise CommandError(
            f"the package {PACKAGE} is missing here: run `pip install {PACKAGE}`, or post from "
            "here with --direct"
        ) from None
    return QueueClient, TextBase64EncodePolicy()
