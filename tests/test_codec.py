"""Rows survive the table, keys are what Table Storage takes, and edited cells do no harm."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, inspect

from apple_tokens import rows
from apple_tokens.codec import UnreadableRowError, columns_of, decode, encode, encode_key
from apple_tokens.model import AppleToken, Facts, Problem, Reason, Severity, TokenKind
from apple_tokens.rows import AlertRow, HistoryRow, RunRow, SourceRow, TokenRow

SINCE = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
EDITED_AT = dt.datetime(2026, 3, 9, 10, tzinfo=dt.UTC)

ALERT = AlertRow(
    kind=TokenKind.VPP,
    token_id="t1",
    problem=Problem.VPP_SYNC_FAILED,
    since=SINCE,
    seen_at=SINCE,
    clear_since=SINCE,
    ended_at=SINCE,
    severity=Severity.CRITICAL,
    severity_since=SINCE,
    silenced=True,
    base_step=1,
    step=3,
    remind_from_step=2,
    reason=Reason.REMINDER,
    stage="critical",
    batch="b",
    due_since=SINCE,
    escalated_at=SINCE,
    facts=Facts(old_topic="com.apple.mgmt"),
    told_step=2,
    told_reason=Reason.NEW,
    told_stage="warning",
    told_at=SINCE,
    told_check_date=dt.date(2026, 3, 1),
    snoozed_until=SINCE,
    snooze_reason="moving house",
    snoozed_by="operator@contoso.example",
    snoozed_at=SINCE,
)
TOKEN = TokenRow(
    token=AppleToken(kind=TokenKind.ADE, id="t1", name="Schools", device_count=7, expires_on=SINCE),
    problem=Problem.ADE_TOKEN_EXPIRED,
    severity=Severity.CRITICAL,
    checked_at=SINCE,
    days_left=-3,
    leftover_error_code=9,
)
SOURCE = SourceRow(kind=TokenKind.PUSH, settled_at=SINCE, tries=2, result="tokens_read")
RUN = RunRow(checked_at=SINCE, digest_step=4, digest_told_step=4)
HISTORY = HistoryRow(
    kind=TokenKind.ADE,
    token_id="t1",
    name="Schools",
    checked_at=SINCE,
    changed="ExpiresOn",
    before={"ExpiresOn": "2026-03-01T08:00:00Z"},
    after={"ExpiresOn": ""},
    previous_check_at=SINCE,
)
Row = AlertRow | TokenRow | SourceRow | RunRow | HistoryRow
ROWS: list[Row] = [ALERT, TOKEN, SOURCE, RUN, HISTORY]

SAYS_WHAT_IT_IS_ABOUT: dict[type[Struct], set[str]] = {
    AlertRow: {"Kind", "TokenId", "Problem"},
    TokenRow: {"Kind", "TokenId"},
    SourceRow: {"Kind"},
    RunRow: set(),
    HistoryRow: {"Kind", "TokenId", "CheckedAt"},
}
"""The columns without which a row is none; edited, they are tested apart."""


def entity_of(row: Row, **edited: object) -> dict[str, Any]:
    """Return a row as the table gives it back, with some cells as somebody edited them."""
    return {"RowKey": encode_key(row.key), **encode(row, columns_of(type(row)))} | edited


ZONES = st.integers(-840, 840).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
SCALARS: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.StrType: st.text(),
    inspect.BoolType: st.booleans(),
    inspect.DateTimeType: st.datetimes(timezones=ZONES),
    inspect.DateType: st.dates(),
    inspect.NoneType: st.none(),
}


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Return a strategy for whatever a column may hold."""
    match kind:
        case inspect.IntType(ge=least, le=most):
            return st.integers(least, most)
        case inspect.EnumType(cls):
            return st.sampled_from(list(cls))
        case inspect.UnionType(types):
            return st.one_of([values(each) for each in types])
        case inspect.DictType(keys, cells):
            return st.dictionaries(values(keys), values(cells))
        case inspect.StructType(cls):
            return rows_of(cls)
        case _:
            return SCALARS[type(kind)]


