"""Times that a clock wrote which was wrong (pure): what lies far ahead counts as just now.

Taken as they are, such times would keep a removed token, a failed sync or an open problem silent
until they have come. A step back of up to a day is left alone: it mends itself.
"""

from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from apple_tokens.rows import AlertRow, TokenRow

CLOCK_STEP = timedelta(days=1)
_REMEMBERED: dict[type[Struct], tuple[str, ...]] = {
    TokenRow: ("checked_at", "first_seen_at", "absent_since", "renewed_at"),
    AlertRow: (
        *("since", "seen_at", "clear_since", "ended_at"),
        *("severity_since", "due_since", "escalated_at"),
    ),
}
"""What a check writes down of its own time."""

_Row = TypeVar("_Row", TokenRow, AlertRow)


def until_now(row: _Row, now: datetime) -> _Row:
    """Return a row in which no check was later than `now`, but for a small step of the clock."""
    limit = now + CLOCK_STEP
    times = ((name, getattr(row, name)) for name in _REMEMBERED[type(row)])
    ahead = {name: now for name, time in times if time is not None and time > limit}
    return msgspec.structs.replace(row, **ahead) if ahead else row
