"""`check-now` and `accept-topic`: what the next tick is to do."""

import argparse
from datetime import datetime

from admin import storage
from admin.command import Answer, CommandError, Commands, Environment
from admin.reason import add_reason, read_reason
from admin.storage import CONTRIBUTOR
from admin.table import printable
from apple_tokens.model import Problem, TokenKind
from apple_tokens.rows import TokenRow


def add_to(commands: Commands) -> None:
    """Add the commands."""
    parser = commands.add(
        "accept-topic",
        accept_topic,
        "accept the topic that the push certificate has now as the right one",
        "The next check confirms it in the channel.",
    )
    storage.add_arguments(parser)
    add_reason(parser, "for the channel")
    storage.add_arguments(
        commands.add("check-now", check_now, "have all sources read once more by the next tick")
    )


async def check_now(options: argparse.Namespace, environment: Environment, now: datetime) -> Answer:
    """Ask for all sources to be read once more."""
    async with storage.open_desk(options, environment, role=CONTRIBUTOR) as desk:
        await desk.orders.request_check(desk.by_operator(now))
    return Answer("All sources will be read once more by the next tick, within half an hour.")


async def accept_topic(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> Answer:
    """Accept the push certificate's new topic as the right one."""
    reason = read_reason(options)
    async with storage.open_desk(options, environment, role=CONTRIBUTOR) as desk:
        rows = await desk.tables.token_rows([TokenKind.PUSH])
        row = next((row for row in rows if _is_replaced(row)), None)
        if row is None:
            raise CommandError("the push certificate has the topic that is known: nothing to do")
        if not row.token.topic:
            raise CommandError(
                "Microsoft Graph names no topic of the push certificate at present: try again "
                "after the next check"
            )
        await desk.orders.accept_topic(row.token.topic, desk.by_operator(now, reason))
    return Answer(
        f"The topic {printable(row.token.topic)} is accepted by the next check. Devices that "
        f"enrolled under {printable(row.known_topic)} do not hear Intune until they are enrolled "
        "again."
    )


def _is_replaced(row: TokenRow) -> bool:
    return Problem.PUSH_CERTIFICATE_REPLACED in row.problems.split(", ")
