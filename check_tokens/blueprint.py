"""The timer trigger: every half hour, mostly to find that nothing is due."""

import os

# A list in the type of an output binding must be typing's: the builtin one breaks the indexing of
# the whole app.
import typing
from collections.abc import Mapping
from datetime import UTC, datetime

import azure.functions as func

from apple_tokens import messages
from apple_tokens.messages import QUEUE
from apple_tokens.model import SourceResult, TokenKind
from apple_tokens.settings import CONNECTION
from check_tokens.settings import Settings
from check_tokens.waits import Waits

SOURCE_DEADLINE_S = 240.0
"""For all sources, which are read side by side. The function has ten minutes (host.json)."""

_WAITS = Waits()

blueprint = func.Blueprint()


@blueprint.function_name("check_tokens")
@blueprint.timer_trigger(
    arg_name="timer", schedule="%CHECK_SCHEDULE%", run_on_startup=False, use_monitor=True
)
@blueprint.queue_output(arg_name="tickets", queue_name=QUEUE, connection=CONNECTION)
async def check_tokens(
    timer: func.TimerRequest,  # noqa: ARG001 -- what is due is worked out from rows, not from it
    tickets: func.Out[typing.List[str]],  # noqa: UP006 -- see above
) -> None:
    """Check what is due and hand over the messages, which the host sends once this returns."""
    bodies = await check(datetime.now(UTC), os.environ)
    if bodies:
        tickets.set(bodies)


async def check(
    now: datetime, environment: Mapping[str, str], *, waits: Waits = _WAITS
) -> list[str]:
    """Run one tick of the home tenant and return the bodies of the messages to queue.

    Raise SettingsError, and azure.core exceptions when the tables fail; never for a source.
    """
    # Loaded by the first tick: the app starts in half the time.
    from apple_tokens.storage import table_service  # noqa: PLC0415
    from apple_tokens.tables import TokenTables  # noqa: PLC0415
    from check_tokens.check import tick  # noqa: PLC0415

    settings = Settings.from_env(environment)

    async def read(kinds: tuple[TokenKind, ...]) -> dict[TokenKind, SourceResult]:
        # Loaded by the first check: most ticks find nothing due.
        from check_tokens.reading import read_home_tenant  # noqa: PLC0415

        return await read_home_tenant(settings, kinds, SOURCE_DEADLINE_S, waits)

    async with table_service(environment) as service:
        tables = TokenTables(service, settings.tenant.id)
        tickets = await tick(settings.tenant, read, tables, settings.policy, now)
    return [messages.encode(ticket) for ticket in tickets]
