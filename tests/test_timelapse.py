"""The sixty days of docs/design.md are what the app does today."""

from collections import Counter

import pytest

from apple_tokens.messages import MessageKind
from apple_tokens.model import Problem, Reason
from sandbox import docs, timelapse
from sandbox.azurite import Azurite
from sandbox.marked import between_marks
from sandbox.timelapse import DayReport

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.no_cover,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("timelapse"),
]


async def test_the_sixty_days_are_as_the_design_document_tells_them(
    azurite: Azurite, storage: str
) -> None:
    reports, posted = await timelapse.play_all(azurite, timelapse.DAYS)

    document = docs.DESIGN.read_text(encoding="utf-8")
    written = between_marks(document, docs.MARK, timelapse.as_table(reports))
    assert written == document, "run: make docs"
    assert not [item for item in posted if item.run.error]
    assert_an_administrator_finds_nothing_superfluous(reports)


def assert_an_administrator_finds_nothing_superfluous(reports: list[DayReport]) -> None:
    """Hold what the table must show, whatever it says in detail."""
    for report in reports:
        cards = Counter(
            (item.message.problem, item.message.stage, item.message.reason)
            for item in report.posted
            if item.message.kind is MessageKind.ALERTS
        )
        assert max(cards.values(), default=0) <= 1, f"told twice on day {report.number}"
    problems = Counter(
        item.message.problem
        for report in reports
        for item in report.posted
        if item.message.reason is Reason.NEW
    )
    assert problems[Problem.ADE_SYNC_FAILED] == 1, "a sync that fails every other day is one alert"
    kinds = Counter(item.message.kind for report in reports for item in report.posted)
    assert kinds[MessageKind.WELCOME] == 1
    assert kinds[MessageKind.DIGEST] == 8
