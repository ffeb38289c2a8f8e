"""Which token and alert an operator means, and how what is typed becomes a time (pure)."""

import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from admin.command import CommandError
from admin.table import KIND_NAMES, printable
from apple_tokens.rows import AlertRow, TokenRow

LONGEST_SNOOZE_DAYS = 90


class UnknownTokenError(CommandError):
    """No token has the id or name that was typed."""


def find_token(rows: Iterable[TokenRow], wanted: str) -> TokenRow:
    """Return the token with this id, key (`<kind>.<id>`) or name.

    A name may be typed as it is shown, without regard to case. Raise CommandError when it is not
    exactly one, and of that UnknownTokenError when it is none.
    """
    rows = list(rows)
    means: tuple[Callable[[TokenRow], bool], ...] = (
        lambda row: wanted in {row.token.id, row.key},
        lambda row: wanted == row.token.name != "",
        lambda row: _as_typed(wanted) == _as_typed(row.token.name) != "",
    )
    found = next(filter(None, ([row for row in rows if is_meant(row)] for is_meant in means)), [])
    if len(found) == 1:
        return found[0]
    if not found:
        close = get_close_matches(wanted, [printable(row.token.name) for row in rows], n=3)
        hint = f"; similar: {', '.join(sorted(set(close)))}" if close else ""
        raise UnknownTokenError(f"no token has the id or name “{printable(wanted)}”{hint}")
    listed = "; ".join(f"{row.key} ({printable(row.token.name)})" for row in found)
    raise CommandError(
        f"{len(found)} tokens are called “{printable(wanted)}”, name one by its id: {listed}"
    )


def find_alert(
    alerts: Iterable[AlertRow], row: TokenRow, problem: str, what: str = "open alert"
) -> AlertRow:
    """Return the alert of a token that has not ended. Raise CommandError when it is not one.

    An empty `problem` means the only one, or of several the only one that no cause silences: what
    has expired is still expiring, but nobody means that. `what` says which alerts these are.
    """
    mine = [
        alert
        for alert in alerts
        if (alert.kind, alert.token_id) == (row.token.kind, row.token.id) and alert.ended_at is None
    ]
    found = [alert for alert in mine if problem in {"", alert.problem}]
    if not problem and len(found) > 1:
        found = [alert for alert in found if not alert.silenced] or found
    if len(found) == 1:
        return found[0]
    listed = ", ".join(sorted(alert.problem for alert in mine))
    name = describe(row)
    if found:
        raise CommandError(f"{name} has {len(mine)} {what}s, name one with --problem: {listed}")
    if mine:
        raise CommandError(f"{name} has no {what} {printable(problem)}, only: {listed}")
    raise CommandError(f"{name} has no {what}")


def describe(row: TokenRow) -> str:
    """Name a token for people."""
    return f"{KIND_NAMES[row.token.kind]} {printable(row.token.name)}".rstrip()


def end_of_snooze(typed: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the day on which the alert is told again.

    Raise CommandError for what is no date, and for one that is past or too far away: a snooze
    without an end is how tokens are forgotten.
    """
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise CommandError(f"--until is {typed!r}: use a date such as 2027-01-31") from None
    today = now.astimezone(zone).date()
    # Days are counted on the calendar: in hours, the clock change could refuse the last of them.
    ahead = (day - today).days
    if ahead <= 0:
        raise CommandError(f"--until is {typed}, and today is {today}: use a later date")
    if ahead > LONGEST_SNOOZE_DAYS:
        latest = date.fromordinal(today.toordinal() + LONGEST_SNOOZE_DAYS)
        raise CommandError(
            f"--until is {typed}: at most {LONGEST_SNOOZE_DAYS} days ahead, {latest} or earlier"
        )
    return datetime.combine(day, time(), zone)


def _as_typed(name: str) -> str:
    """Return a name as somebody types it who reads it in a table or in the portal."""
    return unicodedata.normalize("NFKC", printable(name)).casefold()
