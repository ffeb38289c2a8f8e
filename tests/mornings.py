"""Checks of one source and the tellings between them, played in memory: told means stamped."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from apple_tokens.messages import RemediationMessage
from apple_tokens.model import (
    AppleToken,
    CouldNotCheck,
    NotConfigured,
    SourceResult,
    Tenant,
    TokenKind,
    TokensRead,
)
from apple_tokens.rows import AlertRow, SourceRow, TokenRow
from check_tokens import batches
from check_tokens.alerting import Moment
from check_tokens.assessment import Known, assess
from check_tokens.policy import Policy
from check_tokens.schedule import check_date
from tests.builders import DAY, NOW

TENANT = Tenant(id="00000000-0000-0000-0000-000000000001", name="Contoso")


@dataclass
class Mornings:
    """One source, its rows, and the channel. Each check moves the time on to the next morning."""

    kind: TokenKind = TokenKind.ADE
    policy: Policy = field(default_factory=Policy)
    now: datetime = NOW
    tokens: dict[str, TokenRow] = field(default_factory=dict)
    alerts: dict[str, AlertRow] = field(default_factory=dict)
    source: SourceRow | None = None
    queue: list[RemediationMessage] = field(default_factory=list)
    """Tickets that are not delivered yet."""
    told: list[str] = field(default_factory=list)
    """What the channel heard, one line for each alert: `day problem reason stage`."""
    cards: list[tuple[date, int]] = field(default_factory=list)
    """The check date of each card, and how many alerts it told."""

    def check(
        self,
        *answer: AppleToken | SourceResult,
        deliver: bool = True,
        then: timedelta = DAY,
    ) -> list[str]:
        """Check a source that holds these tokens, or that failed. Return what was told then."""
        heard = len(self.told)
        self._assess(_result(answer))
        if deliver:
            self.deliver()
        self.now += then
        return self.told[heard:]

    def deliver(self) -> None:
        """Post every ticket that waits; one of an older batch finds nothing."""
        for ticket in self.queue:
            untold = [a for a in self.alerts.values() if a.batch == ticket.batch and a.is_untold]
            if untold:
                self.cards.append((ticket.check_date, len(untold)))
            for alert in untold:
                self._tell(alert, ticket)
        self.queue.clear()

    def lose(self) -> None:
        """Lose every ticket that waits."""
        self.queue.clear()

    def alert(self, problem: str, token_id: str | None = None) -> AlertRow:
        """Return the alert of a problem; of the only token that has it if none is named."""
        found = [
            a
            for a in self.alerts.values()
            if a.problem == problem and token_id in {None, a.token_id}
        ]
        assert len(found) == 1, f"{len(found)} alerts of {problem}"
        return found[0]

    def change(self, alert: AlertRow, **columns: object) -> None:
        """Write columns of an alert, as an operator's command does."""
        self.alerts[alert.key] = replace(alert, **columns)

    def _assess(self, result: SourceResult) -> None:
        moment = Moment(now=self.now, check_date=check_date(self.now, self.policy))
        known = Known(tokens=tuple(self.tokens.values()), alerts=tuple(self.alerts.values()))
        read_at = self.source.read_at if self.source else None
        was_read = not isinstance(result, CouldNotCheck)
        self.source = SourceRow(
            kind=self.kind, settled_at=self.now, read_at=self.now if was_read else read_at
        )
        after = assess(self.kind, result, known, self.source, moment, self.policy)
        alerts = batches.assign(after.alerts, moment)
        self.alerts |= {row.key: row for row in alerts}
        self.tokens |= {row.key: row for row in after.tokens}
        for gone in after.gone_alerts:
            del self.alerts[gone.key]
        for lost in after.gone_tokens:
            del self.tokens[lost.key]
        self.queue += batches.messages(alerts, TENANT, moment, self.policy)

    def _tell(self, alert: AlertRow, ticket: RemediationMessage) -> None:
        assert alert.reason is not None
        day = (ticket.check_date - NOW.date()).days
        self.told.append(f"{day} {alert.problem} {alert.reason} {alert.stage}")
        self.change(
            alert,
            told_step=alert.step,
            told_reason=alert.reason,
            told_stage=alert.stage,
            told_at=self.now,
            told_check_date=ticket.check_date,
        )


def _result(answer: tuple[AppleToken | SourceResult, ...]) -> SourceResult:
    tokens = tuple(part for part in answer if isinstance(part, AppleToken))
    if not answer:
        return NotConfigured()
    if tokens:
        return TokensRead(tokens=tokens)
    (result,) = answer
    assert not isinstance(result, AppleToken)
    return result
