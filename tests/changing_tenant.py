"""A tenant whose tokens change from Monday to Tuesday, each in a way of its own."""

from datetime import UTC, datetime, timedelta

from apple_tokens.model import AppleToken, SourceResult, TokenKind, TokensRead
from check_tokens.check import ReadSources
from tests.builders import ade, push, vpp

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)


def tokens(now: datetime) -> list[AppleToken]:
    """Return the tokens as Graph has them at a time."""
    good_for = timedelta(days=5) if now < TUESDAY else timedelta(days=370)
    return [
        ade(id="a-1", name="Stays expired", expires_on=MONDAY - timedelta(days=2)),
        ade(id="a-2", name="Gets worse", expires_on=MONDAY + timedelta(days=14, hours=12)),
        ade(id="a-3", name="Becomes due", expires_on=MONDAY + timedelta(days=30, hours=12)),
        ade(id="a-4", name="Gets renewed", expires_on=MONDAY + good_for),
        vpp(id="v-1", name="Stays invalid", state="invalid"),
        push(),
    ]


def sources(now: datetime) -> ReadSources:
    """Return what reads the tokens as they are at a time."""

    async def read(kinds: tuple[TokenKind, ...]) -> dict[TokenKind, SourceResult]:
        return {
            kind: TokensRead(tokens=tuple(t for t in tokens(now) if t.kind is kind))
            for kind in kinds
        }

    return read
