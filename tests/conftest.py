"""What every test gets, and a loud word about those that this machine could not run.

A test that needs something a machine may lack (Chromium, the code Azure runs) skips itself with a
reason that begins with `needs `. Such a skip is repeated at the very end of the report, and it is a
failure when TOKENWATCH_REQUIRE_ALL is set: on a machine that has everything, a skip would be a test
that nobody runs.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.fixtures_azurite",
    "tests.fixtures_doomed",
    "tests.fixtures_rendering",
    "tests.survival",
]

_NEEDS = "Skipped: needs "
_UNMEASURED = ("crash", "no_cover", "rendering")

# Everything that tests talk to is on this machine: a proxy must not be asked for it.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"

# A busy machine is no reason to fail: time limits belong to whole tests here. In CI the parent
# profile draws the same examples every time, and more of them than somebody at a desk waits for.
# TOKENWATCH_FUZZ=5000 draws as many as that.
EXAMPLES = int(os.environ.get("TOKENWATCH_FUZZ", "200" if "CI" in os.environ else "100"))
settings.register_profile("project", parent=settings(), deadline=None, max_examples=EXAMPLES)
settings.load_profile("project")


@pytest.fixture(autouse=True)
def levels_of_logs_end_with_the_test() -> Iterator[None]:
    """Undo what the app does to its libraries' loggers, or the next test would hear less."""
    before = {log: log.level for log in _loggers()}
    yield
    for log in _loggers():
        log.setLevel(before.get(log, logging.NOTSET))


@pytest.fixture
def every_logger_at_debug(levels_of_logs_end_with_the_test: None) -> None:
    """Let even those loggers speak that the app silences, as a debugging host might."""
    for log in _loggers():
        log.setLevel(logging.DEBUG)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Take no coverage where that would take longer than it tells.

    A line that only such a test reaches counts as missed. pytest-cov's own `no_cover` does nothing
    in a worker of pytest-xdist, where a second tracer lies beneath the one that it takes off.
    """
    tracer = sys.gettrace()
    if any(map(item.get_closest_marker, _UNMEASURED)):
        sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip for want of something into a failure where everything is required."""
    report = yield
    _refuse_if_required(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a whole module that skipped itself while it was collected."""
    report = yield
    _refuse_if_required(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was not tested here, where nobody overlooks it."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = Counter(_reasons(skipped))
    if not missing:
        return
    terminalreporter.section("NOT TESTED ON THIS MACHINE", yellow=True, bold=True)
    for reason, count in sorted(missing.items()):
        terminalreporter.write_line(f"{count} skipped: {reason}", yellow=True, bold=True)


def _loggers() -> list[logging.Logger]:
    known = list(logging.Logger.manager.loggerDict.values())
    return [logger for logger in known if isinstance(logger, logging.Logger)]


def _reasons(reports: list[pytest.TestReport | pytest.CollectReport]) -> Iterator[str]:
    for report in reports:
        # A skip's representation is its place and its reason.
        if isinstance(report.longrepr, tuple) and report.longrepr[2].startswith(_NEEDS):
            yield report.longrepr[2].removeprefix("Skipped: ")


def _refuse_if_required(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or not os.environ.get("TOKENWATCH_REQUIRE_ALL"):
        return
    for reason in _reasons([report]):
        report.outcome = "failed"
        report.longrepr = f"{reason}, and TOKENWATCH_REQUIRE_ALL allows no skip for want of it."
