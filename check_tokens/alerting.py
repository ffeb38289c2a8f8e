"""When to tell (pure): opens, continues and ends the alert of one problem of one token.

Every check works out anew what the channel must still hear, from what it was told and from what is
true now. So a message that was lost is made again, a step that was overtaken is replaced, and what
came and went untold leaves no trace.

1. A problem that is told neither as open nor within 72 h of its end is new.
2. Told and ended, it comes again; told and open, it can get worse: a deeper stage, or critical.
3. A critical one is told again on each check date, until it was told on enough of them.
4. Told, and ended well, it is fixed. One that ended because its token is gone or because a limit
   was changed ends without a word.
"""

from datetime import date, datetime

import msgspec
from msgspec import Struct

from apple_tokens.model import EXPIRING, Problem, Reason, Severity, TokenKind
from apple_tokens.rows import AlertRow, TokenRow
from apple_tokens.snooze import is_snoozed
from check_tokens.endings import ended_well, facts_of_the_end
from check_tokens.finding import Finding
from check_tokens.policy import CLEAR_AFTER, FORGOTTEN_AFTER, Policy

_replace = msgspec.structs.replace
_OVER = frozenset({Reason.FIXED, Reason.ACCEPTED})
_EXPIRING = frozenset(EXPIRING.values())
_ALWAYS_REMIND = frozenset({Problem.PUSH_CERTIFICATE_EXPIRED, Problem.PUSH_CERTIFICATE_REPLACED})
_REMOVED_CARDS = 3
_DIGITS = 9
_CLEARS_TWICE = frozenset(
    {
        Problem.ADE_SYNC_FAILED,
        Problem.ADE_SYNC_STALE,
        Problem.VPP_SYNC_FAILED,
        Problem.VPP_SYNC_STALE,
    }
)


class Moment(Struct, frozen=True, kw_only=True):
    """The time of a check: the instant, and the check date that it belongs to."""

    now: datetime
    check_date: date


def decide(
    alert: AlertRow | None,
    finding: Finding,
    token: tuple[TokenKind, str],
    moment: Moment,
    policy: Policy,
    *,
    held: bool = False,
) -> AlertRow:
    """Open or continue the alert of a problem that is there, and say what must be told.

    The answer is untold when its `step` is above its `told_step`. `held` is a problem as it was
    last seen, because its source cannot be read: it gives no new occasion to tell.
    """
    now = moment.now
    if alert is None or is_forgotten(alert, now) or _is_of_another_date(alert, finding):
        told_step = alert.told_step if alert else 0
        row = AlertRow(
            kind=token[0],
            token_id=token[1],
            problem=finding.problem,
            since=now,
            seen_at=now,
            severity_since=now,
            base_step=told_step,
            told_step=told_step,
            told_reason=alert.told_reason if alert else None,
            told_stage=alert.told_stage if alert else "",
            told_at=alert.told_at if alert else None,
            told_check_date=alert.told_check_date if alert else None,
        )
    else:
        row = alert
    rose = finding.severity.rank > row.severity.rank or row.ended_at is not None
    row = _replace(
        row,
        seen_at=row.seen_at if held else now,
        clear_since=None,
        ended_at=None,
        severity=finding.severity,
        severity_since=now if rose else row.severity_since,
        silenced=finding.silenced,
        stage=finding.stage,
        facts=finding.facts,
    )
    if finding.silenced or finding.unsure or is_snoozed(row, now):
        return _untell(row)
    reason = _occasion(row, finding, moment, policy, held=held)
    return _tell(row, reason, moment) if reason else _untell(row)


def clear(
    alert: AlertRow, row: TokenRow | None, moment: Moment, *, accepted: bool = False
) -> AlertRow | None:
    """Bring the alert of a problem that a successful check did not see nearer to its end.

    Return None when the alert is over and forgotten. `row` has the token as it was read now, and is
    None for the alert of a source; `accepted` when an operator accepted what had been a problem.
    """
    now = moment.now
    token = row.token if row else None
    if alert.ended_at is not None:
        return None if is_forgotten(alert, now) else _tell_the_end(alert, moment)
    clear_since = alert.clear_since or now
    if alert.problem in _CLEARS_TWICE and now - clear_since < CLEAR_AFTER:
        return _untell(_replace(alert, clear_since=clear_since))
    ended = _replace(alert, clear_since=clear_since, ended_at=now, silenced=False, reason=None)
    if accepted or ended_well(alert, token):
        reason = Reason.ACCEPTED if accepted else Reason.FIXED
        facts = facts_of_the_end(alert, row, accepted=accepted)
        ended = _replace(ended, reason=reason, facts=facts)
    return _tell_the_end(ended, moment)


