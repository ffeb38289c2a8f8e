"""The command line: parses what was typed, runs one command, prints its answer."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from admin import check, history, orders, storage
from admin.storage import CommandError
from apple_tokens.model import Problem
from apple_tokens.operator_tables import GoneError
from apple_tokens.settings import SettingsError

Command = Callable[[argparse.Namespace, Mapping[str, str], datetime], Awaitable[tuple[int, str]]]

_ARGUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "token": ("token", {"metavar": "TOKEN", "help": "id or name of the token"}),
    "problem": (
        "--problem",
        {
            "choices": list(Problem),
            "default": "",
            "metavar": "PROBLEM",
            "help": "which alert, where the token has several",
        },
    ),
    "until": (
        "--until",
        {
            "required": True,
            "metavar": "DATE",
            "help": "the day on which it is told again, such as 2027-01-31; at most 90 days ahead",
        },
    ),
    "reason": (
        "--reason",
        {
            "required": True,
            "metavar": "TEXT",
            "help": "why, for the digest and whoever comes after you",
        },
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; 2 when it could not be carried out."""
    options = _parser().parse_args(arguments)
    try:
        status, output = asyncio.run(options.run(options, os.environ, datetime.now(UTC)))
    except (CommandError, GoneError, SettingsError) as error:
        print(error, file=sys.stderr)
        return check.COULD_NOT_CHECK
    except KeyboardInterrupt:
        return 130
    print(output)
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m admin", description="What an operator may ask and order."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        return command

    check.add_arguments(
        add("check", check.run, "read Graph as yourself, write nothing, print what is wrong")
    )
    for name, run, about, takes in (
        ("history", history.run, "print what changed on one token", ("token",)),
        (
            "snooze",
            orders.snooze,
            "silence one alert until a date",
            ("token", "problem", "until", "reason"),
        ),
        ("unsnooze", orders.unsnooze, "end a snooze", ("token", "problem")),
        ("snoozes", orders.snoozes, "list the snoozes that apply", ()),
        (
            "accept-topic",
            orders.accept_topic,
            "accept the push certificate's new topic",
            ("reason",),
        ),
        ("check-now", orders.check_now, "have all sources read by the next tick", ()),
    ):
        command = add(name, run, about)
        storage.add_arguments(command)
        for argument in takes:
            words, described = _ARGUMENTS[argument]
            command.add_argument(words, **described)
    return parser


if __name__ == "__main__":
    sys.exit(main())
