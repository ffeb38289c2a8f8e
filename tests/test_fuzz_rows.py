"""Rows that somebody edited are read as far as they go, stop no check, and are mended by it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from apple_tokens.codec import UnreadableRowError, columns_of, decode, encode, encode_key
from apple_tokens.model import SourceResult, TokenKind, TokensRead
from apple_tokens.rows import AlertRow, RunRow, SourceRow, TokenRow
from apple_tokens.tables import ALERTS, STATUS
from tests.builders import ade, push, vpp
from tests.fuzzing import TEXTS, explore
from tests.fuzzing_checks import MORNINGS, Channel, OfRows
from tests.policy_world import run
from tests.survival import Promise, survives
from tests.test_codec import ROWS, Row, entity_of


def as_read(text: str) -> str:
    """Return a text as it comes out of a table: pairs of halves are one character, others none."""
    whole: str = json.loads(json.dumps(text))
    return whole.encode(errors="replace").decode()


CELLS = st.one_of(
    st.sampled_from(["", "?!", "null", "[]", "{", "[" * 16_000, "9" * 5_000, "new", "critical"]),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2000-01-01T00:00:00Z"]),
    st.sampled_from(["2026-03-01", "0001-01-01", "9999-12-31", '{"old_topic": 5}']),
    st.sampled_from([True, 0, -1, 2**31, 10**30, 5.5, "Infinity", "NaN", "/w==", str(2**40)]),
    TEXTS.map(as_read),
)
"""What a column may come to hold by hand, by a wrong clock, or by a newer version of the app, as it
comes over the wire: 64 bits, dates, GUIDs, bytes and what is no number are text.
"""
KEYS = ["%ff", "ade_token.a.new_problem", "android_token.a", "run.new", "a.b.c.d", "!" * 500]
GONE = "gone"


@st.composite
def entities(draw: st.DrawFn) -> tuple[type[Row], dict[str, Any]]:
    """Draw a row of which any columns hold anything, or are missing."""
    row = draw(st.sampled_from(ROWS))
    columns = sorted(columns_of(type(row)))
    edited = draw(st.dictionaries(st.sampled_from(columns), CELLS | st.just(GONE), max_size=9))
    if draw(st.integers(0, 3)) == 0:
        edited["RowKey"] = draw(st.sampled_from(KEYS))
    edited["Timestamp"] = MORNINGS[0].isoformat()
    entity = entity_of(row, **edited)
    return type(row), {name: cell for name, cell in entity.items() if cell != GONE}


@survives(Promise.CLEAR_ERROR, fault="Fuzzing: one row of any table, edited")
def test_a_row_is_read_as_far_as_it_goes(happened: Callable[[str], None]) -> None:
    def examine(drawn: tuple[type[Row], dict[str, Any]]) -> Iterator[str]:
        row_type, entity = drawn
        try:
            row, bad = decode(row_type, entity)
        except UnreadableRowError as error:
            said = str(error)
            assert "what it is about" in said
            yield "unreadable"
            return
        assert set(bad) <= columns_of(row_type), f"{bad} names what is no column"
        cells = encode(row, columns_of(row_type))
        for name, cell in cells.items():
            assert not isinstance(cell, int) or abs(cell) <= 2**31, f"{name} is too large to write"
            assert not isinstance(cell, str) or cell.encode() is not None
        again, none = decode(row_type, {"RowKey": encode_key(row.key), **cells})
        assert none == (), f"{none} is written and cannot be read"
        assert encode(again, columns_of(row_type)) == cells, "written once more, a row is another"
        yield "with nonsense" if bad else "whole"

    happened(explore(entities(), examine, must={"unreadable", "with nonsense", "whole"}))


def answer(now: datetime) -> dict[TokenKind, SourceResult]:
    """Return a tenant with something of each kind that must be told, one of it every day."""
    expired, fresh = MORNINGS[0] - timedelta(days=2), now - timedelta(hours=2)
    return {
        TokenKind.ADE: TokensRead(tokens=(ade(sync_error_code=3, last_synced_at=fresh),)),
        TokenKind.VPP: TokensRead(tokens=(vpp(expires_on=expired, last_synced_at=fresh),)),
        TokenKind.PUSH: TokensRead(tokens=(push(expires_on=expired),)),
    }


ALWAYS_TOLD = "push_certificate_expired"
EDITABLE = {
    "push_certificate.apns.push_certificate_expired": (ALERTS, AlertRow),
    "vpp_token.v-1.vpp_token_expired": (ALERTS, AlertRow),
    "ade_token.a-1.ade_terms_not_accepted": (ALERTS, AlertRow),
    "push_certificate.apns": (STATUS, TokenRow),
    "ade_token.a-1": (STATUS, TokenRow),
    "run.vpp_token": (STATUS, SourceRow),
    "run.push_certificate": (STATUS, SourceRow),
    "run.check": (STATUS, RunRow),
}
# A problem of a newer version is left alone; what an operator did is an operator's to undo.
OPERATORS = AlertRow.OPERATOR_COLUMNS | TokenRow.OPERATOR_COLUMNS | RunRow.OPERATOR_COLUMNS


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    keys = draw(st.lists(st.sampled_from(sorted(EDITABLE)), min_size=1, max_size=4, unique=True))
    return [
        (key, draw(st.dictionaries(st.sampled_from(columns(key)), CELLS, min_size=1, max_size=9)))
        for key in keys
    ]


def columns(key: str) -> list[str]:
    return sorted(columns_of(EDITABLE[key][1]) - OPERATORS)


@survives(Promise.CLEAR_ERROR, Promise.NOTHING_LOST, fault="Fuzzing: rows edited between checks")
def test_a_check_on_edited_rows_tells_what_must_be_told_and_mends_them(
    caplog: pytest.LogCaptureFixture, happened: Callable[[str], None]
) -> None:
    def examine(drawn: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
        channel = Channel()
        list(channel.morning(MORNINGS[0], answer(MORNINGS[0])))
        for key, cells in drawn:
            run(channel.tables.partition.merge(EDITABLE[key][0], [(key, cells)]))
        caplog.clear()
        for now in MORNINGS[1:]:
            list(channel.morning(now, answer(now)))
            daily = (now.date(), ALWAYS_TOLD)
            assert daily in channel.told, f"{ALWAYS_TOLD} was not told on {now.date()}"
        yield "read with nonsense" if caplog.records else "taken as it is"
        assert channel.untold() == [], "what must be told was left untold"
        found = {row.problem: row for row in run(channel.tables.alert_rows())}
        assert {row.problem for row in found.values() if row.was_told} >= {
            ALWAYS_TOLD,
            "vpp_token_expired",
            "ade_terms_not_accepted",
        }, "a problem that is there was never told"
        caplog.clear()
        run(channel.tables.token_rows())
        run(channel.tables.run_rows())
        mended = AlertRow.NOTIFY_COLUMNS | RunRow.NOTIFY_COLUMNS
        left = [line for line in caplog.messages if not any(name in line for name in mended)]
        assert left == [], "a check leaves columns of its own that cannot be read"

    must = {"read with nonsense", "taken as it is"}
    with caplog.filtering(OfRows()):
        happened(explore(edits(), examine, must=must, share=4))
