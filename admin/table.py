"""The tokens of a tenant as a table of text, or as JSON (pure)."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from apple_tokens.model import CouldNotCheck, Health, SourceResult, TokenKind
from apple_tokens.rows import TokenRow

KIND_NAMES = {
    TokenKind.ADE: "ADE token",
    TokenKind.VPP: "VPP token",
    TokenKind.PUSH: "MDM push certificate",
}
_ORDER = {Health.UNHEALTHY: 0, Health.UNKNOWN: 1, Health.WARNING: 2, Health.HEALTHY: 3}
_HEADINGS = ("Health", "Kind", "Name", "Expires", "Days", "Last sync", "Problems")
_WIDEST = 48


def status_table(rows: Iterable[TokenRow]) -> str:
    """Return all tokens, the worst first, one line each."""
    ordered = sorted(rows, key=_order)
    return columns([_HEADINGS, *(_line(row) for row in ordered)])


def status_json(rows: Iterable[TokenRow], results: Mapping[TokenKind, SourceResult]) -> str:
    """Return the tokens and how each source answered, for scripts."""
    failures = {
        kind: msgspec.to_builtins(result)
        for kind, result in results.items()
        if isinstance(result, CouldNotCheck)
    }
    document = {
        "tokens": [_record(row) for row in sorted(rows, key=_order)],
        "couldNotCheck": failures,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in columns; East Asian characters count as two."""
    cut = [[_cut(cell) for cell in line] for line in lines]
    widths = [max(_width(cell) for cell in column) for column in zip(*cut, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in cut
    )


def day(instant: datetime | None) -> str:
    """Return the date of a time in its own zone, `unknown` for none."""
    return instant.date().isoformat() if instant else "unknown"


def printable(text: str) -> str:
    """Return text from outside as one line that cannot steer a terminal."""
    return "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text).strip()


def _order(row: TokenRow) -> tuple[int, float, str, str]:
    expires_on = row.token.expires_on
    return (
        _ORDER[row.health],
        expires_on.timestamp() if expires_on else 0.0,
        row.token.name,
        row.key,
    )


def _line(row: TokenRow) -> tuple[str, ...]:
    token = row.token
    return (
        row.health,
        KIND_NAMES[token.kind],
        printable(token.name or token.apple_account) or token.id,
        day(token.expires_on),
        "" if row.days_left is None else str(row.days_left),
        "" if token.kind is TokenKind.PUSH else day(token.last_synced_at),
        row.problems,
    )


def _record(row: TokenRow) -> dict[str, object]:
    record: dict[str, object] = msgspec.to_builtins(row.token)
    return record | {
        "Health": row.health,
        "Severity": row.severity,
        "DaysLeft": row.days_left,
        "Problems": [problem for problem in row.problems.split(", ") if problem],
    }


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell)
