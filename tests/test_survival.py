"""The survival matrix is worth what its rows notice: each is seen to fail, and says why."""

import json
import os
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from sandbox.marked import between_marks
from sandbox.survive import MARK, README, counts, files_with_rows
from tests.regressions import Regression, regressions
from tests.seeded import Copy, copy_project
from tests.survival import Promise

ROOT = Path(__file__).resolve().parent.parent
REGRESSIONS = regressions()
EVERY_ROW = "TOKENWATCH_REGRESSIONS"


Rows = dict[str, dict[str, Any]]


def read(path: Path) -> Rows:
    """Read the rows that were written to a file, by their node ids."""
    return {row["id"]: row for row in json.loads(path.read_text(encoding="utf-8"))["rows"]}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """List the rows of the matrix by their node ids."""
    listed = tmp_path_factory.mktemp("rows") / "rows.json"
    files = map(str, files_with_rows())
    done = Copy(ROOT).pytest(*files, "--collect-only", "-m", "survives", "--rows-to", str(listed))
    assert done.returncode == 0, done.stdout
    return read(listed)


def test_every_promise_has_rows(rows: Rows) -> None:
    named = {promise for row in rows.values() for promise in row["promises"]}

    assert named == set(Promise)


def test_the_readme_counts_the_rows_of_each_promise(rows: Rows) -> None:
    readme = README.read_text(encoding="utf-8")

    written = between_marks(readme, MARK, counts(rows.values(), Promise))

    assert written == readme, "run: make survive"


def test_no_two_rows_have_the_same_fault_and_promises(rows: Rows) -> None:
    seen = dict[tuple[object, ...], str]()
    for name, row in rows.items():
        key = (row["fault"], *row["promises"])
        assert key not in seen, f"{name} reads like {seen[key]}"
        seen[key] = name


def test_every_row_is_turned_red_by_a_regression(rows: Rows) -> None:
    patterns = [re.compile(regression.rows) for regression in REGRESSIONS]

    unproven = [row for row in rows if not any(pattern.search(row) for pattern in patterns)]

    assert unproven == [], "no seeded regression is known that these rows notice"


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda each: each.name)
def test_a_regression_still_fits_the_code(regression: Regression) -> None:
    text = (ROOT / regression.file).read_text(encoding="utf-8")

    assert text.count(regression.old) == 1, f"mend the patch of tests/regressions: {regression.old}"


@pytest.mark.timeout(900)  # a further pytest, which may start a storage emulator
@pytest.mark.e2e
@pytest.mark.crash
@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda each: each.name)
def test_a_regression_is_noticed_by_its_rows(
    regression: Regression, rows: Rows, tmp_path: Path
) -> None:
    """By one of its rows in each file, or by every one: hundreds, which takes some minutes."""
    copy = copy_project(tmp_path)
    copy.replace(regression.file, regression.old, regression.new)
    seen = tmp_path / "rows.json"
    names = sorted(name for name in rows if re.search(regression.rows, name))
    assert names, f"no row is found by {regression.rows}"
    if not os.environ.get(EVERY_ROW):
        names = [next(each) for _, each in groupby(names, lambda name: name.partition("::")[0])]
    listed = tmp_path / "names.txt"  # hundreds: too long for a command line of Windows
    listed.write_text("\n".join(names), encoding="utf-8")

    done = copy.pytest(f"@{listed}", "--rows-to", str(seen))

    outcomes = {name: row["outcome"] for name, row in read(seen).items()}
    assert outcomes.keys() == set(names), done.stdout
    if set(outcomes.values()) == {"skipped"}:
        pytest.skip("needs what its rows need: azure-functions-runtime, or a browser")
    assert {name for name, outcome in outcomes.items() if outcome != "failed"} == set(), done.stdout
    assert re.search(regression.says, done.stdout), done.stdout
