"""`history`: what changed on one token, check by check."""

import argparse
from datetime import datetime

from admin import storage
from admin.command import Answer, CommandError, Commands, Environment
from admin.storage import READER, Desk
from admin.table import KIND_NAMES, printable
from admin.tokens import UnknownTokenError, describe, find_token
from apple_tokens.partition import Partition
from apple_tokens.rows import HistoryRow
from apple_tokens.settings import time_zone
from apple_tokens.tables import HISTORY


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "history",
        run,
        "print what changed on one token, the newest first",
        "Also of a token that is gone. Times are those of TIME_ZONE.",
    )
    storage.add_arguments(parser)
    add_token(parser)


def add_token(parser: argparse.ArgumentParser) -> None:
    """Describe the argument that names a token."""
    parser.add_argument(
        "token", metavar="TOKEN", help="name or id of the token; the push certificate's id is apns"
    )


async def run(options: argparse.Namespace, environment: Environment, _now: datetime) -> Answer:
    """Print the changes of one token."""
    zone = time_zone(environment)
    async with storage.open_desk(options, environment, role=READER) as desk:
        try:
            row = find_token(await desk.tables.token_rows(), options.token)
        except UnknownTokenError as unknown:
            title, changes = await _of_a_token_that_is_gone(desk, options.token, unknown)
        else:
            title = f"{describe(row)} ({row.token.id})"
            changes = await desk.tables.history(row.token.kind, row.token.id)
    lines = [title] if changes else [title, "  no change since it was first seen"]
    for change in changes:
        lines.append(f"{change.checked_at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
        lines += _described(change)
    return Answer("\n".join(lines))


async def _of_a_token_that_is_gone(
    desk: Desk, wanted: str, unknown: UnknownTokenError
) -> tuple[str, list[HistoryRow]]:
    """Look into the history itself: the status row goes with the token, its history stays."""
    if not wanted:  # the push certificate has no name
        raise unknown
    quoted = wanted.replace("'", "''")
    found = await Partition(desk.service, desk.tenant_id).query(
        HISTORY, HistoryRow, f"(Name eq '{quoted}' or TokenId eq '{quoted}')"
    )
    tokens = {(row.kind, row.token_id): row for row, _ in found}
    if not tokens:
        raise unknown
    if len(tokens) > 1:
        listed = ", ".join(f"{token_id} ({KIND_NAMES[kind]})" for kind, token_id in sorted(tokens))
        raise CommandError(
            f"{len(tokens)} tokens that are gone were called “{printable(wanted)}”, name one by "
            f"its id: {listed}"
        )
    ((kind, token_id),) = tokens
    changes = await desk.tables.history(kind, token_id)
    return f"{KIND_NAMES[kind]} {printable(changes[0].name)} ({token_id}), which is gone", changes


def _described(change: HistoryRow) -> list[str]:
    if not change.after:
        return [f"  {change.changed}"]
    return [
        f"  {name}: {_value(change.before.get(name, ''))} → {_value(after)}"
        for name, after in change.after.items()
    ]


def _value(cell: str) -> str:
    return printable(cell) or "none"
