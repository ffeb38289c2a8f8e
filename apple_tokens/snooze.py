"""Whether an operator's snooze applies (pure): it decides what is told, and what is listed."""

from datetime import datetime

from apple_tokens.model import TokenKind
from apple_tokens.rows import AlertRow


def is_snoozed(alert: AlertRow, now: datetime) -> bool:
    """Say whether an operator's snooze applies.

    It ends at its date, when the alert ends, and when the severity rises: both set
    `severity_since` to a later time. A snooze that cannot be read does not apply.
    """
    if alert.kind is TokenKind.PUSH or alert.snoozed_until is None:
        return False
    if alert.snoozed_at is None or alert.severity_since is None or alert.ended_at is not None:
        return False
    return now < alert.snoozed_until and alert.severity_since <= alert.snoozed_at
