"""What the oracle knows of one problem of one token."""

from dataclasses import dataclass, field
from datetime import date, datetime

from apple_tokens.model import AppleToken, Reason, Severity
from tests.policy_sight import WARNING, Perhaps, depth


@dataclass
class Card:
    """One alert on a card that Teams accepted and `notify` stamped."""

    step: int
    reason: Reason
    stage: str
    check_date: date


@dataclass
class Case:
    """One problem of one token, from when it was first seen until it is forgotten."""

    since: datetime
    severity: Severity = WARNING
    stage: str = ""
    day: date = date.min
    """The check date of the last settled check of the source."""
    tell: Perhaps = False
    """Whether it was to be told then: not silenced, not snoozed, not waiting, not resting."""
    held: bool = False
    """Whether it is as it was last seen, since the source could not be read then."""
    clear_since: datetime | None = None
    ended_at: datetime | None = None
    well: bool = False
    accepted: bool = False
    owed: bool = False
    """Whether the last check that read the source knew that a good end is to be told."""
    token: AppleToken | None = None
    """As it was when the problem was last seen; None for a source."""
    snoozed_until: datetime | None = None
    loose: bool = False
    """Whether a limit too close to say decided something that lasts: then only steps count."""
    cards: list[Card] = field(default_factory=list)
    begun: int = 0
    """How many of the cards were about an earlier date."""

    @property
    def run(self) -> list[Card]:
        """The cards since it began, or since it was last told to be over."""
        over = [
            number
            for number, card in enumerate(self.cards)
            if card.reason in {Reason.FIXED, Reason.ACCEPTED}
        ]
        return self.cards[max(over[-1] + 1 if over else 0, self.begun) :]

    @property
    def owes_its_end(self) -> bool:
        """Whether the channel heard of it and not of its good end."""
        return self.ended_at is not None and self.well and bool(self.run)

    def tellings(self) -> int:
        """Count the cards since it began, got worse or came again."""
        firsts = [
            number for number, card in enumerate(self.run) if card.reason is not Reason.REMINDER
        ]
        return len(self.run) - firsts[-1] if firsts else 0

    def moved_back(self, token: AppleToken | None, stage: str) -> bool:
        """Say whether a renewal led to a later date that is near too, in an earlier stage."""
        if not (self.token and token and self.token.expires_on and token.expires_on):
            return False
        return self.token.expires_on < token.expires_on and depth(stage) < depth(self.stage)
