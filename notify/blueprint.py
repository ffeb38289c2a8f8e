"""The queue trigger: one ticket at a time, from the rows to the Teams channel."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

import azure.functions as func

from apple_tokens.messages import QUEUE
from apple_tokens.settings import CONNECTION

blueprint = func.Blueprint()


@blueprint.function_name("notify")
@blueprint.queue_trigger(arg_name="ticket", queue_name=QUEUE, connection=CONNECTION)
async def notify(ticket: func.QueueMessage) -> None:
    """Tell what a ticket points to. Raise when it was not told, and the host tries again."""
    await tell(datetime.now(UTC), os.environ, ticket.get_body(), ticket.dequeue_count or 1)


async def tell(
    now: datetime, environment: Mapping[str, str], body: str | bytes, dequeue_count: int
) -> None:
    """Deliver one queue message of the home tenant.

    Raise SettingsError, MalformedMessageError, DeliveryError, and azure.core exceptions when the
    tables fail.
    """
    # Loaded by the first message: most starts are for a tick of the timer, which posts nothing.
    from apple_tokens.storage import table_service  # noqa: PLC0415
    from apple_tokens.tables import TokenTables  # noqa: PLC0415
    from notify.delivery import deliver  # noqa: PLC0415
    from notify.settings import Settings  # noqa: PLC0415

    async with table_service(environment) as service:
        await deliver(
            body,
            dequeue_count,
            settings=lambda: Settings.from_env(environment),
            tables=lambda tenant_id: TokenTables(service, tenant_id),
            now=now,
        )
