"""How a problem ended (pure): well or not, and what the card of a good end says."""

import msgspec

from apple_tokens.model import EXPIRED, EXPIRING, AppleToken, Facts, Problem, TokenKind
from apple_tokens.rows import AlertRow, TokenRow

_DATED = frozenset({*EXPIRED.values(), *EXPIRING.values()})
_STALE = frozenset({Problem.ADE_SYNC_STALE, Problem.VPP_SYNC_STALE})


def ended_well(alert: AlertRow, token: AppleToken | None) -> bool:
    """Say whether the problem was mended, and did not end by a changed limit or a lost date.

    `token` is None for the alert of a source.
    """
    if token is None:
        return True
    if alert.problem in _DATED:
        before, after = alert.facts.old_expires_on, token.expires_on
        return after is not None and (before is None or before < after)
    if alert.problem in _STALE:
        before, after = alert.facts.last_synced_at, token.last_synced_at
        return after is not None and (before is None or before < after)
    return True


def facts_of_the_end(alert: AlertRow, row: TokenRow | None) -> Facts:
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
        accepted_by=row.accepted_by,
        accepted_reason=row.accepted_reason,
        synced_since=_synced_since(alert, token),
    )


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
