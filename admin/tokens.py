"""Which token an operator means, and how what is typed becomes a time (pure)."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from admin.storage import CommandError
from admin.table import KIND_NAMES, printable
from apple_tokens.rows import AlertRow, TokenRow

LONGEST_SNOOZE_DAYS = 90


def find_token(rows: Iterable[TokenRow], wanted: str) -> TokenRow:
    """Return the token with this id or name. Raise CommandError when it is not exactly one."""
    rows = list(rows)
    found = [row for row in rows if wanted in {row.token.id, row.key}]
    found = found or [row for row in rows if row.token.name == wanted]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"no token has the id or name {wanted!r}")
    listed = "; ".join(f"{row.key} ({printable(row.token.name)})" for row in found)
    raise CommandError(f"{len(found)} tokens are called {wanted!r}, name one by its id: {listed}")


def find_alert(alerts: Iterable[AlertRow], row: TokenRow, problem: str) -> AlertRow:
    """Return the open alert of a token. Raise CommandError when it is not exactly one."""
    of_token = [a for a in alerts if (a.kind, a.token_id) == (row.token.kind, row.token.id)]
    still_open = [alert for alert in of_token if alert.ended_at is None]
    found = [alert for alert in still_open if problem in {"", alert.problem}]
    what = f"{KIND_NAMES[row.token.kind]} {printable(row.token.name)}"
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"{what} has no open alert{f' {problem}' if problem else ''}")
    listed = ", ".join(alert.problem for alert in found)
    raise CommandError(f"{what} has {len(found)} open alerts, name one with --problem: {listed}")


def end_of_snooze(typed: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the day on which the alert is told again.

    Raise CommandError for what is no date, and for one that is past or too far away: a snooze
    without an end is how tokens are forgotten.
    """
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise CommandError(f"--until is {typed!r}: use a date such as 2027-01-31") from None
    until = datetime.combine(day, time(), zone)
    if until <= now:
        raise CommandError(f"--until is {typed}, which is past: use a later date")
    if until - now > timedelta(days=LONGEST_SNOOZE_DAYS):
        latest = (now.astimezone(zone) + timedelta(days=LONGEST_SNOOZE_DAYS)).date()
        raise CommandError(
            f"--until is {typed}: at most {LONGEST_SNOOZE_DAYS} days ahead, {latest} or earlier"
        )
    return until
