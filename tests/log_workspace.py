"""A log workspace in memory: records as Azure keeps them, and alert rules evaluated as Azure does.

The text of a query is executed as it is shipped, by an engine that refuses what it does not know
(duckdb-kql). What is played here is only what surrounds a query: which records have arrived, how
far back a rule looks, and the comparison of its count with its threshold.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import duckdb_kql

from apple_tokens.events import Event, emit
from tests.seeded import ROOT

_SEVERITY_LEVELS = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}
"""https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces"""

_TYPES = {
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "int": "INTEGER",
    "real": "DOUBLE",
    "string": "VARCHAR",
}
_DURATIONS = {"PT1H": timedelta(hours=1), "PT2H": timedelta(hours=2), "P1D": timedelta(days=1)} | {
    "P2D": timedelta(days=2)
}
_KEPT = timedelta(days=90)

Row = dict[str, Any]


@cache
def tables() -> dict[str, dict[str, str]]:
    """Return the columns of the Azure Monitor tables with their types."""
    file = ROOT / "tests" / "schemas" / "azure-monitor-tables.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))["tables"])


class LogWorkspace:
    """The records of an app. Each arrives a while after it was made."""

    def __init__(self, arrives_after: timedelta = timedelta()) -> None:
        self._arrives_after = arrives_after
        self._connection = duckdb_kql.connect()
        for table, columns in tables().items():
            spelled = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in columns.items())
            self._connection.execute(f'CREATE TABLE "All{table}" ({spelled})')

    def trace(self, at: datetime, message: str, level: str = "INFO") -> None:
        """Keep a line of the log, as the worker and the host send it."""
        self._connection.execute(
            "INSERT INTO AllAppTraces (TimeGenerated, Message, SeverityLevel) VALUES (?, ?, ?)",
            [_naive(at), message, _SEVERITY_LEVELS[level]],
        )

    def request(self, at: datetime, function: str, *, success: bool) -> None:
        """Keep one run of a function, as the host sends it."""
        self._connection.execute(
            "INSERT INTO AllAppRequests (TimeGenerated, Name, Success) VALUES (?, ?, ?)",
            [_naive(at), function, success],
        )

    def event(self, at: datetime, event: Event) -> None:
        """Keep an event in the very form in which the app logs it."""
        with self.recording(lambda: at):
            emit(event)

    @contextmanager
    def recording(self, clock: Callable[[], datetime]) -> Iterator[None]:
        """Keep everything that the app logs meanwhile, at the time of the clock."""
        handler = _Recorder(lambda record: self._record(clock(), record))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(handler)

    def ask(self, query: str, now: datetime, looking_back: timedelta = _KEPT) -> list[Row]:
        """Run a query at a time, over the records that have arrived by then."""
        for table in tables():
            self._connection.execute(
                f'CREATE OR REPLACE VIEW "{table}" AS SELECT * FROM "All{table}" '  # noqa: S608 -- names and times are our own
                f"WHERE TimeGenerated > '{_naive(now - looking_back)}' "
                f"AND TimeGenerated <= '{_naive(now - self._arrives_after)}'"
            )
        answer = duckdb_kql.query(self._connection, query, query_now=now)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]

    def found_by(self, rule: Mapping[str, Any], now: datetime) -> list[Row]:
        """Evaluate a scheduled query rule; it fires when anything is returned."""
        properties = rule["properties"]
        (criterion,) = properties["criteria"]["allOf"]
        found = self.ask(criterion["query"], now, _DURATIONS[properties["overrideQueryTimeRange"]])
        assert criterion["timeAggregation"] == "Count"
        assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
        # With a column of this name, Azure would count the rows of the last hour only.
        assert not any("TimeGenerated" in row for row in found)
        return found

    def _record(self, at: datetime, record: logging.LogRecord) -> None:
        self.trace(at, record.getMessage(), record.levelname)


class _Recorder(logging.Handler):
    def __init__(self, keep: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        self._keep(record)


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)
