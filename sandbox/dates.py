"""Turn "+20d" into a moment, and a moment into one of the spellings in which Graph writes it."""

import re
from datetime import UTC, datetime, timedelta, timezone

#: What Intune is known to send for a date that was never set.
NEVER = datetime(1, 1, 1, tzinfo=UTC)

_RELATIVE = re.compile(
    r"(?P<sign>[+-])(?=\d)(?:(?P<days>\d+)d)?\s*(?:(?P<hours>\d+)h)?\s*"
    r"(?:(?P<minutes>\d+)m)?\s*(?:(?P<seconds>\d+)s)?"
)
_PACIFIC = timezone(timedelta(hours=-8))


def resolve_date(value: str | datetime, now: datetime) -> datetime:
    """Read "+20d", "-1d 6h", "now", "never" (year 1) or a full date as an aware moment.

    Raise ValueError for anything else, naming what is allowed.
    """
    if isinstance(value, datetime):
        moment = value
    elif value == "never":
        return NEVER
    elif value == "now":
        return now
    elif relative := _RELATIVE.fullmatch(value):
        parts = {unit: int(relative[unit] or 0) for unit in ("days", "hours", "minutes", "seconds")}
        return now + timedelta(**parts) * (-1 if relative["sign"] == "-" else 1)
    else:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(
                f'{value!r} is no date: write "+20d", "-3h", "-1d 6h", "now", "never" '
                "or 2026-12-01T08:00:00Z"
            ) from error
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone: write 2026-12-01T08:00:00Z")
    return moment


def graph_date(moment: datetime, spelling: int = 0) -> str:
    """Write a moment as Graph does, in one of the three spellings seen in its answers.

    0 is whole seconds where possible with `Z`, 1 has seven fractional digits, 2 an offset of eight
    hours. A date at the edge of the calendar keeps `Z`, since no offset can express it.
    """
    at_utc = moment.astimezone(UTC)
    plain = at_utc.isoformat().replace("+00:00", "Z")
    seven_digits = f"{at_utc.date().isoformat()}T{at_utc:%H:%M:%S.%f}0Z"
    offset = at_utc.astimezone(_PACIFIC).isoformat() if at_utc.year > 1 else plain
    return (plain, seven_digits, offset)[spelling % 3]
