"""One tenant's partition of the tables: queries, merges and deletes of whole sets of rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableEntity, TableErrorCode, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient
from msgspec import Struct

from apple_tokens import events
from apple_tokens.codec import Entity, UnreadableRowError, decode, encode_key

TRANSACTION_ROWS = 100
"""The most that Table Storage takes in one transaction."""

_Row = TypeVar("_Row", bound=Struct)
_Operation = tuple[str, dict[str, Any], dict[str, Any]]
_Deletion = tuple[str, dict[str, Any]]
_NOTHING_CHANGED = frozenset({404, 409, 412})

_SAFE_TO_REPEAT = frozenset({"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "POST"})
"""What the SDK sends again after a broken connection. A transaction is a POST, which it would not
repeat by itself; all of ours come to the same when they are done twice."""


class Stored(Struct, frozen=True, kw_only=True):
    """A row's key and version as they were read."""

    row_key: str
    etag: str | None


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
                stored = Stored(row_key=entity["RowKey"], etag=entity.metadata["etag"])
                found.append((row, stored))
        return found

    async def entities(self, table: str, condition: str) -> list[TableEntity]:
        """Read the rows that meet a condition as they stand in the table."""
        query = f"PartitionKey eq '{self._key}' and {condition}"
        try:
            return [entity async for entity in self._client(table).query_entities(query)]
        except ResourceNotFoundError:
            return []

    async def get(
        self, table: str, row_type: type[_Row], row_key: str
    ) -> tuple[_Row, Stored] | None:
        """Read one row by its encoded key; None when it is gone or says nothing readable."""
        try:
            entity = await self._client(table).get_entity(self._key, row_key)
        except ResourceNotFoundError:
            return None
        row = self.decode(table, row_type, entity)
        return None if row is None else (row, Stored(row_key=row_key, etag=entity.metadata["etag"]))

    async def merge(self, table: str, rows: Mapping[str, Entity]) -> None:
        """Merge columns into rows by their keys, making the rows that are missing.

        Idempotent. A failure leaves whole transactions written and the rest not.
        """
        options = {"mode": UpdateMode.MERGE}
        operations = [
            ("upsert", self._keys(encode_key(key)) | columns, options)
            for key, columns in rows.items()
        ]
        await self._submit(table, operations)

    async def update(self, table: str, rows: Sequence[tuple[Stored, Entity]]) -> bool:
        """Merge columns into rows that are still of the version that was read.

        All of them or none, at most `TRANSACTION_ROWS`. Return False, with nothing written, when
        one of them has changed or is gone.
        """
        operations = [
            (
                "update",
                self._keys(stored.row_key) | columns,
                {
                    "mode": UpdateMode.MERGE,
                    "etag": stored.etag or "",
                    "match_condition": MatchConditions.IfNotModified,
                },
            )
            for stored, columns in rows
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
        client = self._client(table)
        all_keys = [self._keys(encode_key(key)) for key in keys]
        for start in range(0, len(all_keys), TRANSACTION_ROWS):
            chunk = all_keys[start : start + TRANSACTION_ROWS]
            try:
                await self._transact(table, [("delete", key) for key in chunk])
            except HttpResponseError as error:
                if error.status_code not in _NOTHING_CHANGED:
                    raise
                for key in chunk:
                    await client.delete_entity(key["PartitionKey"], key["RowKey"])

    async def _submit(self, table: str, operations: Sequence[_Operation]) -> None:
        for start in range(0, len(operations), TRANSACTION_ROWS):
            chunk = operations[start : start + TRANSACTION_ROWS]
            try:
                await self._transact(table, chunk)
            except HttpResponseError as error:
                if getattr(error, "error_code", None) != TableErrorCode.TABLE_NOT_FOUND:
                    raise
                await self._create(table)
                await self._transact(table, chunk)

    async def _transact(self, table: str, operations: Sequence[_Operation | _Deletion]) -> None:
        client = self._client(table)
        await client.submit_transaction(operations, retry_on_methods=_SAFE_TO_REPEAT)

    async def _create(self, table: str) -> None:
        try:
            await self._service.create_table(table)
        except ResourceExistsError:
            return

    def _client(self, table: str) -> TableClient:
        return self._service.get_table_client(table)

    def _keys(self, row_key: str) -> dict[str, Any]:
        return {"PartitionKey": self._key, "RowKey": row_key}

    def decode(self, table: str, row_type: type[_Row], entity: TableEntity) -> _Row | None:
        """Return the row that an entity holds; None, logged, when it says nothing readable."""
        row: _Row | None = None
        try:
            row, bad = decode(row_type, {**entity, "Timestamp": entity.metadata.get("timestamp")})
        except UnreadableRowError:
            bad = ("Kind", "TokenId", "Problem")
        if bad:
            events.emit(
                events.RowUnreadable(
                    tenant_id=self._tenant_id, table=table, key=entity["RowKey"], columns=bad
                )
            )
        return row
