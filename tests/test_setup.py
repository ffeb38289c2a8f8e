"""The set-up of a newcomer's machine: what is done when, and what is said when it fails."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox import __main__ as starter
from sandbox import bootstrap, node
from sandbox.bootstrap import SetupError
from sandbox.node import Node


class Machine:
    """A machine on which every step of the set-up succeeds, unless told otherwise."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.has_node = True
        self.failing_step = ""
        self.steps: list[str] = []

    def call(self, words: Sequence[str | Path], advice: str, cwd: Path | None = None) -> None:
        line = " ".join(map(str, words))
        name = next(
            name for name in ("venv --clear", "dev.txt", "node.txt", "npm ci") if name in line
        )
        self.steps.append(name)
        if name == self.failing_step:
            raise SetupError(advice)
        if name == "venv --clear":
            (self.root / ".venv").mkdir(exist_ok=True)
        if name == "node.txt":
            self.has_node = True
        if name == "npm ci":
            (self.root / "node_modules").mkdir(exist_ok=True)

    def find_node(self) -> Node | None:
        return Node(Path("node"), ("npm",)) if self.has_node else None

    def set_up(self) -> list[str]:
        """Set up once, and return the steps that it took."""
        self.steps.clear()
        bootstrap.prepare()
        return list(self.steps)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    for name, value in {
        "VENV": tmp_path / ".venv",
        "NODE_MODULES": tmp_path / "node_modules",
        "_PYTHON_LOCK": tmp_path / "dev.txt",
        "_NODE_LOCK": tmp_path / "node.txt",
        "_NODE_MODULES_LOCK": tmp_path / "package-lock.json",
        "_call": machine.call,
        "_starts": lambda _: True,
    }.items():
        monkeypatch.setattr(bootstrap, name, value)
    monkeypatch.setattr(node, "find", machine.find_node)
    for lock in ("dev.txt", "node.txt", "package-lock.json"):
        (tmp_path / lock).write_text("one version", encoding="utf-8")
    return machine


def test_a_fresh_clone_takes_every_step_and_a_second_run_none(machine: Machine) -> None:
    assert machine.set_up() == ["venv --clear", "dev.txt", "npm ci"]
    assert machine.set_up() == []


def test_node_comes_from_pypi_where_the_machine_has_none(machine: Machine) -> None:
    machine.has_node = False

    assert machine.set_up() == ["venv --clear", "dev.txt", "node.txt", "npm ci"]


@pytest.mark.parametrize(
    "lock, steps",
    [("dev.txt", ["venv --clear", "dev.txt"]), ("package-lock.json", ["npm ci"]), ("node.txt", [])],
)
def test_a_changed_lock_repeats_its_own_step_only(
    machine: Machine, lock: str, steps: list[str]
) -> None:
    machine.set_up()

    (machine.root / lock).write_text("another version", encoding="utf-8")

    assert machine.set_up() == steps


@pytest.mark.parametrize("step", ["venv --clear", "dev.txt", "npm ci"])
def test_a_step_that_failed_is_taken_again(machine: Machine, step: str) -> None:
    machine.failing_step = step
    with pytest.raises(SetupError):
        machine.set_up()

    machine.failing_step = ""

    assert step in machine.set_up()


def test_an_environment_whose_python_is_gone_is_made_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.set_up()

    monkeypatch.setattr(bootstrap, "_starts", lambda _: False)

    assert machine.set_up() == ["venv --clear", "dev.txt"]


def test_every_step_is_shown_while_it_works(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.set_up()

    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 3
    assert all(line.endswith("... 0 s") for line in shown)


def test_a_failed_command_is_told_with_its_last_words_and_what_to_do() -> None:
    script = "print('many', 'words', sep='\\n'); print('the last word'); raise SystemExit(3)"

    with pytest.raises(SetupError) as raised:
        bootstrap._call([sys.executable, "-c", script], "Try the mirror.")  # noqa: SLF001

    assert str(raised.value).endswith("the last word\nThe step failed (status 3). Try the mirror.")


def test_a_command_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no-such-command does not start"):
        bootstrap._call([tmp_path / "no-such-command"], "Install it.")  # noqa: SLF001


@pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")
@pytest.mark.parametrize(
    "version, fits", [("v19.9.0", False), ("v20.0.0", True), ("v26.1.0", True)]
)
def test_a_node_on_the_path_is_taken_from_version_20_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, fits: bool
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "_in_venv", list)

    assert (node.find() is not None) == fits


@pytest.mark.parametrize("arguments, status", [([], 2), (["dmeo"], 2), (["--help"], 0)])
def test_without_a_command_the_commands_are_listed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert starter.main(arguments) == status
    assert "demo [--days N]" in capsys.readouterr().out


def test_a_python_that_is_too_old_says_which_ones_fit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(starter, "OLDEST", (3, 99))
    monkeypatch.setenv("PATH", "")

    assert starter.main(["demo"]) == 1
    assert "Install one and name it: python3.13 -m sandbox demo" in capsys.readouterr().err
