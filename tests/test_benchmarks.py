"""The benchmarks run, judge rightly, and the document holds what they write."""

import re
from pathlib import Path

import pytest

from benchmarks import checking, growing, main, reading, starting
from benchmarks.figures import HEADER, Figure, Line, Target, as_table, fit, missed, ratio
from benchmarks.plan import Plan
from sandbox.azurite import Azurite
from sandbox.node import ROOT

ALL_CHANGED = "a check in which every token has changed"
# The whole list, so that a line that is no longer measured is missed here.
LINES = [
    ("a", "reading the largest tenant, against bare httpx and json", "at most 2.5"),
    ("a", "signing in too, through azure-identity, against the same by hand", ""),
    ("a", "the typed calls of msgraph-beta-sdk, against ours", "at least 100"),
    ("b", "a first check, against the same requests by hand", ""),
    ("b", "a first check: peak memory", "at most 120"),
    ("b", "a check without a change, against the same requests by hand", ""),
    ("b", "a check without a change: peak memory", "at most 120"),
    ("b", f"{ALL_CHANGED}, against the same requests by hand", "at most 1.3"),
    ("b", f"{ALL_CHANGED}: peak memory", "at most 120"),
    ("b", "queries of previous rows", "at most 6"),
    ("b", "transactions that write tokenhistory", "at most 52"),
    ("b", "transactions that write tokenstatus", "at most 51"),
    ("c", "start of the app with bytecode, against an empty one", "at most 2"),
    ("c", "start of the app without bytecode, against an empty one", ""),
    ("c", "modules of the SDK's models loaded at start", "at most 0"),
    ("d", "requests of a tick with nothing due", "at most 1"),
    ("e", "growth, unchanged tokens: furthest from a line", "at most 0.25"),
    ("e", "growth, unchanged tokens: fixed part, against the empty check", "at most 2"),
    ("e", "growth, changed tokens: furthest from a line", "at most 0.25"),
    ("e", "growth, changed tokens: fixed part, against the empty check", "at most 2"),
    ("f", "the package, zipped", "at most 15"),
]
NEEDS_MORE = {"the typed calls of msgraph-beta-sdk, against ours", "the package, zipped"}


def figure(value: float, target: Target | None = None) -> Figure:
    return Figure(part="a", what="it", value=value, unit="×", target=target)


class TestAVerdict:
    @pytest.mark.parametrize("value,verdict", [(1.29, "met"), (1.3, "met"), (1.31, "missed")])
    def test_of_an_upper_limit_takes_the_limit_itself(self, value: float, verdict: str) -> None:
        assert figure(value, Target(at_most=1.3)).verdict == verdict

    @pytest.mark.parametrize("value,verdict", [(99.9, "missed"), (100, "met"), (100.1, "met")])
    def test_of_a_lower_limit_takes_the_limit_itself(self, value: float, verdict: str) -> None:
        assert figure(value, Target(at_least=100)).verdict == verdict

    def test_is_not_given_where_no_target_is_set(self) -> None:
        assert figure(9.0).verdict == ""
        assert missed([figure(9.0), figure(2.0, Target(at_most=1))]) == [
            figure(2.0, Target(at_most=1))
        ]


def test_a_ratio_is_one_of_medians_so_that_one_slow_run_counts_nothing() -> None:
    assert ratio([2.0, 2.0, 900.0], [1.0, 1.0, 0.001]) == 2.0


def test_a_line_is_found_and_what_lies_off_it_too() -> None:
    straight = [(10.0, 1.1), (100.0, 2.0), (1_000.0, 11.0)]
    bent = [*straight, (5_000.0, 120.0)]

    line = fit(straight)

    assert line.fixed == pytest.approx(1.0)
    assert line.each == pytest.approx(0.01)
    assert line.furthest(straight) == pytest.approx(0.0, abs=1e-9)
    assert Line(1.0, 0.01).furthest(bent) == pytest.approx(69 / 120)
    assert fit(bent).furthest(bent) > growing.FURTHEST


@pytest.mark.e2e
@pytest.mark.crash
@pytest.mark.timeout(600)  # some forty processes, on a machine that does other things
async def test_every_part_runs_on_a_tiny_tenant_and_counts_what_it_should(
    azurite: Azurite, storage: str
) -> None:
    assert storage  # emptied
    libraries = next((ROOT / ".venv").glob("lib/python*/site-packages"))
    plan = Plan(
        pairs=1,
        warms_up=False,
        typed_pairs=0,
        n_ade=2,
        n_vpp=2,
        sizes=((1, 1), (2, 2)),
        app=ROOT,
        libraries=libraries,
    )
    figures = [
        figure
        for part in (reading, checking, starting, growing)
        for figure in await part.measure(plan, azurite)
    ]

    assert [(each.part, each.what) for each in figures] == [
        (part, what) for part, what, _ in LINES if what not in NEEDS_MORE
    ]
    values = {each.what: each.value for each in figures}
    assert values["queries of previous rows"] == 1
    assert values["transactions that write tokenstatus"] == 1
    assert values["transactions that write tokenhistory"] == 1 + 1  # refused, for want of a table
    assert values["requests of a tick with nothing due"] == 1
    assert values["modules of the SDK's models loaded at start"] == 0
    assert all(each.value > 0 for each in figures if each.unit == "MB")


class TestTheDocument:
    def test_has_a_line_for_all_that_is_measured_and_every_target_is_met(self) -> None:
        text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
        table = text.partition("<!-- figures -->\n")[2].partition("<!-- /figures -->")[0]
        rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in table.splitlines()
        ]

        assert rows[0] == list(HEADER)
        assert [(row[0], row[1], row[3]) for row in rows[2:]] == LINES
        assert {row[4] for row in rows[2:] if row[3]} == {"met"}

    def test_is_written_between_its_marks_alone(self) -> None:
        before = "# P\n<!-- figures -->\nold\n<!-- /figures -->\nrest\n"

        after = main.with_table(before, as_table([figure(1.0)]))

        assert after.startswith("# P\n<!-- figures -->\n| ")
        assert "| a | it | 1.00 × |" in after
        assert after.endswith("|\n<!-- /figures -->\nrest\n")
        assert "old" not in after
        with pytest.raises(ValueError, match="lacks"):
            main.with_table("# P\n", "")


def test_the_benchmarks_are_not_deployed() -> None:
    assert "benchmarks" in Path(ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
