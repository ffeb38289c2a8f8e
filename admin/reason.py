"""The reason that an operator gives for an order: it stands in the rows and in the channel."""

import argparse

from admin.command import CommandError

_LONGEST = 500


def add_reason(parser: argparse.ArgumentParser, for_whom: str) -> None:
    """Describe the option."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help=f"why, {for_whom}")


def read_reason(options: argparse.Namespace) -> str:
    """Return the reason. Raise CommandError when it is empty or too long for a card."""
    reason = str(options.reason).strip()
    if not reason:
        raise CommandError("--reason is empty: say why")
    if len(reason) > _LONGEST:
        raise CommandError(f"--reason has {len(reason)} characters: at most {_LONGEST}")
    return reason
