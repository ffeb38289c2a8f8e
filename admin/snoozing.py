"""`snooze`, `unsnooze` and `snoozes`: silence one alert for a while, and know of it."""

import argparse
from datetime import datetime

from admin import storage
from admin.command import Answer, CommandError, Commands, Environment
from admin.history import add_token
from admin.reason import add_reason, read_reason
from admin.storage import CONTRIBUTOR, READER
from admin.table import columns, day, printable
from admin.tokens import LONGEST_SNOOZE_DAYS, describe, end_of_snooze, find_alert, find_token
from apple_tokens.model import TokenKind
from apple_tokens.settings import time_zone
from apple_tokens.snooze import is_snoozed


def add_to(commands: Commands) -> None:
    """Add the commands."""
    parser = commands.add(
        "snooze",
        snooze,
        "silence one alert until a date",
        "It is told again on that day, and before when its severity rises. The push certificate "
        "cannot be snoozed.",
    )
    storage.add_arguments(parser)
    add_token(parser)
    _add_problem(parser)
    parser.add_argument(
        "--until",
        required=True,
        metavar="DATE",
        help="the day in TIME_ZONE on which it is told again, such as 2027-01-31; at most "
        f"{LONGEST_SNOOZE_DAYS} days ahead",
    )
    add_reason(parser, "for the weekly digest, and for whoever comes after you")
    parser = commands.add("unsnooze", unsnooze, "end a snooze")
    storage.add_arguments(parser)
    add_token(parser)
    _add_problem(parser)
    storage.add_arguments(commands.add("snoozes", snoozes, "list the snoozes that apply"))


def _add_problem(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--problem",
        default="",
        metavar="PROBLEM",
        help="which alert, such as ade_token_expired, where the token has several",
    )


async def snooze(options: argparse.Namespace, environment: Environment, now: datetime) -> Answer:
    """Silence one alert until a date."""
    until = end_of_snooze(options.until, now, time_zone(environment))
    reason = read_reason(options)
    async with storage.open_desk(options, environment, role=CONTRIBUTOR) as desk:
        row = find_token(await desk.tables.token_rows(), options.token)
        if row.token.kind is TokenKind.PUSH:
            raise CommandError("the push certificate cannot be snoozed: every device hangs on it")
        alerts = await desk.tables.alert_rows([row.token.kind])
        alert = find_alert(alerts, row, options.problem)
        await desk.orders.snooze(alert, until, desk.by_operator(now, reason))
    return Answer(
        f"{describe(row)}: {alert.problem} is not told before {until:%Y-%m-%d %H:%M %Z}, unless "
        "its severity rises. The weekly digest lists it as snoozed."
    )


async def unsnooze(options: argparse.Namespace, environment: Environment, _now: datetime) -> Answer:
    """End a snooze."""
    async with storage.open_desk(options, environment, role=CONTRIBUTOR) as desk:
        row = find_token(await desk.tables.token_rows(), options.token)
        alerts = await desk.tables.alert_rows([row.token.kind])
        snoozed = (alert for alert in alerts if alert.snoozed_until)
        alert = find_alert(snoozed, row, options.problem, "snoozed alert")
        await desk.orders.unsnooze(alert)
    return Answer(f"{describe(row)}: {alert.problem} is told again by the next check.")


async def snoozes(options: argparse.Namespace, environment: Environment, now: datetime) -> Answer:
    """List the snoozes that apply."""
    zone = time_zone(environment)
    async with storage.open_desk(options, environment, role=READER) as desk:
        alerts = [alert for alert in await desk.tables.alert_rows() if is_snoozed(alert, now)]
        names = {row.key: describe(row) for row in await desk.tables.token_rows()}
    if not names:
        # A mistyped tenant has none either, and must not look like one without snoozes.
        return Answer(f"The tables hold no token of the tenant {printable(desk.tenant_id)}.")
    if not alerts:
        return Answer("Nothing is snoozed.")
    lines = [("Until", "Token", "Problem", "By", "Since", "Reason")]
    lines += [
        (
            day(alert.snoozed_until, zone),
            names.get(f"{alert.kind}.{alert.token_id}", alert.token_id),
            alert.problem,
            alert.snoozed_by,
            day(alert.snoozed_at, zone),
            alert.snooze_reason,
        )
        for alert in sorted(alerts, key=lambda alert: alert.snoozed_until or now)
    ]
    return Answer(columns(lines))
