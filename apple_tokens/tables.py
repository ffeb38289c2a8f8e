"""The three tables of one tenant: what is read, who writes what, and how an alert is stamped.

Names of tables and the ownership of columns live here and in `rows`; each writer merges its own
columns only, so that none ever puts back another's older value.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

import msgspec
from azure.data.tables.aio import TableServiceClient
from msgspec import Struct

from apple_tokens.codec import columns_of, encode, encode_key
from apple_tokens.model import TokenKind
from apple_tokens.partition import TRANSACTION_ROWS, Partition, Stored
from apple_tokens.rows import AlertRow, HistoryRow, RunRow, RunRows, SourceRow, TokenRow

STATUS = "tokenstatus"
ALERTS = "tokenalerts"
HISTORY = "tokenhistory"
_STAMP_TRIES = 10

_Keyed = AlertRow | TokenRow | HistoryRow

_STATUS_COLUMNS = columns_of(TokenRow) - TokenRow.OPERATOR_COLUMNS
_ALERT_COLUMNS = columns_of(AlertRow) - AlertRow.NOTIFY_COLUMNS - AlertRow.OPERATOR_COLUMNS
_RUN_COLUMNS = columns_of(RunRow) - RunRow.NOTIFY_COLUMNS - RunRow.OPERATOR_COLUMNS
_RUN_KEYS = "RowKey ge 'run.' and RowKey lt 'run/'"


class StampConflictError(RuntimeError):
    """An alert changed again and again while it was to be stamped as told."""


class StoredAlert(Struct, frozen=True, kw_only=True):
    """An alert with the version of its row that was read."""

    row: AlertRow
    stored: Stored


class TokenTables:
    """The rows of one tenant. Errors of the storage reach the caller as azure.core exceptions."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        self._partition = Partition(service, tenant_id)

    async def run_rows(self) -> RunRows:
        """Read what was settled, in one request."""
        run, sources = RunRow(), dict[TokenKind, SourceRow]()
        for entity in await self._partition.entities(STATUS, _RUN_KEYS):
            if entity["RowKey"] == RunRow.key:
                run = self._partition.decode(STATUS, RunRow, entity) or run
            elif source := self._partition.decode(STATUS, SourceRow, entity):
                sources[source.kind] = source
        return RunRows(run=run, sources=sources)

    async def token_rows(self, kinds: Iterable[TokenKind] = TokenKind) -> list[TokenRow]:
        """Read the status rows of some kinds."""
        found = await self._partition.query(STATUS, TokenRow, _of_kinds(kinds))
        return [row for row, _ in found]

    async def alert_rows(self, kinds: Iterable[TokenKind] = TokenKind) -> list[AlertRow]:
        """Read the alerts of some kinds, ended ones included."""
        found = await self._partition.query(ALERTS, AlertRow, _of_kinds(kinds))
        return [_counted(row) for row, _ in found]

    async def untold(self, batch: str) -> list[StoredAlert]:
        """Read the alerts of a batch that are still untold."""
        quoted = batch.replace("'", "''")
        found = await self._partition.query(ALERTS, AlertRow, f"Batch eq '{quoted}'")
        return [StoredAlert(row=row, stored=stored) for row, stored in found if row.is_untold]

    async def write_alerts(self, rows: Iterable[AlertRow]) -> None:
        """Merge the check's columns of alerts."""
        await self._merge(ALERTS, rows, _ALERT_COLUMNS)

    async def write_tokens(self, rows: Iterable[TokenRow]) -> None:
        """Merge the check's columns of status rows."""
        await self._merge(STATUS, rows, _STATUS_COLUMNS)

    async def write_run(self, run: RunRow, sources: Iterable[SourceRow]) -> None:
        """Merge the check's columns of the run rows, in one transaction."""
        entities = {row.key: encode(row, columns_of(SourceRow)) for row in sources}
        entities[run.key] = encode(run, _RUN_COLUMNS)
        await self._partition.merge(STATUS, entities.items())

    async def write_history(self, rows: Iterable[HistoryRow]) -> None:
        """Write what changed. The same check run again writes the same rows."""
        await self._merge(HISTORY, rows, columns_of(HistoryRow))

    async def _merge(self, table: str, rows: Iterable[_Keyed], columns: frozenset[str]) -> None:
        # One at a time: the next rows are made while the storage carries out the last transaction.
        await self._partition.merge(table, ((row.key, encode(row, columns)) for row in rows))

    async def history(self, kind: TokenKind, token_id: str) -> list[HistoryRow]:
        """Read what changed on one token, the newest first."""
        begin = encode_key(f"{kind}.{token_id}.")
        condition = f"RowKey ge '{begin}' and RowKey lt '{begin[:-1]}/'"
        found = await self._partition.query(HISTORY, HistoryRow, condition)
        # An id can go on after a dot, where another one ends.
        return [row for row, _ in found if row.token_id == token_id]

    async def delete_history(self, before: datetime) -> None:
        """Delete the rows of checks before an instant."""
        condition = f"CheckedAt lt '{msgspec.to_builtins(before)}'"
        found = await self._partition.query(HISTORY, HistoryRow, condition)
        await self._partition.delete(HISTORY, [row.key for row, _ in found])

    async def delete_alerts(self, rows: Iterable[AlertRow]) -> None:
        """Delete alerts that are forgotten."""
        await self._partition.delete(ALERTS, [row.key for row in rows])

    async def delete_tokens(self, rows: Iterable[TokenRow]) -> None:
        """Delete the rows of removed tokens."""
        await self._partition.delete(STATUS, [row.key for row in rows])

    async def stamp(
        self, posted: Sequence[StoredAlert], *, told_at: datetime, check_date: date
    ) -> int:
        """Mark alerts as told, whether the card listed them or not. Return how many were.

        `ToldStep` rises to the step that was posted and never goes down. A row that changed in
        between is read again, for Teams has accepted the card already; one that is gone is left
        out and never made anew. Raise StampConflictError when a row does not hold still.
        """
        count = 0
        for start in range(0, len(posted), TRANSACTION_ROWS):
            chunk = posted[start : start + TRANSACTION_ROWS]
            told = [_told(alert.row, told_at, check_date) for alert in chunk]
            stamps = [
                (alert.stored, encode(row, AlertRow.NOTIFY_COLUMNS))
                for alert, row in zip(chunk, told, strict=True)
            ]
            if await self._partition.update(ALERTS, stamps):
                count += len(chunk)
                continue
            for alert, row in zip(chunk, told, strict=True):
                count += await self._stamp_changed(row, alert.stored.row_key)
        return count

    async def stamp_run(self, told: Callable[[RunRow], RunRow | None]) -> bool:
        """Mark the welcome or a digest as told. Return whether it still was to be marked.

        `told` returns the row with the stamp, or None when it has it already.
        """
        for _ in range(_STAMP_TRIES):
            found = await self._partition.get(STATUS, RunRow, RunRow.key)
            stamped = told(found[0]) if found else None
            if found is None or stamped is None:
                return False
            columns = encode(stamped, RunRow.NOTIFY_COLUMNS)
            if await self._partition.update(STATUS, [(found[1], columns)]):
                return True
        raise StampConflictError("run.check changed again and again while it was stamped as told")

    async def _stamp_changed(self, told: AlertRow, row_key: str) -> bool:
        for _ in range(_STAMP_TRIES):
            found = await self._partition.get(ALERTS, AlertRow, row_key)
            if found is None:
                return False
            present, stored = found
            if present.told_step >= told.told_step:
                return True
            columns = encode(told, AlertRow.NOTIFY_COLUMNS)
            if await self._partition.update(ALERTS, [(stored, columns)]):
                return True
        raise StampConflictError(
            f"the alert {told.key} changed {_STAMP_TRIES} times while it was stamped as told; "
            "its card was posted and can be posted once more"
        )


def _of_kinds(kinds: Iterable[TokenKind]) -> str:
    ranges = (f"(RowKey ge '{kind}.' and RowKey lt '{kind}/')" for kind in kinds)
    return f"({' or '.join(ranges)})"


def _counted(row: AlertRow) -> AlertRow:
    """Return an alert that did not begin above its told step.

    Somebody who empties `ToldStep` lets the alert be told once more. Without this it would be told
    as new again with every check, until the step has counted up to where the alert began.
    """
    if row.base_step <= row.told_step:
        return row
    return msgspec.structs.replace(row, base_step=row.told_step)


def _told(posted: AlertRow, told_at: datetime, check_date: date) -> AlertRow:
    return msgspec.structs.replace(
        posted,
        told_step=posted.step,
        told_reason=posted.reason,
        told_stage=posted.stage,
        told_at=told_at,
        told_check_date=check_date,
    )
