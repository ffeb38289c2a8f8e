"""What a command is: the arguments it takes, what runs, and how it ends."""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import IntEnum

from msgspec import Struct


class ExitStatus(IntEnum):
    """What a script learns from a command."""

    DONE = 0
    """Done; of `check`: everything was read, and nothing is wrong."""
    PROBLEMS = 1
    """`check` alone: everything was read, and something is wrong."""
    NOT_DONE = 2
    """It could not be carried out; of `check`: not everything could be read."""
    INTERRUPTED = 130
    """Ended with Ctrl+C."""


class Answer(Struct, frozen=True):
    """What a command prints at its end, and its exit status."""

    text: str
    status: ExitStatus = ExitStatus.DONE


class CommandError(Exception):
    """A command that could not be carried out; the text says what to do."""


Environment = Mapping[str, str]
Run = Callable[[argparse.Namespace, Environment, datetime], Awaitable[Answer]]
"""Carries a command out: what was typed, the environment variables, and the time."""


class Commands:
    """The commands of a parser, to which each module adds its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def add(self, name: str, run: Run, about: str, details: str = "") -> argparse.ArgumentParser:
        """Add a command; `about` stands in the list of all, `details` in its own help only."""
        command = self._commands.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}. {details}".rstrip(),
            allow_abbrev=False,
        )
        command.set_defaults(run=run)
        return command
