"""Which critical problems are open for too long (pure): said in the log, once and then weekly.

The log is the second way to people, which does not lead through Teams.
"""

from datetime import timedelta

import msgspec

from apple_tokens.model import EXPIRED, EXPIRING, Severity, TokenKind
from apple_tokens.rows import AlertRow
from apple_tokens.snooze import is_snoozed
from check_tokens.alerting import Moment
from check_tokens.clock_steps import CLOCK_STEP
from check_tokens.policy import Policy

AT_ONCE_DAYS = 3
"""From here on a token that expires is escalated without waiting."""
_AGAIN_AFTER = timedelta(days=6, hours=12)
"""A week, less what checks differ in their time of day: else it would often take eight days."""
_EXPIRED = frozenset(EXPIRED.values())


def escalate(alert: AlertRow, moment: Moment, policy: Policy) -> AlertRow:
    """Return the alert, with `escalated_at` at this check when it must be said now."""
    if alert.ended_at is not None:
        return msgspec.structs.replace(alert, escalated_at=None)
    if not _is_overdue(alert, moment, policy):
        return alert
    said_at = alert.escalated_at
    # Said by a clock that was far ahead, it would otherwise not be said until then.
    if said_at is not None and -CLOCK_STEP <= moment.now - said_at < _AGAIN_AFTER:
        return alert
    return msgspec.structs.replace(alert, escalated_at=moment.now)


def _is_overdue(alert: AlertRow, moment: Moment, policy: Policy) -> bool:
    is_open = alert.clear_since is None and not alert.silenced
    if not is_open or alert.severity is not Severity.CRITICAL or is_snoozed(alert, moment.now):
        return False
    # What nobody was to be told yet (a failed sync seen once) is not overdue either.
    if not alert.was_told and not alert.is_untold:
        return False
    if alert.kind is TokenKind.PUSH or alert.problem in _EXPIRED:
        return True
    if alert.problem in EXPIRING.values() and alert.facts.old_expires_on is not None:
        return alert.facts.old_expires_on - moment.now <= timedelta(days=AT_ONCE_DAYS)
    critical_since = alert.severity_since or alert.since
    return moment.now - critical_since >= timedelta(days=policy.escalate_days)
