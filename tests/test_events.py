"""What stands in the log for machines: alarms and workbook find events by name and field."""

import ast
import datetime as dt
import json
import logging
import os
import re
from pathlib import Path

import msgspec
import pytest

from apple_tokens.events import (
    AlertDelivered,
    AlertDropped,
    AlertFailed,
    AlertGaveUp,
    AlertQueued,
    AlertUndelivered,
    CheckFinished,
    Event,
    ProblemEscalated,
    RowUnreadable,
    SourceUnread,
    TokenCount,
    TokenStatus,
    emit,
)
from apple_tokens.model import FailureReason, Health, Problem, Reason, Severity, TokenKind

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "events.jsonl"
AT = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
TENANT_ID = "5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17"
BATCH = "20260301T080000.000000Z ade_token_expiring 7 worse"

EVENTS: list[Event] = [
    CheckFinished(
        tenant_id=TENANT_ID,
        checked_at=AT,
        check_date=dt.date(2026, 3, 1),
        sources={TokenKind.ADE: "tokens_read", TokenKind.VPP: "permission"},
        tokens=(TokenCount(kind=TokenKind.ADE, health=Health.HEALTHY, band="31-90", count=2),),
        open_problems=3,
        queued=2,
    ),
    TokenStatus(
        tenant_id=TENANT_ID,
        kind=TokenKind.ADE,
        token_id="t1",
        name='two\nlines, a "quote" and あ',
        health=Health.UNHEALTHY,
        problem=Problem.ADE_TOKEN_EXPIRED,
        severity=Severity.CRITICAL,
        expires_on=AT,
        days_left=-1,
    ),
    SourceUnread(
        tenant_id=TENANT_ID,
        kind=TokenKind.VPP,
        reason=FailureReason.PERMISSION,
        detail="Microsoft Graph refused.",
        status=403,
        request_id="3b1f",
        tries=1,
        settled=True,
    ),
    AlertQueued(
        tenant_id=TENANT_ID,
        batch=BATCH,
        problem=Problem.ADE_TOKEN_EXPIRING,
        reason=Reason.WORSE,
        stage="7",
        severity=Severity.CRITICAL,
        count=40,
    ),
    AlertDelivered(
        tenant_id=TENANT_ID,
        batch=BATCH,
        problem=Problem.ADE_TOKEN_EXPIRING,
        reason=Reason.WORSE,
        count=40,
    ),
    AlertDropped(tenant_id=TENANT_ID, batch=BATCH),
    AlertFailed(tenant_id=TENANT_ID, batch=BATCH, error="DeliveryError: no", dequeue_count=1),
    AlertGaveUp(tenant_id=TENANT_ID, batch=BATCH, error="DeliveryError: no", dequeue_count=5),
    AlertUndelivered(
        tenant_id=TENANT_ID, problem=Problem.ADE_TOKEN_EXPIRING, count=40, due_since=AT
    ),
    ProblemEscalated(
        tenant_id=TENANT_ID,
        kind=TokenKind.PUSH,
        problem=Problem.PUSH_CERTIFICATE_EXPIRED,
        count=1,
        names=("apple@contoso.example",),
        since=AT,
        days_open=4,
    ),
    RowUnreadable(
        tenant_id=TENANT_ID, table="tokenalerts", key="ade_token.t1.x", columns=("ToldStep",)
    ),
]


def lines(caplog: pytest.LogCaptureFixture) -> str:
    """Log every event and return what the worker forwards of the records."""
    caplog.set_level(logging.DEBUG)
    for event in EVENTS:
        emit(event)
    return "".join(
        f"{record.levelname} {record.name} {record.getMessage()}\n" for record in caplog.records
    )


def test_the_events_of_this_file_are_all_that_there_are() -> None:
    assert {type(event) for event in EVENTS} == set(Event.__subclasses__())
    assert len({type(event).__struct_config__.tag for event in EVENTS}) == len(EVENTS)


def test_names_fields_and_levels_are_those_that_the_queries_rest_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written = lines(caplog)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(written, encoding="utf-8", newline="\n")

    assert written == GOLDEN.read_text(encoding="utf-8"), "run with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_one_line_of_json_and_nothing_else(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        emit(event)

    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert json.loads(record.getMessage())["tenant_id"] == TENANT_ID
    assert record.exc_info is None
    assert record.stack_info is None


@pytest.mark.parametrize(
    "name",
    [
        'x", "event": "check_finished", "y": "',
        '\n{"event": "check_finished"}\n',
        "\x00\x1b[2K\r\v\f",
        "| take 0 // union *",
    ],
)
def test_a_hostile_name_stays_one_value_of_one_event(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = next(event for event in EVENTS if isinstance(event, TokenStatus))
    hostile = msgspec.structs.replace(event, name=name)
    with caplog.at_level(logging.DEBUG):
        emit(event)
        emit(hostile)

    plain, written = (json.loads(record.getMessage()) for record in caplog.records)
    assert not re.search(r"[\x00-\x1f]", caplog.records[1].getMessage())
    assert written.keys() == plain.keys()
    assert {key for key in plain if written[key] != plain[key]} == {"name"}


def test_an_event_in_the_middle_of_an_error_has_no_traceback_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    try:
        int("in the middle")
    except ValueError:
        emit(EVENTS[0])

    assert json.loads(caplog.text)["event"] == "check_finished"


@pytest.mark.parametrize("package", ["apple_tokens", "check_tokens", "notify"])
def test_nothing_else_logs_with_a_traceback(package: str) -> None:
    # The worker appends it to the message, with whatever secret an exception holds.
    for module in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                words = {keyword.arg for keyword in node.keywords}
                called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                assert not words & {"exc_info", "stack_info"}, f"{module}:{node.lineno}"
                assert called != "exception", f"{module}:{node.lineno}"
