"""What is posted, and cards kept as they were when somebody last looked at them."""

import json
import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from apple_tokens.model import FailureReason, Problem, Reason, Severity, TokenKind
from notify.card import PayloadStyle, payload
from notify.remediation import Language
from sandbox.specimens.alerts import accepted, batch, renewed, trial_message, unread
from sandbox.specimens.tokens import CHECKED_AT

GOLDEN = Path(__file__).parent / "golden" / "cards"
DAY = timedelta(days=1)
EN, JA = Language.EN, Language.JA
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
EXPIRED_ADE = batch(Problem.ADE_TOKEN_EXPIRED, CRITICAL)


def test_the_card_is_attached_to_a_message_or_posted_alone() -> None:
    card = EXPIRED_ADE.card()

    message = payload(card, PayloadStyle.MESSAGE)

    assert message == {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": card,
            }
        ],
    }
    assert payload(card, PayloadStyle.CARD) is card


def test_the_same_batch_makes_the_same_card_in_whatever_order_the_rows_come() -> None:
    specimen = batch(Problem.ADE_TOKEN_EXPIRED, CRITICAL, count=12, expires_on=CHECKED_AT - DAY)
    backwards = msgspec.structs.replace(
        specimen,
        alerts=list(reversed(specimen.alerts)),
        tokens=dict(reversed(list(specimen.tokens.items()))),
    )

    assert backwards.card() == specimen.card()


GOLDEN_CARDS = {
    "ade_token_expired.en": EXPIRED_ADE.card(),
    "ade_token_expired.ja": EXPIRED_ADE.card(JA),
    "ade_sync_failed.en": batch(Problem.ADE_SYNC_FAILED, WARNING).card(),
    "ade_terms_not_accepted.ja-en": batch(Problem.ADE_TERMS_NOT_ACCEPTED, CRITICAL).card(JA, EN),
    "vpp_token_expiring.many.en": batch(
        Problem.VPP_TOKEN_EXPIRING, WARNING, Reason.WORSE, count=23
    ).card(),
    "vpp_token_in_other_mdm.en": batch(Problem.VPP_TOKEN_IN_OTHER_MDM, CRITICAL).card(),
    "push_certificate_expired.ja": batch(
        Problem.PUSH_CERTIFICATE_EXPIRED, CRITICAL, Reason.REMINDER
    ).card(JA),
    "push_certificate_replaced.en": batch(Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL).card(),
    "token_removed.en": batch(Problem.TOKEN_REMOVED, CRITICAL).card(),
    "could_not_check.permission.en": unread(FailureReason.PERMISSION, *TokenKind, known=2).card(),
    "fixed.renewed.en": renewed(TokenKind.PUSH, synced_since=None).card(),
    "accepted.en": accepted().card(),
    "test.en": trial_message().card(),
}


@pytest.mark.parametrize("name", GOLDEN_CARDS)
def test_a_card_is_as_it_was_when_it_was_last_looked_at(name: str) -> None:
    golden = GOLDEN / f"{name}.json"
    made = json.dumps(GOLDEN_CARDS[name], ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")

    assert made == golden.read_text(encoding="utf-8"), "look at it, then run with UPDATE_GOLDEN=1"


def test_every_golden_card_is_still_made() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(GOLDEN_CARDS)
