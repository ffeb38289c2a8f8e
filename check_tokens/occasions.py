"""When the channel hears of the tenant as a whole (pure): the welcome, and the weekly digest."""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec
from msgspec import Struct

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import EXPIRED, Reason, Tenant, TokenKind
from apple_tokens.rows import AlertRow, RunRow
from check_tokens.alerting import Moment
from check_tokens.policy import Policy

WELCOME_BATCH = "welcome"
"""The batch of the alerts that the welcome tells alone."""
LONG_EXPIRED = timedelta(days=30)
_WEEK = timedelta(days=7)


class Sources(Struct, frozen=True, kw_only=True):
    """How far a check got with all sources of a tenant."""

    all_settled: bool
    any_read: bool


def plan(run: RunRow, sources: Sources, moment: Moment, policy: Policy) -> RunRow:
    """Return the run row with the welcome and the digest that are due by now.

    The welcome waits for a check that has settled all sources and read at least one. A digest is
    due when its weekday has passed since the last one; the first counts from the first check. It
    comes also while nothing can be read: after the cards of that it is all that still says so.
    """
    if not sources.all_settled:
        return run
    run = msgspec.structs.replace(
        run,
        welcome_step=1 if sources.any_read else run.welcome_step,
        first_checked_on=run.first_checked_on or moment.check_date,
    )
    last = run.digest_told_check_date or run.first_checked_on
    if run.digest_is_untold or last is None or not _weekday_passed(last, moment, policy):
        return run
    return msgspec.structs.replace(
        run, digest_step=run.digest_told_step + 1, digest_due_since=moment.now
    )


def tell_with_the_welcome(
    alerts: Iterable[AlertRow], run: RunRow, moment: Moment
) -> list[AlertRow]:
    """Put what has been expired for long into the welcome, which tells it alone.

    On the first day a tenant may have dozens of tokens that nobody misses: one group with the way
    to snooze them is read, dozens of cards are not.
    """
    if run.welcome_told_step:
        return list(alerts)
    return [
        msgspec.structs.replace(alert, batch=WELCOME_BATCH)
        if _is_long_expired(alert, moment)
        else alert
        for alert in alerts
    ]


def messages(run: RunRow, tenant: Tenant, moment: Moment) -> list[RemediationMessage]:
    """Return the tickets of the welcome and of the digest, where they are untold."""
    wanted = []
    if run.welcome_is_untold:
        wanted.append((MessageKind.WELCOME, WELCOME_BATCH))
    if run.digest_is_untold:
        wanted.append((MessageKind.DIGEST, f"digest {run.digest_step}"))
    return [
        RemediationMessage(
            version=VERSION,
            kind=kind,
            tenant=tenant,
            checked_at=moment.now,
            check_date=moment.check_date,
            batch=batch,
        )
        for kind, batch in wanted
    ]


def _is_long_expired(alert: AlertRow, moment: Moment) -> bool:
    """Say whether nobody missed it for long. Nobody can do without the push certificate."""
    expires_on = alert.facts.old_expires_on
    return (
        alert.is_untold
        and alert.kind is not TokenKind.PUSH
        and alert.reason is Reason.NEW
        and alert.problem in EXPIRED.values()
        and expires_on is not None
        and moment.now - expires_on > LONG_EXPIRED
    )


def _weekday_passed(last: date, moment: Moment, policy: Policy) -> bool:
    days = (moment.check_date - last).days
    if days < -2 * _WEEK.days:
        return True  # told by a clock that was far ahead; by a little, and the weeks mend it
    passed = (last + timedelta(days=number) for number in range(1, min(days, _WEEK.days) + 1))
    return any(day.weekday() == policy.digest_weekday for day in passed)