def rows_of(row_type: type[Struct]) -> st.SearchStrategy[Any]:
    """Return a strategy for rows with every column filled in any way."""
    described = inspect.type_info(row_type)
    assert isinstance(described, inspect.StructType)
    columns = {f.name: values(f.type) for f in described.fields}
    ids = {name: st.text(min_size=1) for name in columns.keys() & {"id", "token_id"}}
    return st.builds(row_type, **columns | ids)


def test_the_rows_of_this_file_are_of_every_type_that_is_stored() -> None:
    stored = {kind for kind in vars(rows).values() if hasattr(kind, "key")}

    assert {type(row) for row in ROWS} == stored


class TestRoundTrip:
    @pytest.mark.parametrize("row_type", [type(row) for row in ROWS])
    def test_what_is_written_is_read(self, row_type: type[Struct]) -> None:
        @given(rows_of(row_type))
        def check(row: Row) -> None:
            assert decode(row_type, encode(row, columns_of(row_type))) == (row, ())

        check()

    @given(rows_of(AlertRow))
    def test_a_cell_is_text_a_number_or_a_truth_value(self, row: AlertRow) -> None:
        cells = encode(row, columns_of(AlertRow)).values()

        assert {type(cell) for cell in cells} <= {str, int, bool}

    @pytest.mark.parametrize("row", ROWS)
    def test_every_column_is_written_and_an_empty_one_as_empty_text(self, row: Struct) -> None:
        required = {f.name: getattr(row, f.name) for f in msgspec.structs.fields(row) if f.required}
        bare = type(row)(**required)

        cells = encode(bare, columns_of(type(row)))

        assert cells.keys() == columns_of(type(row))
        assert None not in cells.values()

    def test_only_the_columns_asked_for_are_written(self) -> None:
        assert encode(ALERT, AlertRow.NOTIFY_COLUMNS) == {
            "ToldStep": 2,
            "ToldReason": "new",
            "ToldStage": "warning",
            "ToldAt": "2026-03-01T08:00:00Z",
            "ToldCheckDate": "2026-03-01",
        }

    def test_a_token_stands_in_columns_of_its_own(self) -> None:
        cells = encode(TOKEN, columns_of(TokenRow))

        assert "Token" not in cells
        assert cells["Kind"] == "ade_token"
        assert cells["TokenId"] == "t1"
        assert cells["ExpiresOn"] == "2026-03-01T08:00:00Z"
        assert cells["DaysLeft"] == -3

    def test_facts_are_json(self) -> None:
        assert encode(ALERT, frozenset({"Facts"})) == {"Facts": '{"old_topic":"com.apple.mgmt"}'}

    def test_a_column_that_a_later_version_added_is_passed_over(self) -> None:
        assert decode(AlertRow, entity_of(ALERT, AddedLater="x")) == (ALERT, ())

    def test_a_column_that_an_earlier_version_did_not_write_is_empty(self) -> None:
        entity = entity_of(ALERT)
        del entity["ToldStage"], entity["DueSince"]

        row, bad = decode(AlertRow, entity)

        assert (row.told_stage, row.due_since, bad) == ("", None, ())


class TestText:
    @pytest.mark.parametrize("character", ["a", "あ", "📱"])
    def test_is_cut_to_what_a_property_of_table_storage_holds(self, character: str) -> None:
        row = msgspec.structs.replace(ALERT, snooze_reason=character * 40_000)

        cell = encode(row, AlertRow.OPERATOR_COLUMNS)["SnoozeReason"]

        assert isinstance(cell, str)
        assert len(cell) > 15_000
        assert len(cell.encode("utf-16-le")) // 2 <= 32_768

    def test_that_only_looks_like_a_number_or_like_nothing_stays_text(self) -> None:
        for text in ("5", "null", "true", "1e3", " ", "2026-03-01T08:00:00Z"):
            row = msgspec.structs.replace(ALERT, snooze_reason=text)
            assert decode(AlertRow, entity_of(row)) == (row, ())


REFUSED = [*r"/\#?", *map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))]


