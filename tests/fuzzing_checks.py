"""Mornings of a tenant in memory, each as far as its cards: what fuzzed input comes to."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from apple_tokens.messages import MessageKind, RemediationMessage, decode, encode
from apple_tokens.model import Cloud, Problem, SourceResult, Tenant, TokenKind
from apple_tokens.rows import AlertRow
from check_tokens.check import tick
from check_tokens.policy import Policy
from notify.card import LIMIT_BYTES, Tokens, render, size_bytes
from notify.elements import Element
from notify.overview_card import render_overview
from notify.remediation import Language, load
from notify.voice import Presentation
from tests.fake_tables import FakeTables
from tests.policy_world import run
from tests.test_card_structure import assert_valid

TENANT = Tenant(id="5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17", name="Contoso")
MORNINGS = tuple(datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(days=n) for n in range(4))
POLICY = Policy()
# Japanese folded behind English is the longest card, in a zone that is ahead of UTC.
PRESENTATION = Presentation(
    catalogues=(load(Language.EN), load(Language.JA)),
    zone=ZoneInfo("Pacific/Kiritimati"),
    cloud=Cloud.GLOBAL,
)


@dataclass
class Channel:
    """The tables of a tenant, and what its channel is told from them."""

    tables: FakeTables = field(default_factory=lambda: FakeTables(TENANT.id))
    told: set[tuple[date, Problem]] = field(default_factory=set)

    def morning(self, now: datetime, answer: dict[TokenKind, SourceResult]) -> Iterator[str]:
        """Check, post and stamp all that is due; a source that fails is tried until it is given up.

        Yield why each card was posted.
        """
        for number in range(6):
            at = now + timedelta(minutes=30 * number)
            yield from self._tick(at, answer)

    def untold(self) -> list[AlertRow]:
        """Return what still waits to be told."""
        return [row for row in run(self.tables.alert_rows()) if row.is_untold]

    def _tick(self, now: datetime, answer: dict[TokenKind, SourceResult]) -> Iterator[str]:
        async def read(kinds: tuple[TokenKind, ...]) -> dict[TokenKind, SourceResult]:
            return {kind: answer[kind] for kind in kinds}

        for ticket in run(tick(TENANT, read, self.tables, POLICY, now)):
            assert decode(encode(ticket)) == ticket, "the ticket cannot be read by notify"
            if ticket.kind is MessageKind.ALERTS:
                yield from self._tell(ticket, now)
            else:
                self._tell_overview(ticket, now)
                yield ticket.kind

    def _tell(self, ticket: RemediationMessage, now: datetime) -> Iterator[str]:
        alerts = run(self.tables.untold(ticket.batch))
        if not alerts:
            return
        rows = run(self.tables.token_rows({alert.row.kind for alert in alerts}))
        tokens: Tokens = {(row.token.kind, row.token.id): row for row in rows}
        assert_is_a_card(render(ticket, [alert.row for alert in alerts], tokens, PRESENTATION))
        run(self.tables.stamp(alerts, told_at=now, check_date=ticket.check_date))
        self.told |= {(ticket.check_date, alert.row.problem) for alert in alerts}
        yield ticket.reason or ""

    def _tell_overview(self, ticket: RemediationMessage, now: datetime) -> None:
        rows = run(self.tables.run_rows())
        tokens, alerts = run(self.tables.token_rows()), run(self.tables.alert_rows())
        assert_is_a_card(render_overview(ticket, rows, tokens, alerts, PRESENTATION))
        posted = run(self.tables.untold(ticket.batch))
        run(self.tables.stamp(posted, told_at=now, check_date=ticket.check_date))
        run(
            self.tables.stamp_run(
                lambda row: type(row)(
                    **{name: getattr(row, name) for name in row.__struct_fields__}
                    | {"welcome_told_step": 1, "digest_told_step": row.digest_step}
                    | {"digest_told_check_date": ticket.check_date}
                )
            )
        )


class OfRows(logging.Filter):
    """Keeps of the log what says that a row could not be read: the rest would be much."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record is kept."""
        return "row_unreadable" in record.getMessage()


def assert_is_a_card(made: Element) -> None:
    """Hold a card against Microsoft's schema and the size that Teams takes."""
    size = size_bytes(made)
    assert size <= LIMIT_BYTES, f"a card of {size} bytes, which Teams refuses"
    assert_valid("AdaptiveCard", {name: made[name] for name in made if name != "msteams"})
