"""`check-now`, `snooze`, `unsnooze`, `snoozes` and `accept-topic`: what an operator may order."""

import argparse
from collections.abc import Mapping
from datetime import datetime

from admin.storage import CONTRIBUTOR, READER, CommandError, Desk, open_desk
from admin.table import columns, day, printable
from admin.tokens import end_of_snooze, find_alert, find_token
from apple_tokens.model import Problem, TokenKind
from apple_tokens.operator_tables import Operator, OperatorTables
from apple_tokens.settings import time_zone
from apple_tokens.snooze import is_snoozed
from apple_tokens.tables import TokenTables

Environment = Mapping[str, str]


async def check_now(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> tuple[int, str]:
    """Ask for all sources to be read once more."""
    async with open_desk(options, environment, role=CONTRIBUTOR) as desk:
        await OperatorTables(desk.service, desk.tenant_id).request_check(_operator(desk, now, ""))
    return 0, "All sources will be read once more by the next tick, within half an hour."


async def snooze(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> tuple[int, str]:
    """Silence one alert until a date."""
    zone = time_zone(environment)
    until = end_of_snooze(options.until, now, zone)
    if not options.reason.strip():
        raise CommandError("--reason is empty: say why, for whoever reads the digest")
    async with open_desk(options, environment, role=CONTRIBUTOR) as desk:
        tables = TokenTables(desk.service, desk.tenant_id)
        row = find_token(await tables.token_rows(), options.token)
        if row.token.kind is TokenKind.PUSH:
            raise CommandError("the push certificate cannot be snoozed: every device hangs on it")
        alert = find_alert(await tables.alert_rows([row.token.kind]), row, options.problem)
        await _order(desk).snooze(alert, until, _operator(desk, now, options.reason))
    return 0, (
        f"{printable(row.token.name)}: {alert.problem} is not told before {day(until)}, unless its "
        "severity rises. The weekly digest lists it as snoozed."
    )


async def unsnooze(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> tuple[int, str]:
    """End a snooze."""
    async with open_desk(options, environment, role=CONTRIBUTOR) as desk:
        tables = TokenTables(desk.service, desk.tenant_id)
        row = find_token(await tables.token_rows(), options.token)
        alerts = [a for a in await tables.alert_rows([row.token.kind]) if a.snoozed_until]
        alert = find_alert(alerts, row, options.problem)
        await _order(desk).snooze(alert, None, _operator(desk, now, ""))
    return 0, f"{printable(row.token.name)}: {alert.problem} is told again by the next check."


async def snoozes(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> tuple[int, str]:
    """List the snoozes that apply."""
    async with open_desk(options, environment, role=READER) as desk:
        tables = TokenTables(desk.service, desk.tenant_id)
        alerts = [alert for alert in await tables.alert_rows() if is_snoozed(alert, now)]
        names = {row.key: row.token.name for row in await tables.token_rows()}
    if not alerts:
        return 0, "Nothing is snoozed."
    lines = [("Until", "Token", "Problem", "By", "Reason")]
    lines += [
        (
            day(alert.snoozed_until),
            printable(names.get(f"{alert.kind}.{alert.token_id}", alert.token_id)),
            alert.problem,
            printable(alert.snoozed_by),
            printable(alert.snooze_reason),
        )
        for alert in sorted(alerts, key=lambda alert: alert.snoozed_until or now)
    ]
    return 0, columns(lines)


async def accept_topic(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> tuple[int, str]:
    """Accept the push certificate's new topic as the right one."""
    if not options.reason.strip():
        raise CommandError("--reason is empty: say why the topic changed, for the channel")
    async with open_desk(options, environment, role=CONTRIBUTOR) as desk:
        rows = await TokenTables(desk.service, desk.tenant_id).token_rows([TokenKind.PUSH])
        row = next(iter(rows), None)
        if (
            row is None
            or row.problem is None
            or Problem.PUSH_CERTIFICATE_REPLACED not in row.problems
        ):
            raise CommandError(
                "the push certificate has the topic that is known: nothing to accept"
            )
        topic = row.token.topic
        await _order(desk).accept_topic(topic, _operator(desk, now, options.reason))
    return 0, (
        f"The topic {printable(topic)} is accepted by the next check. Devices that enrolled under "
        f"{printable(row.known_topic)} do not hear Intune until they are enrolled again."
    )


def _order(desk: Desk) -> OperatorTables:
    return OperatorTables(desk.service, desk.tenant_id)


def _operator(desk: Desk, now: datetime, reason: str) -> Operator:
    return Operator(name=desk.operator, at=now, reason=reason.strip())
