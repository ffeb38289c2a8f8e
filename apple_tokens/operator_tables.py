"""What an operator may write: a request to check now, a snooze, an accepted topic. Nothing else.

The check decides whether what stands here still applies.
"""

from datetime import datetime

import msgspec
from azure.data.tables.aio import TableServiceClient
from msgspec import Struct

from apple_tokens.codec import encode, encode_key
from apple_tokens.model import PUSH_CERTIFICATE_ID, AppleToken, TokenKind
from apple_tokens.partition import Partition
from apple_tokens.rows import AlertRow, RunRow, TokenRow
from apple_tokens.tables import ALERTS, STATUS

_TRIES = 10


class GoneError(LookupError):
    """The row that an order is about is not there, or does not hold still."""


class Operator(Struct, frozen=True, kw_only=True):
    """Who gives an order, when, and why."""

    name: str
    at: datetime
    reason: str = ""


class OperatorTables:
    """The operator's columns of one tenant. Errors of the storage are azure.core exceptions.

    An order changes a row that is there and never makes one: a mistyped tenant or the wrong
    account would otherwise get rows that look like a tenant's. Raise GoneError then.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        self._partition = Partition(service, tenant_id)

    async def request_check(self, operator: Operator) -> None:
        """Ask for all sources to be read once more, by the next tick."""
        row = RunRow(check_requested_at=operator.at, check_requested_by=operator.name)
        await self._change(STATUS, row, row.key, RunRow.OPERATOR_COLUMNS)

    async def snooze(self, alert: AlertRow, until: datetime, operator: Operator) -> None:
        """Silence one alert until a time, at the severity that it was read with.

        A snooze from before the severity last rose does not apply. So it never counts as older
        than `alert`, which the clock of a desk could make it; what gets worse after `alert` was
        read ends it.
        """
        row = msgspec.structs.replace(
            alert,
            snoozed_until=until,
            snooze_reason=operator.reason,
            snoozed_by=operator.name,
            snoozed_at=max(operator.at, alert.severity_since or operator.at),
        )
        await self._change(ALERTS, row, row.key, AlertRow.OPERATOR_COLUMNS)

    async def unsnooze(self, alert: AlertRow) -> None:
        """End a snooze."""
        row = msgspec.structs.replace(
            alert, snoozed_until=None, snooze_reason="", snoozed_by="", snoozed_at=None
        )
        await self._change(ALERTS, row, row.key, AlertRow.OPERATOR_COLUMNS)

    async def accept_topic(self, topic: str, operator: Operator) -> None:
        """Accept a topic of the push certificate as the right one."""
        row = TokenRow(
            token=AppleToken(kind=TokenKind.PUSH, id=PUSH_CERTIFICATE_ID),
            accepted_topic=topic,
            accepted_reason=operator.reason,
            accepted_by=operator.name,
            accepted_at=operator.at,
        )
        await self._change(STATUS, row, row.key, TokenRow.OPERATOR_COLUMNS)

    async def _change(self, table: str, row: Struct, key: str, columns: frozenset[str]) -> None:
        for _ in range(_TRIES):
            found = await self._partition.get(table, type(row), encode_key(key))
            if found is None:
                raise GoneError(f"{table} has no row {key} in this tenant")
            if await self._partition.update(table, [(found[1], encode(row, columns))]):
                return
        raise GoneError(f"{key} in {table} changed again and again: try once more")
