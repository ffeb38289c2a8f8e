"""How a card speaks: the catalogue of one language, with dates in the tenant's time zone.

Dates are printed in full (2026-12-01) with their zone: the {{DATE()}} of Adaptive Cards is not
reliable in Teams. Ages count from the check, since a card may be read much later than it was made.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from apple_tokens.model import Cloud
from notify.remediation.catalogue import Catalogue

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_GRACE = 30 * _DAY
"""So long after its expiry a push certificate can be renewed without enrolling devices again."""


class Presentation(Struct, frozen=True, kw_only=True):
    """How the operator wants cards: in one language or two, in which time zone and cloud."""

    catalogues: tuple[Catalogue, ...]
    """Where there are two, the second one is folded behind a button."""
    zone: ZoneInfo
    cloud: Cloud
    """Decides to which admin center the buttons lead."""


class Voice(Struct, frozen=True, kw_only=True):
    """One language, at one check."""

    catalogue: Catalogue
    zone: ZoneInfo
    cloud: Cloud
    checked_at: datetime

    def word(self, key: str, **values: int | str) -> str:
        """Return a fixed text of the catalogue."""
        return self.catalogue.word(key, **values)

    def count(self, key: str, n: int, **values: int | str) -> str:
        """Return a fixed text of the catalogue that counts."""
        return self.catalogue.count(key, n, **values)

    def labelled(self, label: str, value: str = "") -> str:
        """Return `label: value` as the language writes it."""
        return self.word("list.labelled", label=label, value=value)

    def join(self, texts: Iterable[str]) -> str:
        """Return texts in a row."""
        return self.word("list.separator").join(texts)

    def date(self, instant: datetime) -> str:
        """Return the local date."""
        return f"{self._local(instant):%Y-%m-%d}"

    def dated(self, instant: datetime) -> str:
        """Return the local date with its zone."""
        return f"{self.date(instant)} ({self.zone.key})"

    def time(self, instant: datetime) -> str:
        """Return the local date and time with its zone."""
        return f"{self._local(instant):%Y-%m-%d %H:%M} ({self.zone.key})"

    def left(self, expires_on: datetime) -> str:
        """Return for how long a token is still valid, or no longer."""
        left = expires_on - self.checked_at
        if left > timedelta(0):
            return self._whole(left // _DAY, "time.days_left", "time.less_than_a_day_left")
        return self._whole(-left // _DAY, "time.expired_days_ago", "time.expired_today")

    def ago(self, instant: datetime) -> str:
        """Return how long before the check something was."""
        age = self.checked_at - instant
        if age >= 2 * _DAY:
            return self.count("time.days_ago", age // _DAY)
        return self._whole(age // _HOUR, "time.hours_ago", "time.less_than_an_hour_ago")

    def lasted(self, since: datetime, until: datetime) -> str:
        """Return how long a problem lasted."""
        return self._whole(
            (until - since) // _DAY, "time.lasted_days", "time.lasted_less_than_a_day"
        )

    def grace(self, expired_on: datetime) -> str:
        """Return how long an expired push certificate can still be renewed without re-enrolling."""
        left = _GRACE - (self.checked_at - expired_on)
        if left < timedelta(0):
            return self.word("push.grace_over")
        return self._whole(left // _DAY, "push.grace_left", "push.grace_last_day")

    def _local(self, instant: datetime) -> datetime:
        try:
            return instant.astimezone(self.zone)
        except OverflowError:
            return instant  # the last day of the year 9999, which stands for "never"

    def _whole(self, number: int, counted: str, none: str) -> str:
        return self.count(counted, number) if number > 0 else self.word(none)