class TestKeys:
    def test_what_people_know_a_token_by_can_be_read_in_its_key(self) -> None:
        assert encode_key(ALERT.key) == "vpp_token.t1.vpp_sync_failed"

    @pytest.mark.parametrize("character", REFUSED)
    def test_hold_none_of_the_characters_that_table_storage_refuses(self, character: str) -> None:
        # https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
        assert character not in encode_key(f"vpp_token.a{character}b")

    def test_hold_no_quote_that_would_end_the_text_in_a_query(self) -> None:
        assert "'" not in encode_key("o'hare")

    @given(st.text(max_size=2_000), st.text(max_size=2_000))
    def test_of_two_tokens_are_never_the_same(self, one: str, other: str) -> None:
        assert (encode_key(one) == encode_key(other)) == (one == other)

    @pytest.mark.parametrize("length, is_shortened", [(499, False), (500, False), (501, True)])
    def test_longer_than_five_hundred_characters_are_shortened(
        self, length: int, is_shortened: bool
    ) -> None:
        key = encode_key("k" * length)

        assert len(key) <= 500
        assert (key != "k" * length) == is_shortened

    def test_that_are_shortened_stay_apart_by_what_was_cut_off(self) -> None:
        assert encode_key("k" * 2_000 + "a") != encode_key("k" * 2_000 + "b")

    def test_that_are_shortened_meet_no_key_that_was_made_to_look_like_one(self) -> None:
        shortened = encode_key("k" * 2_000)

        assert encode_key(shortened) != shortened

    def test_are_made_of_any_text_that_python_can_hold(self) -> None:
        assert encode_key("half a character: \ud800").isascii()

    @given(st.text(), st.text())
    def test_of_one_kind_lie_between_its_name_with_a_dot_and_with_a_slash(
        self, token_id: str, tail: str
    ) -> None:
        key = encode_key(f"ade_token.{token_id}.{tail}")

        assert "ade_token." <= key < "ade_token/"


NONSENSE = ("?!", 5.5, -1, True, "c9da6455-213d-42c9-9a79-3e9149a57833")

EDITS = [
    pytest.param(row, column, id=f"{type(row).__name__}.{column}")
    for row in ROWS
    for column in sorted(columns_of(type(row)) - SAYS_WHAT_IT_IS_ABOUT[type(row)])
]


