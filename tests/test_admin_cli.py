"""The command line itself: help, exit statuses, and no traceback for what can be foreseen."""

import io
import re
import runpy
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Self

import pytest
from azure.core.credentials import AccessToken
from azure.data.tables import TableServiceClient

from admin import cli, orders
from admin.cli import main
from apple_tokens.codec import encode
from apple_tokens.model import Problem
from apple_tokens.rows import AlertRow, RunRow
from apple_tokens.settings import CONNECTION
from apple_tokens.tables import ALERTS, STATUS
from check_tokens import signin
from tests.builders import NOW, alert
from tests.seeded import ROOT

COMMANDS = (
    "check",
    "history",
    "snooze",
    "unsnooze",
    "snoozes",
    "accept-topic",
    "check-now",
    "test-card",
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (CONNECTION, "TENANT_ID", "TIME_ZONE", "GRAPH_ENDPOINT", "TEAMS_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


class TestHelp:
    def test_lists_every_command_with_what_it_does(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["--help"])

        assert ended.value.code == 0
        listed = capsys.readouterr().out
        for command in COMMANDS:
            assert re.search(rf"^    {command}\s+\w+ \w+", listed, re.MULTILINE)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_a_command_begins_with_a_sentence_and_describes_every_option(
        self, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])

        assert ended.value.code == 0
        usage, about, *_ = capsys.readouterr().out.split("\n\n")
        assert usage.startswith(f"usage: python -m admin {command}")
        assert about[0].isupper()
        assert about.rstrip().endswith(".")
        (parser,) = (
            parsers.choices[command]
            for parsers in cli.build_parser()._actions  # noqa: SLF001 -- argparse shows it nowhere else
            if isinstance(parsers.choices, dict)
        )
        assert all(action.help for action in parser._actions)  # noqa: SLF001 -- as above

    def test_is_repeated_by_the_readme(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        (parsers,) = (
            action.choices
            for action in cli.build_parser()._actions  # noqa: SLF001 -- argparse shows it nowhere else
            if isinstance(action.choices, dict)
        )

        assert set(parsers) == set(COMMANDS)
        for command in COMMANDS:
            assert re.search(rf"^\|.*`{command}[ `].*\|$", readme, re.MULTILINE), command

    def test_fits_into_80_columns(self, capsys: pytest.CaptureFixture[str]) -> None:
        for command in ("", *COMMANDS):
            with pytest.raises(SystemExit):
                main([*filter(None, [command]), "--help"])

        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["chekc"],
            ["check", "--sign-in", "magic"],
            ["snooze", "Shops", "--until", "2027-01-31"],
            ["snooze", "Shops", "--reason", "x"],
            ["accept-topic"],
            ["history"],
            ["snoozes", "--stor", "stwatch42"],
        ],
        ids=" ".join,
    )
    def test_wrongly_ends_with_2_and_the_usage(
        self, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(words)

        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith("usage: python -m admin")

    def test_names_the_ways_to_sign_in(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["check", "--sign-in", "magic"])

        said = capsys.readouterr().err
        for way in ("browser", "device-code", "azure-cli", "managed-identity"):
            assert way in said
        assert "SignIn" not in said


class TestItEnds:
    @pytest.mark.parametrize(
        "words,said",
        [
            (["snoozes"], "name the app's storage account with --storage ACCOUNT"),
            (["test-card", "--direct"], "TEAMS_WEBHOOK_URL is not set"),
            (["check", "--tenant", "a b"], "--tenant is 'a b'"),
        ],
        ids=lambda value: value if isinstance(value, str) else value[0],
    )
    def test_with_2_and_a_sentence_when_it_could_not_be_carried_out(
        self, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(words) == 2

        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(said)
        assert "Traceback" not in captured.err

    @pytest.mark.e2e
    def test_with_2_when_a_row_is_gone(
        self, storage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv(CONNECTION, storage)

        assert main(["check-now", "--tenant", "nobody"]) == 2
        assert capsys.readouterr().err == "tokenstatus has no row run.check in this tenant\n"

    @pytest.mark.e2e
    def test_with_0_and_the_answer_when_all_is_well(
        self, storage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv(CONNECTION, storage)

        assert main(["snoozes", "--tenant", "nobody"]) == 0
        assert capsys.readouterr().out == "The tables hold no token of the tenant nobody.\n"

    def test_with_130_and_no_word_when_somebody_gives_up_signing_in(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Interrupted:
            """A sign-in during which Ctrl+C is pressed."""

            def __call__(self, *_: object, **__: object) -> Self:
                return self

            def get_token(self, *_: str, **__: object) -> AccessToken:
                signal.raise_signal(signal.SIGINT)
                return AccessToken("too late", 0)

        monkeypatch.setattr(signin, "DeviceCodeCredential", Interrupted())
        # Started in the background of a shell, the tests would ignore Ctrl+C.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            assert main(["check", "--sign-in", "device-code"]) == 130
        finally:
            signal.signal(signal.SIGINT, before)
        assert capsys.readouterr() == ("", "")

    def test_with_2_and_the_lines_to_report_when_the_program_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def fail(*_: object) -> None:
            raise ZeroDivisionError("a defect")

        monkeypatch.setattr(orders, "check_now", fail)

        assert main(["check-now"]) == 2
        errors = capsys.readouterr().err
        assert errors.startswith("Traceback")
        assert errors.endswith("This is a defect of the program: please report the lines above.\n")


@pytest.mark.e2e
def test_a_console_without_the_letters_of_a_name_shows_the_rest(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    snoozed = alert(
        Problem.ADE_TOKEN_EXPIRED,
        token_id="渋谷",
        snoozed_until=datetime(2100, 1, 1, tzinfo=UTC),
        snoozed_at=NOW,
        snooze_reason="x",
    )
    cells = encode(snoozed, frozenset({"Severity", "SeveritySince", "Since", "SeenAt"}))
    cells |= encode(snoozed, AlertRow.OPERATOR_COLUMNS)
    with TableServiceClient.from_connection_string(storage) as service:
        for table, key, columns in (
            (ALERTS, "ade_token.%E6%B8%8B%E8%B0%B7.ade_token_expired", cells),
            (STATUS, RunRow.key, {}),
            (STATUS, "ade_token.1", {}),
        ):
            service.create_table_if_not_exists(table).upsert_entity(
                {"PartitionKey": "t", "RowKey": key, **columns}
            )
    monkeypatch.setenv(CONNECTION, storage)
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)

    assert main(["snoozes"]) == 0

    console.seek(0)
    assert "\\u6e0b\\u8c37" in console.read()


class TestTheModule:
    def test_runs_the_command_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["admin", "snoozes"])
        monkeypatch.setattr(sys, "stdout", io.StringIO())  # as under a tool that captures it
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("admin", run_name="__main__")

        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith("name the app's storage account")

    def test_names_what_to_install_where_a_package_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "admin.cli", None)
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("admin", run_name="__main__")

        assert ended.value.code == 2
        assert "run `pip install -r requirements.txt`" in capsys.readouterr().err

    def test_says_so_under_a_python_without_any_package(self) -> None:
        ended = subprocess.run(
            [sys.executable, "-S", "-m", "admin", "check"],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

        assert ended.returncode == 2
        assert ended.stderr.startswith("No module named ")
        assert "pip install -r requirements.txt" in ended.stderr
