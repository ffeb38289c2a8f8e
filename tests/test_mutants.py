"""The verdict over the mutants, and that those which are explained still exist."""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from sandbox import mutants

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = "-            seen_at=now,\n+            seen_at=None,"
UNHEARD_OF = "-    return days\n+    return days + 1"

# Stands for mutmut: answers each of its commands with what the test left in a file beside it.
PLAYED = """\
import json, pathlib, sys
answers = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
if sys.argv[1] == "export-cicd-stats":
    folder = pathlib.Path("mutants")
    folder.mkdir()
    (folder / "mutmut-cicd-stats.json").write_text(json.dumps(answers["statistics"]))
print(answers.get(sys.argv[1], ""))
"""


def play(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, killed: int, survivor: str | None
) -> None:
    """Let mutmut have killed so many of 100, and shown one survivor, if any."""
    program = folder / "mutmut.py"
    program.write_text(PLAYED, encoding="utf-8")
    answers = {
        "statistics": {"killed": killed, "total": 100},
        "results": f"    check_tokens.x__mutmut_1: {'survived' if survivor else 'killed'}",
        "show": f"--- a.py\n+++ a.py\n@@ -1 +1 @@\n def x():\n{survivor}\n",
    }
    program.with_suffix(".json").write_text(json.dumps(answers), encoding="utf-8")
    monkeypatch.setattr(mutants, "_MUTMUT", program)


@pytest.mark.skipif(sys.platform == "win32", reason="mutmut forks, which Windows cannot")
@pytest.mark.parametrize(
    "killed, survivor, status",
    [(100, None, 0), (99, EXPLAINED, 0), (99, UNHEARD_OF, 1), (90, EXPLAINED, 0), (89, None, 1)],
)
def test_a_survivor_must_be_explained_and_nine_of_ten_must_be_killed(
    killed: int,
    survivor: str | None,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    play(tmp_path, monkeypatch, killed=killed, survivor=survivor)

    assert mutants.main([]) == status

    printed = capsys.readouterr().out
    assert f"{killed} of 100 mutants were killed." in printed
    assert (UNHEARD_OF in printed) == (survivor == UNHEARD_OF)


def test_says_so_where_mutmut_cannot_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mutants, "_MUTMUT", tmp_path / "nowhere")

    assert mutants.main([]) == 1
    assert "a system that forks" in capsys.readouterr().out


def test_each_explained_survivor_changes_a_line_of_the_policy() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = {
        line.strip()
        for module in project["tool"]["mutmut"]["only_mutate"]
        for line in (ROOT / module).read_text(encoding="utf-8").splitlines()
    }
    explained = mutants.KNOWN.read_text(encoding="utf-8").splitlines()
    changed = [line[1:].strip() for line in explained if line.startswith("-    ")]

    assert len(changed) == 8
    assert set(changed) <= lines