class TestAnEditedCell:
    @pytest.mark.parametrize("row, column", EDITS)
    def test_counts_as_what_it_says_or_as_empty_and_no_other_cell_changes(
        self, row: Row, column: str
    ) -> None:
        others = columns_of(type(row)) - {column}
        empty, _ = decode(type(row), entity_of(row, **{column: ""}))
        for edited in NONSENSE:
            found, bad = decode(type(row), entity_of(row, **{column: edited}))

            assert encode(found, others) == encode(row, others)
            assert bad in {(), (column,)}
            assert not bad or found == empty

    @pytest.mark.parametrize("number", [10**6 + 1, 2**31, "3000000000", -1])
    def test_with_a_step_that_no_card_can_have_reached_is_empty(self, number: object) -> None:
        # The next step would be more than a column holds: no row of the transaction is written.
        row, bad = decode(AlertRow, entity_of(ALERT, ToldStep=number))

        assert (row.told_step, bad) == (0, ("ToldStep",))

    @pytest.mark.parametrize("facts", ["[" * 16_000, '{"sync_error_row": 12}'])
    def test_with_facts_that_no_card_can_show_is_empty(self, facts: str) -> None:
        row, bad = decode(AlertRow, entity_of(ALERT, Facts=facts))

        assert (row.facts, bad) == (Facts(), ("Facts",))

    @pytest.mark.parametrize("column", ["ToldStep", "Step", "SnoozedUntil", "Severity", "Facts"])
    def test_is_named(self, column: str) -> None:
        _, bad = decode(AlertRow, entity_of(ALERT, **{column: "?!"}))

        assert bad == (column,)

    @pytest.mark.parametrize("broken", ["?!", "{", "[]", '{"old_expires_on": "soon"}', "5"])
    def test_with_facts_that_are_none_leaves_the_facts_empty(self, broken: str) -> None:
        row, bad = decode(AlertRow, entity_of(ALERT, Facts=broken))

        assert row == msgspec.structs.replace(ALERT, facts=Facts())
        assert bad == ("Facts",)

    @pytest.mark.parametrize("column, field", [("Since", "since"), ("SeenAt", "seen_at")])
    @pytest.mark.parametrize("edited", ["?!", "2026-03-01T08:00:00", ""])
    def test_with_the_beginning_of_an_alert_counts_as_the_time_of_the_last_change(
        self, column: str, field: str, edited: str
    ) -> None:
        entity = entity_of(ALERT, **{column: edited, "Timestamp": EDITED_AT})

        row, _ = decode(AlertRow, entity)

        assert row == msgspec.structs.replace(ALERT, **{field: EDITED_AT})

    @pytest.mark.parametrize("column", ["Kind", "TokenId", "Problem"])
    @pytest.mark.parametrize("edited", ["?!", "", 5, "vpp_token"])
    def test_with_what_an_alert_is_about_is_outvoted_by_the_key(
        self, column: str, edited: object
    ) -> None:
        # Left out, its told step would be unknown, and a new alert that starts at step 1 over a
        # told step of 5 would never be told.
        assert decode(AlertRow, entity_of(ALERT, **{column: edited})) == (ALERT, ())

    @pytest.mark.parametrize("column", ["Kind", "TokenId"])
    @pytest.mark.parametrize("edited", ["?!", "", 5, "vpp_token"])
    def test_with_what_a_status_row_is_about_is_outvoted_by_the_key(
        self, column: str, edited: object
    ) -> None:
        # Left out, the push certificate's accepted topic would be forgotten with it.
        assert decode(TokenRow, entity_of(TOKEN, **{column: edited})) == (TOKEN, ())

    @pytest.mark.parametrize("token_id", ["a.b", "a b", "a/b", "%41", "あ", "..", "~", "!"])
    def test_is_outvoted_by_the_key_of_any_token(self, token_id: str) -> None:
        alert = msgspec.structs.replace(ALERT, token_id=token_id)

        assert decode(AlertRow, entity_of(alert, TokenId="?!")) == (alert, ())

    def test_stands_where_the_key_was_shortened(self) -> None:
        alert = msgspec.structs.replace(ALERT, token_id="k" * 2_000)

        assert decode(AlertRow, entity_of(alert)) == (alert, ())
        with pytest.raises(UnreadableRowError):
            decode(AlertRow, entity_of(alert, Kind="?!"))

    def test_of_another_type_with_the_same_meaning_counts_as_what_it_says(self) -> None:
        # Storage Explorer offers Int64, Double and DateTime; this is how they come over the wire.
        until = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
        entity = entity_of(
            ALERT,
            ToldStep="4",
            Step="5",
            BaseStep=1.0,
            SnoozedUntil="2026-04-01T00:00:00.0000000Z",
        )

        row, bad = decode(AlertRow, entity)

        assert (row.told_step, row.step, row.base_step, row.snoozed_until) == (4, 5, 1, until)
        assert bad == ()


class TestARowOfALaterVersion:
    def test_with_a_problem_that_is_unknown_here_is_left_alone(self) -> None:
        entity = entity_of(ALERT, RowKey="vpp_token.t1.vpp_token_lost", Problem="vpp_token_lost")

        with pytest.raises(UnreadableRowError, match="`Problem`"):
            decode(AlertRow, entity)

    def test_with_a_status_that_is_unknown_here_can_be_read_but_for_that(self) -> None:
        row, bad = decode(TokenRow, entity_of(TOKEN, Problem="vpp_token_lost"))

        assert row == msgspec.structs.replace(TOKEN, problem=None)
        assert bad == ("Problem",)


@pytest.mark.parametrize("column", sorted(SAYS_WHAT_IT_IS_ABOUT[HistoryRow]))
def test_a_history_row_without_its_essentials_cannot_be_read(column: str) -> None:
    with pytest.raises(UnreadableRowError, match="what it is about"):
        decode(HistoryRow, entity_of(HISTORY, **{column: True}))


def test_a_source_row_of_an_unknown_source_cannot_be_read() -> None:
    with pytest.raises(UnreadableRowError, match="what it is about"):
        decode(SourceRow, entity_of(SOURCE, Kind="android_token"))


def test_a_row_with_a_key_that_nobody_encoded_cannot_be_read() -> None:
    with pytest.raises(UnreadableRowError, match="what it is about"):
        decode(TokenRow, {"RowKey": "%ff", "Name": "Schools"})


def test_a_row_that_says_nothing_cannot_be_read() -> None:
    with pytest.raises(UnreadableRowError, match="what it is about"):
        decode(AlertRow, {"RowKey": "?", "SnoozedUntil": "2026-03-01T08:00:00Z"})
