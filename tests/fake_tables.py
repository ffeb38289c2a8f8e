"""The tables of one tenant in memory: the real `TokenTables` over a partition that is a dict.

Rows are kept as the columns that Table Storage would keep, so that MERGE, the ownership of columns,
versions of rows and the codec are the real ones. `cut_off_after` ends a writer in the middle of its
work, as a host does that goes away.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeVar

from msgspec import Struct

from apple_tokens.codec import Entity, encode_key
from apple_tokens.operator_tables import OperatorTables
from apple_tokens.partition import Partition, Stored
from apple_tokens.tables import TokenTables
from apple_tokens.transactions import ETAG, Cells

_Row = TypeVar("_Row", bound=Struct)
_Columns = dict[str, str | int | bool]
_Condition = Callable[[Mapping[str, object]], bool]
_PART = re.compile(r"(\w+) (eq|ge|lt) '((?:[^']|'')*)'|\b(or)\b")
_COMPARE = {"eq": operator.eq, "ge": operator.ge, "lt": operator.lt}


class CutOffError(RuntimeError):
    """The writer was stopped before this write."""


class FakePartition(Partition):
    """One tenant's partition: what is written is what is read."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id
        self._key = encode_key(tenant_id)
        self._tables = dict[str, dict[str, _Columns]]()
        self._versions = dict[tuple[str, str], int]()
        self.writes = 0
        self.cut_off_after: int | None = None
        """How many more writes succeed."""

    async def entities(self, table: str, condition: str) -> list[Cells]:
        meets = _parse(condition)
        rows = self._tables.get(table, {})
        return [
            self._entity(table, key)
            for key, columns in sorted(rows.items())
            if meets(columns | {"RowKey": key})
        ]

    async def get(
        self, table: str, row_type: type[_Row], row_key: str
    ) -> tuple[_Row, Stored] | None:
        if row_key not in self._tables.get(table, {}):
            return None
        entity = self._entity(table, row_key)
        row = self.decode(table, row_type, entity)
        return None if row is None else (row, Stored(row_key=row_key, etag=entity[ETAG]))

    async def merge(self, table: str, rows: Iterable[tuple[str, Entity]]) -> None:
        for number, (key, columns) in enumerate(rows):
            if number == 0:
                self._begin_write()
            self._put(table, encode_key(key), columns)

    async def update(self, table: str, rows: Sequence[tuple[Stored, Entity]]) -> bool:
        self._begin_write()
        known = self._tables.get(table, {})
        for stored, _ in rows:
            if stored.row_key not in known or stored.etag != self._etag(table, stored.row_key):
                return False
        for stored, columns in rows:
            self._put(table, stored.row_key, columns)
        return True

    async def delete(self, table: str, keys: Iterable[str]) -> None:
        gone = [encode_key(key) for key in keys]
        assert len(gone) == len(set(gone)), "a transaction takes a row once"
        if gone:
            self._begin_write()
        for key in gone:
            self._tables.get(table, {}).pop(key, None)

    def _begin_write(self) -> None:
        if self.cut_off_after is not None:
            if self.cut_off_after == 0:
                raise CutOffError
            self.cut_off_after -= 1
        self.writes += 1

    def _put(self, table: str, row_key: str, columns: Entity) -> None:
        self._tables.setdefault(table, {}).setdefault(row_key, {}).update(columns)
        # A row that is deleted and made anew has another version than before.
        self._versions[table, row_key] = self._versions.get((table, row_key), 0) + 1

    def _etag(self, table: str, row_key: str) -> str:
        return f'W/"{self._versions[table, row_key]}"'

    def _entity(self, table: str, row_key: str) -> Cells:
        keys = {"PartitionKey": self._key, "RowKey": row_key}
        return self._tables[table][row_key] | keys | {ETAG: self._etag(table, row_key)}


class FakeTables(TokenTables):
    """What `check_tokens` and `notify` see of one tenant."""

    def __init__(self, tenant_id: str) -> None:
        self.partition = FakePartition(tenant_id)
        self._partition = self.partition

    def operator(self) -> OperatorTables:
        """Return what an operator's commands write to, the same rows."""
        tables = _FakeOperatorTables.__new__(_FakeOperatorTables)
        tables._partition = self.partition  # noqa: SLF001 -- its own kind of constructor
        return tables


class _FakeOperatorTables(OperatorTables):
    """Shares the partition of another writer instead of opening one."""


@cache
def _parse(condition: str) -> _Condition:
    """Return what an OData filter means that is a choice of ranges, as all of this project are."""
    choices = list[list[tuple[str, str, str]]]([[]])
    for name, comparison, value, otherwise in _PART.findall(condition):
        if otherwise:
            choices.append([])
        else:
            choices[-1].append((name, comparison, value.replace("''", "'")))
    rest = _PART.sub("", condition).replace("and", "")
    assert not rest.strip(" ()"), f"the fake does not understand {condition}"
    return lambda row: any(
        all(_COMPARE[how](str(row.get(name, "")), value) for name, how, value in choice)
        for choice in choices
    )
