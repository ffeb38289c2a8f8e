"""One tenant's partition of the tables: queries, merges and deletes of whole sets of rows."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableErrorCode
from azure.data.tables.aio import TableServiceClient
from msgspec import Struct

from apple_tokens import events, transactions
from apple_tokens.codec import Entity, UnreadableRowError, decode, encode_key
from apple_tokens.transactions import ETAG, Cells, Operation

TRANSACTION_ROWS = 100
"""The most that Table Storage takes in one transaction."""

_AT_ONCE = 4
"""Transactions of one table that are under way side by side. They concern different rows, and the
next table waits for all of them."""

_Row = TypeVar("_Row", bound=Struct)
_NOTHING_CHANGED = frozenset({404, 409, 412})


class Stored(Struct, frozen=True, kw_only=True):
    """A row's key and version as they were read."""

    row_key: str
    etag: str


class Partition:
    """The rows of one tenant. Errors of the storage reach the caller as azure.core exceptions."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        self._service = service
        self._tenant_id = tenant_id
        self._key = encode_key(tenant_id)

    async def query(
        self, table: str, row_type: type[_Row], condition: str
    ) -> list[tuple[_Row, Stored]]:
        """Read the rows that meet a condition: one request a thousand rows.

        A table that does not exist holds nothing; the first write creates it. A row that says
        nothing readable is left out, and logged.
        """
        found = list[tuple[_Row, Stored]]()
        for entity in await self.entities(table, condition):
            row = self.decode(table, row_type, entity)
            if row is not None:
                stored = Stored(row_key=entity["RowKey"], etag=entity[ETAG])
                found.append((row, stored))
        return found

    async def entities(self, table: str, condition: str) -> list[Cells]:
        """Read the rows that meet a condition as they stand in the table."""
        query = f"PartitionKey eq '{self._key}' and {condition}"
        try:
            return await transactions.query(self._service, table, query)
        except ResourceNotFoundError:
            return []

    async def get(
        self, table: str, row_type: type[_Row], row_key: str
    ) -> tuple[_Row, Stored] | None:
        """Read one row by its encoded key; None when it is gone or says nothing readable."""
        found = await self.query(table, row_type, f"RowKey eq '{row_key}'")
        return found[0] if found else None

    async def merge(self, table: str, rows: Iterable[tuple[str, Entity]]) -> None:
        """Merge columns into rows by their keys, no two alike, making the rows that are missing.

        Idempotent. A failure leaves whole transactions written and the rest not.
        """
        await self._submit(
            table, (Operation("PATCH", encode_key(key), columns) for key, columns in rows)
        )

    async def update(self, table: str, rows: Sequence[tuple[Stored, Entity]]) -> bool:
        """Merge columns into rows that are still of the version that was read.

        All of them or none, at most `TRANSACTION_ROWS`. Return False, with nothing written, when
        one of them has changed or is gone.
        """
        operations = [
            Operation("PATCH", stored.row_key, columns, stored.etag) for stored, columns in rows
        ]
        try:
            await self._transact(table, operations)
        except HttpResponseError as error:
            if error.status_code in _NOTHING_CHANGED:
                return False
            raise
        return True

    async def delete(self, table: str, keys: Iterable[str]) -> None:
        """Delete rows by their keys. One that is gone already is no error."""
        row_keys = [encode_key(key) for key in keys]
        for start in range(0, len(row_keys), TRANSACTION_ROWS):
            chunk = row_keys[start : start + TRANSACTION_ROWS]
            try:
                await self._transact(table, [Operation("DELETE", key, etag="*") for key in chunk])
            except HttpResponseError as error:
                if error.status_code not in _NOTHING_CHANGED:
                    raise
                client = self._service.get_table_client(table)
                for key in chunk:
                    await client.delete_entity(self._key, key)

    async def _submit(self, table: str, operations: Iterator[Operation]) -> None:
        """Send whole transactions, the first one alone: it makes the table where there is none."""
        chunks = iter(lambda: list(islice(operations, TRANSACTION_ROWS)), [])
        for first in islice(chunks, 1):
            await self._transact_in_table(table, first)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def send(chunk: Sequence[Operation]) -> None:
            try:
                await self._transact_in_table(table, chunk)
            finally:
                gate.release()

        try:
            async with asyncio.TaskGroup() as group:
                for chunk in chunks:
                    await gate.acquire()
                    group.create_task(send(chunk))
        except BaseExceptionGroup as failed:
            # The first failure has ended the others; callers know azure.core's exceptions.
            raise failed.exceptions[0] from None

    async def _transact_in_table(self, table: str, operations: Sequence[Operation]) -> None:
        try:
            await self._transact(table, operations)
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", None) != TableErrorCode.TABLE_NOT_FOUND:
                raise
            await self._create(table)
            await self._transact(table, operations)

    async def _transact(self, table: str, operations: Sequence[Operation]) -> None:
        if operations:
            await transactions.transact(self._service, table, self._key, operations)

    async def _create(self, table: str) -> None:
        try:
            await self._service.create_table(table)
        except ResourceExistsError:
            return

    def decode(self, table: str, row_type: type[_Row], entity: Cells) -> _Row | None:
        """Return the row that an entity holds; None, logged, when it says nothing readable."""
        row: _Row | None = None
        try:
            row, bad = decode(row_type, entity)
        except UnreadableRowError:
            bad = ("Kind", "TokenId", "Problem")
        if bad:
            events.emit(
                events.RowUnreadable(
                    tenant_id=self._tenant_id, table=table, key=entity["RowKey"], columns=bad
                )
            )
        return row
