"""The survival matrix: tests that break something, each naming the promises that still hold.

A test becomes a row of the matrix by its mark, `@survives(Promise.KEPT, fault="{fault.name}")`: a
row for each case of its parameters, which may stand in the text. It says through the fixture
`happened` what it saw. `python3 -m sandbox survive` runs all rows and prints them; `test_survival`
holds each against the seeded regressions in `tests/regressions`.
"""

import json
import re
from collections.abc import Callable, Generator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest


class Promise(StrEnum):
    """What is promised in docs/design.md, in the words of the README."""

    NOTHING_LOST = "Nothing that must be told is lost"
    NOT_TWICE = "Nothing is told twice"
    TOLD_IS_ACCEPTED = "Told means that Teams accepted it"
    KEPT = "A failed check changes nothing that was observed"
    NO_ALL_CLEAR = "What could not be checked is never taken for health"
    APART = "One failure hides nothing of the rest"
    SECOND_WAY = "What does not get through Teams is said in the log"
    ON_TIME = "Each check date has its check, whatever the clock does"
    BOUNDED = "Deadlines and memory hold"
    CLEAR_ERROR = "Bad input gets a clear error, and nothing is lost"
    NO_LEAK = "No secret and no operator is sent elsewhere"


_HAPPENED = "happened"


def survives(*promises: Promise, fault: str) -> pytest.MarkDecorator:
    """Make each case of a test a row. `fault` may name its parameters, as in `str.format`."""
    return pytest.mark.survives(promises=promises, fault=fault)


@pytest.fixture
def happened(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say in a few words what the fault came to: the last column of the matrix."""
    return lambda what: record_property(_HAPPENED, what)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by which rows are chosen and read."""
    group = parser.getgroup("survival matrix")
    group.addoption("--rows", help="run only rows whose node id this regular expression finds")
    group.addoption("--rows-to", type=Path, help="write the rows and what happened to this file")


@pytest.hookimpl(trylast=True)  # after the selection by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Name each row's promises and fault, and leave out what `--rows` does not find."""
    for item in items:
        item.user_properties += _properties(item)
    pattern = config.getoption("--rows")
    if pattern is None:
        return
    chosen = [item for item in items if _is_row(item) and re.search(pattern, item.nodeid)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a row that does not say what happened."""
    report = yield
    told = any(name == _HAPPENED for name, _ in item.user_properties)
    if _is_row(item) and report.when == "call" and report.passed and not told:
        report.outcome = "failed"
        report.longrepr = "A row of the survival matrix must say what happened."
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the rows down where they are only listed."""
    if session.config.option.collectonly:
        _write(session.config, [_row(i.nodeid, i.user_properties) for i in session.items])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write down what became of each row."""
    if terminalreporter.config.option.collectonly:
        return
    found = {
        report.nodeid: _row(report.nodeid, report.user_properties, outcome)
        for outcome in ("passed", "failed", "error", "skipped")  # the worst comes last
        for report in terminalreporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport)
    }
    _write(terminalreporter.config, list(found.values()))


def _is_row(item: pytest.Item) -> bool:
    return item.get_closest_marker("survives") is not None


def _properties(item: pytest.Item) -> list[tuple[str, object]]:
    mark = item.get_closest_marker("survives")
    if mark is None:
        return []
    call = getattr(item, "callspec", None)
    fault = mark.kwargs["fault"].format(**(call.params if call else {}))
    return [("promises", [str(each) for each in mark.kwargs["promises"]]), ("fault", fault)]


def _row(
    node_id: str, properties: list[tuple[str, Any]], outcome: str = "listed"
) -> dict[str, object]:
    return {"id": node_id, "outcome": outcome, **dict(properties)}


def _write(config: pytest.Config, rows: list[dict[str, object]]) -> None:
    path: Path | None = config.getoption("--rows-to")
    if path is not None and not hasattr(config, "workerinput"):
        only_rows = [row for row in rows if "fault" in row]
        found = {"promises": list(Promise), "rows": only_rows}
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
