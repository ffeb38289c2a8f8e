"""How a problem ended (pure): well or not, and what the card of a good end says."""

from datetime import datetime

import msgspec

from apple_tokens.model import EXPIRED, EXPIRING, AppleToken, Facts, Problem, TokenKind
from apple_tokens.rows import AlertRow, TokenRow

_DATED = frozenset({*EXPIRED.values(), *EXPIRING.values()})
_STALE = frozenset({Problem.ADE_SYNC_STALE, Problem.VPP_SYNC_STALE})
_STATES = frozenset(
    {
        Problem.VPP_TOKEN_INVALID,
        Problem.VPP_TOKEN_IN_OTHER_MDM,
        Problem.VPP_TOKEN_DUPLICATE_LOCATION,
        Problem.VPP_TOKEN_STATE_UNKNOWN,
    }
)


def ended_well(alert: AlertRow, token: AppleToken | None) -> bool:
    """Say whether the problem was mended, and not only replaced, redefined or lost from sight.

    `token` is None for the alert of a source. Told as fixed is an all-clear: a changed limit, a
    lost date, and one problem that turned into another must not sound like one.
    """
    if token is None:
        return True
    if alert.problem in _DATED:
        # A push certificate with another topic was not renewed; it is told as replaced.
        is_same = not token.topic or alert.facts.old_topic in {"", token.topic}
        return is_same and _is_later(token.expires_on, alert.facts.old_expires_on)
    if alert.problem in _STALE:
        return _is_later(token.last_synced_at, alert.facts.last_synced_at)
    if alert.problem is Problem.ADE_SYNC_FAILED and token.sync_error_code:
        # The code stands although the sync moves on, or it is now the one of the terms.
        return _is_later(token.last_synced_at, alert.facts.last_synced_at)
    if alert.problem in _STATES:
        return token.state == "valid"
    return True


def facts_of_the_end(alert: AlertRow, row: TokenRow | None, *, accepted: bool) -> Facts:
    """Return the past that the alert knows, with the present that its card compares it with."""
    if row is None:
        return alert.facts
    token = row.token
    return msgspec.structs.replace(
        alert.facts,
        as_of=None,
        new_expires_on=token.expires_on,
        new_serial_number=token.serial_number,
        new_apple_account=token.apple_account,
        accepted_by=row.accepted_by if accepted else "",
        accepted_reason=row.accepted_reason if accepted else "",
        synced_since=_synced_since(alert, token),
    )


def _is_later(after: datetime | None, before: datetime | None) -> bool:
    return after is not None and (before is None or before < after)


def _synced_since(alert: AlertRow, token: AppleToken) -> bool | None:
    """Say whether a sync succeeded after the token was changed; None where that is unknown.

    The change lies between the last check that saw the problem and this one. Graph tells its time
    only as `lastModifiedDateTime`, and nobody documents what else moves that.
    """
    if token.kind is TokenKind.PUSH:
        return None
    if token.last_synced_at is None or token.last_synced_at <= alert.seen_at:
        return False
    changed_at = token.last_modified_at
    return True if changed_at is None or token.last_synced_at > changed_at else None
