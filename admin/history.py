"""`history`: what changed on one token, check by check."""

import argparse
from collections.abc import Mapping
from datetime import datetime

from admin.storage import READER, open_desk
from admin.table import KIND_NAMES, printable
from admin.tokens import find_token
from apple_tokens.rows import HistoryRow
from apple_tokens.settings import time_zone
from apple_tokens.tables import TokenTables


async def run(
    options: argparse.Namespace, environment: Mapping[str, str], _now: datetime
) -> tuple[int, str]:
    """Print the changes of one token, the newest first."""
    zone = time_zone(environment)
    async with open_desk(options, environment, role=READER) as desk:
        tables = TokenTables(desk.service, desk.tenant_id)
        row = find_token(await tables.token_rows(), options.token)
        changes = await tables.history(row.token.kind, row.token.id)
    lines = [f"{KIND_NAMES[row.token.kind]} {printable(row.token.name)} ({row.token.id})"]
    if not changes:
        lines.append("  no change since it was first seen")
    for change in changes:
        lines.append(f"{change.checked_at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
        lines += _described(change)
    return 0, "\n".join(lines)


def _described(change: HistoryRow) -> list[str]:
    if not change.after:
        return [f"  {change.changed}"]
    return [
        f"  {name}: {_value(change.before.get(name, ''))} → {_value(after)}"
        for name, after in change.after.items()
    ]


def _value(cell: str) -> str:
    return printable(cell) or "none"