def rest(alert: AlertRow) -> AlertRow:
    """Leave an alert as it is and untold: its token may be gone, so its advice may be wrong."""
    return alert if alert.ended_at is not None else _untell(alert)


def is_forgotten(alert: AlertRow, now: datetime) -> bool:
    """Say whether an alert ended so long ago that the same problem begins a new one.

    One whose end is still untold is not forgotten: the channel believes that it is open.
    """
    if alert.ended_at is None or _owes_its_end(alert):
        return False
    return now - alert.ended_at > FORGOTTEN_AFTER


def last_card_was_told(alert: AlertRow) -> bool:
    """Say whether a removed token was told as often as it is going to be.

    Cards of an earlier removal do not count, after which the token had come back.
    """
    if alert.ended_at is not None or not alert.was_told or alert.told_reason in _OVER:
        return False
    wanted = _REMOVED_CARDS if alert.severity is Severity.CRITICAL else 1
    return _tellings(alert) >= wanted


def _is_of_another_date(alert: AlertRow, finding: Finding) -> bool:
    """Say whether a renewal led from one stage back to an earlier one.

    Compared with what was told of the old date, no stage of the new one would be deeper, and the
    token would expire in silence.
    """
    before, after = alert.facts.old_expires_on, finding.facts.old_expires_on
    if finding.problem not in _EXPIRING or before is None or after is None:
        return False
    is_later = alert.ended_at is None and before < after
    return is_later and _depth(finding.stage) < _depth(alert.stage)


def _occasion(
    alert: AlertRow, finding: Finding, moment: Moment, policy: Policy, *, held: bool
) -> Reason | None:
    if not alert.was_told:
        return Reason.NEW
    if alert.told_reason in _OVER:
        return Reason.AGAIN
    if _depth(finding.stage) > _depth(alert.told_stage):
        return Reason.WORSE
    if held or finding.severity is not Severity.CRITICAL or finding.problem in _EXPIRING:
        return None
    # A date that is missing, or lies ahead because a clock was wrong, must not stop the reminders.
    if alert.told_check_date == moment.check_date:
        return None
    return Reason.REMINDER if _reminders_left(alert, policy) else None


def _reminders_left(alert: AlertRow, policy: Policy) -> bool:
    if alert.problem in _ALWAYS_REMIND:
        return True
    limit = policy.repeat_critical_days
    if alert.problem is Problem.TOKEN_REMOVED:
        limit = _REMOVED_CARDS
    return _tellings(alert) < limit


def _tellings(alert: AlertRow) -> int:
    """Count how often it was told since it began, came back or got worse."""
    return alert.told_step - alert.remind_from_step + 1


def _tell_the_end(ended: AlertRow, moment: Moment) -> AlertRow:
    reason = ended.reason if _owes_its_end(ended) else None
    return _tell(ended, reason, moment) if reason else _untell(ended)


def _owes_its_end(ended: AlertRow) -> bool:
    """Say whether the channel heard of the problem, and not of its good end.

    Asked at each check anew: a card that was on its way when the problem ended untold is stamped
    after that.
    """
    return ended.reason in _OVER and ended.was_told and ended.told_reason not in _OVER


def _tell(alert: AlertRow, reason: Reason, moment: Moment) -> AlertRow:
    step = alert.told_step + 1
    first_as_critical = reason in {Reason.NEW, Reason.WORSE, Reason.AGAIN}
    due_since = alert.due_since if alert.is_untold else moment.now
    return _replace(
        alert,
        step=step,
        reason=reason,
        remind_from_step=step if first_as_critical else alert.remind_from_step,
        due_since=due_since or moment.now,
    )


def _untell(alert: AlertRow) -> AlertRow:
    return _replace(alert, step=alert.told_step, due_since=None)


def _depth(stage: str) -> tuple[int, int]:
    """Order stages: fewer days are deeper, critical is deeper than warning, unknown comes first."""
    if stage in list(Severity):
        return (1, Severity(stage).rank)
    # Days are of three digits at most; of thousands, Python makes no number at all.
    return (1, -int(stage)) if stage.isdecimal() and len(stage) < _DIGITS else (0, 0)
