"""Tokens as a table in a terminal: the worst first, in line whatever the script, and harmless."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from admin.table import columns, day, printable, status_table
from apple_tokens.model import Health
from apple_tokens.rows import TokenRow
from tests.builders import DAY, NOW, YEAR_9999, ade, push, row, vpp

HEADINGS = "Health  Kind  Name  Expires  Days  Last sync  Problems"


def lines(*rows: TokenRow) -> list[str]:
    return status_table(rows).splitlines()[1:]


def names(*rows: TokenRow) -> list[str]:
    return [line.split("  ")[2] for line in lines(*rows)]


def healthy(name: str, **changes: object) -> TokenRow:
    return row(ade(name=name, id=name, **changes), health=Health.HEALTHY, days_left=300)


def test_a_table_without_tokens_is_its_headings() -> None:
    assert status_table([]) == HEADINGS


def test_nothing_at_all_has_no_columns() -> None:
    assert columns([]) == ""


def test_a_line_says_everything_about_a_token() -> None:
    expired = row(
        vpp(name="Apps", expires_on=NOW - 2 * DAY, last_synced_at=NOW - DAY),
        health=Health.UNHEALTHY,
        days_left=-2,
        problems="vpp_sync_failed, vpp_sync_stale",
    )

    assert lines(expired) == [
        "unhealthy  VPP token  Apps  2026-02-28  -2    2026-03-01  vpp_sync_failed, vpp_sync_stale"
    ]


def test_the_worst_stands_first_and_of_these_the_first_to_expire() -> None:
    later, sooner = healthy("later", expires_on=NOW + 9 * DAY), healthy("sooner", expires_on=NOW)
    unknown = replace(healthy("unknown"), health=Health.UNKNOWN)
    warning = replace(healthy("warning"), health=Health.WARNING)
    unhealthy = replace(healthy("unhealthy"), health=Health.UNHEALTHY)

    assert [line.split()[0] for line in lines(later, warning, sooner, unhealthy, unknown)] == [
        "unhealthy",
        "unknown",
        "warning",
        "healthy",
        "healthy",
    ]
    assert [line.split()[3] for line in lines(later, sooner)] == ["sooner", "later"]


def test_tokens_that_are_alike_stand_in_the_same_order_each_time() -> None:
    one, other = healthy("x"), replace(healthy("x"), token=ade(name="x", id="a"))

    assert lines(one, other) == lines(other, one)


def test_an_unknown_expiry_stands_before_the_known_ones_and_is_named() -> None:
    first, second = lines(healthy("dated"), healthy("undated", expires_on=None))

    assert "undated" in first
    assert "unknown" in first
    assert "dated" in second


def test_what_was_never_worked_out_is_left_empty() -> None:
    (line,) = lines(replace(healthy("x"), days_left=None))

    assert line.split()[3:] == ["x", "2026-12-27", "2026-03-02"]


def test_the_push_certificate_has_no_sync_and_is_named_by_its_account() -> None:
    (line,) = lines(row(push(), health=Health.HEALTHY, days_left=300))

    assert line == "healthy  MDM push certificate  push@contoso.example  2026-12-27  300"


def test_a_token_whose_name_is_nothing_but_control_characters_is_named_by_its_id() -> None:
    (line,) = lines(row(ade(id="a-7", name="\u202e\x1b", apple_account="\u200b"), days_left=1))

    assert "a-7" in line


@pytest.mark.parametrize(
    "name,width",
    [
        ("iPads", 5),
        ("全社用", 6),
        ("ｶﾅ", 2),
        ("カナ", 4),
        ("か\u3099", 2),  # "が" in two characters, as macOS types it
        ("e\u0301te\u0301", 3),
        ("📱", 2),
        ("iPads 渋谷", 10),
    ],
)
def test_columns_stay_in_line_whatever_the_script(name: str, width: int) -> None:
    first, second = columns([(name, "|"), ("x" * 12, "|")]).splitlines()

    assert first == name + " " * (12 - width) + "  |"
    assert second == "xxxxxxxxxxxx  |"


@pytest.mark.parametrize(
    "name,shown",
    [
        ("x" * 48, "x" * 48),
        ("x" * 49, "x" * 47 + "…"),
        ("渋" * 24, "渋" * 24),
        ("渋" * 25, "渋" * 23 + "…"),
    ],
    ids=["48 wide", "49 wide", "48 wide in 24", "50 wide in 25"],
)
def test_a_cell_is_cut_where_it_takes_more_than_48_columns(name: str, shown: str) -> None:
    assert columns([(name, "|")]) == f"{shown}  |"


def test_the_last_cell_of_a_line_is_whole_however_long() -> None:
    assert columns([("a", "x" * 200)]) == "a  " + "x" * 200


@pytest.mark.parametrize(
    "text,shown",
    [
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("one\ntwo\r\nthree", "one two  three"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u200bb\ufeffc", "a b c"),
        ("\x9b31m", "31m"),
        ("a\u3000b", "a b"),
        ("\ud800x", "x"),
        ("渋谷 📱 مرحبا", "渋谷 📱 مرحبا"),
    ],
)
def test_text_from_outside_is_one_line_that_steers_no_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(), st.text())
def test_no_cell_can_begin_a_line_or_steer_the_terminal(one: str, other: str) -> None:
    table = columns([(one, "|"), (other, "|")])

    assert len(table.split("\n")) == 2
    for character in table.replace("\n", ""):
        assert character == " " or unicodedata.category(character)[0] not in "CZ"


@pytest.mark.parametrize(
    "instant,zone,shown",
    [
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Tokyo"), "2026-03-02"),
        (datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-8))), UTC, "2026-03-02"),
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), UTC, "2026-03-01"),
        (YEAR_9999, ZoneInfo("Asia/Tokyo"), "9999-12-31"),
        (None, UTC, "unknown"),
    ],
)
def test_a_date_is_that_of_the_zone_asked_for(
    instant: datetime | None, zone: ZoneInfo, shown: str
) -> None:
    assert day(instant, zone) == shown


def test_the_dates_of_a_table_are_those_of_the_zone_asked_for() -> None:
    late = row(vpp(expires_on=datetime(2026, 12, 31, 20, tzinfo=UTC)), days_left=1)

    assert "2027-01-01" in status_table([late], ZoneInfo("Asia/Tokyo"))
    assert "2026-12-31" in status_table([late])
