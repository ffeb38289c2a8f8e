"""The rules of the project's tools: each is seen to find a fault that was put there on purpose."""

import sysconfig
from pathlib import Path

import pytest

from tests.seeded import Copy, copy_project

SCRIPTS = Path(sysconfig.get_path("scripts"))
PACKAGES = ("apple_tokens", "check_tokens", "notify", "admin", "sandbox/*.py", "benchmarks/*.py")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return copy_project(tmp_path, "pyproject.toml", "function_app.py", *PACKAGES)


def append(copy: Copy, file: str, line: str) -> None:
    path = copy.root / file
    text = path.read_text(encoding="utf-8") if path.exists() else '"""A seeded fault."""\n\n'
    path.write_text(f"{text}{line}\n", encoding="utf-8")


def test_the_import_rules_hold(copy: Copy) -> None:
    done = copy.run(SCRIPTS / "lint-imports")

    assert done.returncode == 0, done.stdout


ONE_WAY = "Imports go one way"
PURE = "The pure core does no input or output and reads no clock"


@pytest.mark.parametrize(
    "file, line, rule",
    [
        ("apple_tokens/events.py", "import check_tokens.policy", ONE_WAY),
        ("apple_tokens/events.py", "import notify.teams", ONE_WAY),
        ("check_tokens/sources.py", "import notify.teams", ONE_WAY),
        ("notify/teams.py", "import check_tokens.policy", ONE_WAY),
        ("notify/teams.py", "import admin", ONE_WAY),
        ("admin/__init__.py", "import sandbox.node", ONE_WAY),
        ("admin/__init__.py", "import function_app", "The app's entry point is started"),
        ("check_tokens/sources.py", "import msgraph", "The models of the Graph SDK stay unloaded"),
        ("apple_tokens/model.py", "import os", PURE),
        ("apple_tokens/messages.py", "import logging", PURE),
        ("check_tokens/schedule.py", "import time", PURE),
        ("check_tokens/alerting.py", "import apple_tokens.tables", PURE),
        ("check_tokens/diagnosis.py", "import check_tokens.sources", PURE),
        ("notify/card.py", "import notify.teams", PURE),
    ],
)
def test_an_import_that_goes_the_wrong_way_is_found(
    copy: Copy, file: str, line: str, rule: str
) -> None:
    append(copy, file, line)

    done = copy.run(SCRIPTS / "lint-imports")

    assert done.returncode == 1, done.stdout
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert len(broken) == 1
    assert broken[0].startswith(rule)


CLOCK = "import datetime as dt\n\nNOW = dt.datetime.now(dt.UTC)"


@pytest.mark.parametrize(
    "file, code",
    [
        ("apple_tokens/seeded.py", CLOCK),
        ("check_tokens/seeded.py", CLOCK),
        ("notify/seeded.py", "import time\n\nNOW = time.time()"),
    ],
)
def test_a_clock_that_is_read_outside_of_a_blueprint_or_a_command_is_found(
    copy: Copy, file: str, code: str
) -> None:
    append(copy, file, code)

    done = copy.run(SCRIPTS / "ruff", "check", "--output-format=concise", file)

    assert done.returncode == 1, done.stdout
    assert "TID251" in done.stdout
    assert "Time is an argument" in done.stdout


def test_a_command_and_a_blueprint_may_read_the_clock(copy: Copy) -> None:
    for file in ("admin/seeded.py", "notify/seeded/blueprint.py"):
        (copy.root / file).parent.mkdir(exist_ok=True)
        append(copy, file, CLOCK)
        assert "TID251" not in copy.run(SCRIPTS / "ruff", "check", file).stdout


def test_a_value_without_a_type_is_found(copy: Copy) -> None:
    append(copy, "apple_tokens/seeded.py", "def told(step):\n    return step")

    done = copy.run(SCRIPTS / "mypy", "-m", "apple_tokens.seeded")

    assert done.returncode == 1, done.stdout
    assert "no-untyped-def" in done.stdout
