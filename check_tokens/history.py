"""What changed on a token between two checks (pure)."""

from collections.abc import Iterable, Iterator

from apple_tokens.codec import encode
from apple_tokens.model import Instant
from apple_tokens.rows import HistoryRow, TokenRow

WATCHED = frozenset(
    {
        "Name",
        "Problems",
        "Severity",
        "ExpiresOn",
        "AppleAccount",
        "Topic",
        "SerialNumber",
        "DeviceCount",
        "State",
        "SyncErrorCode",
    }
)
"""The columns of `tokenstatus` whose changes are kept."""


def changes(
    before: Iterable[TokenRow],
    after: Iterable[TokenRow],
    gone: Iterable[TokenRow],
    *,
    checked_at: Instant,
    previous_check_at: Instant | None,
) -> Iterator[HistoryRow]:
    """Yield one row for each token that changed or went, none for one that is seen first."""
    known = {row.key: row for row in before}
    for row in after:
        if row.key not in known:
            continue
        old, new = encode(known[row.key], WATCHED), encode(row, WATCHED)
        changed = sorted(name for name in WATCHED if old[name] != new[name])
        if changed:
            yield HistoryRow(
                kind=row.token.kind,
                token_id=row.token.id,
                name=row.token.name,
                checked_at=checked_at,
                changed=", ".join(changed),
                before={name: str(old[name]) for name in changed},
                after={name: str(new[name]) for name in changed},
                previous_check_at=previous_check_at,
            )
    for row in gone:
        yield HistoryRow(
            kind=row.token.kind,
            token_id=row.token.id,
            name=row.token.name,
            checked_at=checked_at,
            changed="Removed",
            previous_check_at=previous_check_at,
        )
