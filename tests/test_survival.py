"""The survival matrix is worth what its rows notice: each is seen to fail, and says why."""

import json
import re
from pathlib import Path

import pytest

from tests.regressions import Regression, regressions
from tests.seeded import Copy, copy_project
from tests.survival import Promise, files_with_rows

ROOT = Path(__file__).resolve().parent.parent
REGRESSIONS = regressions()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """List the rows of the matrix by their node ids."""
    listed = tmp_path_factory.mktemp("rows") / "rows.json"
    files = [str(path.relative_to(ROOT)) for path in files_with_rows(ROOT)]
    done = Copy(ROOT).pytest(*files, "--collect-only", "-m", "survives", "--rows-to", str(listed))
    assert done.returncode == 0, done.stdout
    return {row["id"]: row for row in json.loads(listed.read_text(encoding="utf-8"))}


def test_every_promise_has_rows(rows: dict[str, dict[str, object]]) -> None:
    named = {promise for row in rows.values() for promise in _promises(row)}

    assert named == set(Promise)


def test_no_two_rows_have_the_same_fault_and_promises(rows: dict[str, dict[str, object]]) -> None:
    seen = dict[tuple[object, ...], str]()
    for name, row in rows.items():
        key = (row["fault"], *_promises(row))
        assert key not in seen, f"{name} reads like {seen[key]}"
        seen[key] = name


def test_every_row_is_turned_red_by_a_regression(rows: dict[str, dict[str, object]]) -> None:
    patterns = [re.compile(regression.rows) for regression in REGRESSIONS]

    unproven = [row for row in rows if not any(pattern.search(row) for pattern in patterns)]

    assert unproven == [], "no seeded regression is known that these rows notice"


@pytest.mark.timeout(300)  # a further pytest, which may start a storage emulator
@pytest.mark.e2e
@pytest.mark.crash
@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda each: each.name)
def test_a_regression_is_noticed_by_each_of_its_rows(
    regression: Regression, rows: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    copy = copy_project(tmp_path)
    copy.replace(regression.file, regression.old, regression.new)
    seen = tmp_path / "rows.json"
    files = {name.partition("::")[0] for name in rows if re.search(regression.rows, name)}
    options = ("-m", "survives", "--rows", regression.rows, "--rows-to", str(seen))

    done = copy.pytest(*sorted(files), *options)

    outcomes = {row["id"]: row["outcome"] for row in json.loads(seen.read_text(encoding="utf-8"))}
    assert outcomes, f"no row is found by {regression.rows}"
    assert {name for name, outcome in outcomes.items() if outcome != "failed"} == set(), done.stdout
    assert regression.says in done.stdout, done.stdout


def _promises(row: dict[str, object]) -> list[str]:
    promises = row["promises"]
    assert isinstance(promises, list)
    return promises
