"""The command line: parses what was typed, runs one command, prints its answer."""

import argparse
import asyncio
import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from admin import check, history, orders, snoozing, trial
from admin.command import CommandError, Commands, ExitStatus
from apple_tokens.operator_tables import GoneError
from apple_tokens.settings import SettingsError


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m admin",
        description="What an administrator can ask and order.",
        epilog="`COMMAND --help` tells more of one command. What the app reads from its settings, "
        "such as TIME_ZONE, TENANT_ID and GRAPH_CLOUD, is read here from the environment.",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=20),
        allow_abbrev=False,
    )
    commands = Commands(parser)
    for module in (check, history, snoozing, orders, trial):
        module.add_to(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = build_parser().parse_args(arguments)
    _prepare_output()
    try:
        answer = asyncio.run(options.run(options, os.environ, datetime.now(UTC)))
    except (CommandError, GoneError, SettingsError) as error:
        print(error, file=sys.stderr)
        return ExitStatus.NOT_DONE
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except Exception:  # noqa: BLE001 # Python itself would end with 1, which says "problems found"
        traceback.print_exc()
        print("This is a defect of the program: please report the lines above.", file=sys.stderr)
        return ExitStatus.NOT_DONE
    print(answer.text)
    return int(answer.status)


def _prepare_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A name that the console's encoding lacks a letter for must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # What goes wrong is said once, by the error that the command ends with.
    for name in ("azure.core", "azure.identity"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
