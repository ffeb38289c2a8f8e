"""The tokens of a tenant as a table of text (pure)."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import accumulate

from apple_tokens.model import Health, TokenKind
from apple_tokens.rows import TokenRow

KIND_NAMES = {
    TokenKind.ADE: "ADE token",
    TokenKind.VPP: "VPP token",
    TokenKind.PUSH: "MDM push certificate",
}
_ORDER = {Health.UNHEALTHY: 0, Health.UNKNOWN: 1, Health.WARNING: 2, Health.HEALTHY: 3}
_HEADINGS = ("Health", "Kind", "Name", "Expires", "Days", "Last sync", "Problems")
_WIDEST = 48
"""So many columns of the terminal has a cell at most; a name can be as long as Apple lets it."""


def status_table(rows: Iterable[TokenRow], zone: tzinfo = UTC) -> str:
    """Return all tokens, the worst first, one line each; dates are those in `zone`."""
    return columns([_HEADINGS, *(_line(row, zone) for row in by_urgency(rows))])


def by_urgency(rows: Iterable[TokenRow]) -> list[TokenRow]:
    """Return the worst first, and of these the first to expire."""
    return sorted(rows, key=_urgency)


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in columns; all but the last cell of a line are cut when too long."""
    shown = [
        [*(_cut(printable(cell)) for cell in line[:-1]), printable(line[-1])] for line in lines
    ]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in shown
    )


def day(instant: datetime | None, zone: tzinfo = UTC) -> str:
    """Return the date of a time in a zone, `unknown` for none."""
    if instant is None:
        return "unknown"
    try:
        return instant.astimezone(zone).date().isoformat()
    except OverflowError:  # the last day of the year 9999 can be over in another zone
        return instant.date().isoformat()


def printable(text: str) -> str:
    """Return text from outside as one line that cannot steer a terminal."""
    # C are control, bidirectional and unassigned characters, Z all kinds of spaces.
    return "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text).strip()


def _urgency(row: TokenRow) -> tuple[int, float, str, str]:
    expires_on = row.token.expires_on
    return (
        _ORDER[row.health],
        expires_on.timestamp() if expires_on else 0.0,
        row.token.name,
        row.key,
    )


def _line(row: TokenRow, zone: tzinfo) -> tuple[str, ...]:
    token = row.token
    return (
        row.health,
        KIND_NAMES[token.kind],
        printable(token.name) or printable(token.apple_account) or token.id,
        day(token.expires_on, zone),
        "" if row.days_left is None else str(row.days_left),
        "" if token.kind is TokenKind.PUSH else day(token.last_synced_at, zone),
        row.problems,
    )


def _cut(cell: str) -> str:
    if _width(cell) <= _WIDEST:
        return cell
    beside_ellipsis = (width <= _WIDEST for width in accumulate(map(_width, cell), initial=1))
    return f"{cell[: sum(beside_ellipsis) - 1]}…"


def _width(text: str) -> int:
    """Count the columns of a terminal: two for East Asian characters, none for marks on others."""
    return sum(
        0
        if unicodedata.category(c) in {"Mn", "Me"}
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
