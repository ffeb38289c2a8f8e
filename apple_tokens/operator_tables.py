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

_MAX_REASON = 500
_TRIES = 10


class GoneError(LookupError):
    """The row that an order is about is not there any more, or does not hold still."""


class Operator(Struct, frozen=True, kw_only=True):
    """Who gives an order, when, and why."""

    name: str
    at: datetime
    reason: str = ""


class OperatorTables:
    """The operator's columns of one tenant. Errors of the storage are azure.core exceptions."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        self._partition = Partition(service, tenant_id)

    async def request_check(self, operator: Operator) -> None:
        """Ask for all sources to be read once more, by the next tick."""
        row = RunRow(check_requested_at=operator.at, check_requested_by=operator.name)
        columns = encode(row, RunRow.OPERATOR_COLUMNS)
        await self._partition.merge(STATUS, {row.key: columns})

    async def snooze(self, alert: AlertRow, until: datetime | None, operator: Operator) -> None:
        """Silence one alert until a time, or end its snooze with None."""
        is_over = until is None
        row = msgspec.structs.replace(
            alert,
            snoozed_until=until,
            snooze_reason="" if is_over else operator.reason[:_MAX_REASON],
            snoozed_by="" if is_over else operator.name,
            snoozed_at=None if is_over else operator.at,
        )
        await self._change(ALERTS, row, row.key, AlertRow.OPERATOR_COLUMNS)

    async def accept_topic(self, topic: str, operator: Operator) -> None:
        """Accept the topic that the push certificate has now as the right one."""
        token = AppleToken(kind=TokenKind.PUSH, id=PUSH_CERTIFICATE_ID)
        row = TokenRow(
            token=token,
            accepted_topic=topic,
            accepted_reason=operator.reason[:_MAX_REASON],
            accepted_by=operator.name,
            accepted_at=operator.at,
        )
        await self._change(STATUS, row, row.key, TokenRow.OPERATOR_COLUMNS)

    async def _change(self, table: str, row: Struct, key: str, columns: frozenset[str]) -> None:
        """Merge columns into a row that is there; a merge alone would make one that is not."""
        for _ in range(_TRIES):
            found = await self._partition.get(table, type(row), encode_key(key))
            if found is None:
                raise GoneError(f"{key} is no longer in {table}")
            if await self._partition.update(table, [(found[1], encode(row, columns))]):
                return
        raise GoneError(f"{key} in {table} changed again and again: try once more")
