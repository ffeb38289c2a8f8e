"""What an operator may set about diagnosis, alerts and times of checking, as one value."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

CRITICAL_DAYS = 7
"""From here an expiring token is critical: the days in which Microsoft's own connector status
warns (learn.microsoft.com/mem/intune/fundamentals/tenant-status)."""

TERMS_ROW = 3
"""The row of Microsoft's table that means: Apple's terms are not accepted."""


class Policy(Struct, frozen=True, kw_only=True):
    """The limits of the checks. Hours and days are exact time, check dates follow `time_zone`."""

    check_at: time = time(8)
    time_zone: ZoneInfo = ZoneInfo("UTC")
    remind_days: tuple[int, ...] = (30, 14, 7, 3, 1)
    """The stages of `…_expiring`, from the largest to the smallest."""
    repeat_critical_days: int = 14
    """On how many check dates a critical problem is told, the first telling included."""
    stale_sync_h_ade: int = 36
    stale_sync_h_vpp: int = 48
    digest_weekday: int = 0
    """0 is Monday."""
    escalate_days: int = 3
    ade_sync_errors: dict[int, int] = {}
    """Further known error codes: code → row of Microsoft's table (1–11)."""

    @property
    def stages(self) -> tuple[int, ...]:
        """The reminder stages in days, ascending.

        The day from which an expiring token is critical is always a stage within the largest one:
        a higher severity is told, whatever stages were set.
        """
        largest = max(self.remind_days)
        return tuple(sorted({*self.remind_days, min(CRITICAL_DAYS, largest)}))

    def sync_error_row(self, code: int) -> int:
        """Return the row of Microsoft's table that a code is known to mean, 0 when unknown."""
        return ({TERMS_ROW: TERMS_ROW} | self.ade_sync_errors).get(code, 0)


SECOND_SIGHT_AFTER = timedelta(hours=6)
"""How far apart two checks must see a failed sync before it is told."""
SETTLING_AFTER_RENEWAL = timedelta(hours=48)
"""How long old sync errors are silenced after a renewal: Apple is asked once or twice a day."""
REMOVED_AFTER = timedelta(hours=20)
"""How far apart two successful checks must miss a token before it counts as removed."""
CLEAR_AFTER = timedelta(hours=20)
"""How far apart two successful checks without a sync problem must be before it has ended."""
FORGOTTEN_AFTER = timedelta(hours=72)
"""For how long after its end an alert goes on when the problem is seen again."""
STALE_CRITICAL_AFTER = timedelta(hours=72)
"""Microsoft calls a connector unhealthy after three days without a sync (tenant-status)."""
UNREAD_CRITICAL_AFTER = timedelta(hours=72)
"""A source that could not be read for so long is as good as unwatched."""
