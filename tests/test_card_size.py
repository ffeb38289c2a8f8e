"""Cards about many tokens: the worst first, never over the limit, never silent about the rest."""

from datetime import timedelta

import msgspec
import pytest

from apple_tokens.model import Problem, Severity, TokenKind
from notify.card import LIMIT_BYTES, size_bytes
from notify.remediation import Language
from sandbox.specimens.alerts import Specimen, batch, sync_failed
from sandbox.specimens.tokens import CHECKED_AT
from tests.card_reading import lines, steps
from tests.specimens import with_tokens

HOUR = timedelta(hours=1)
EN, JA = Language.EN, Language.JA
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


def test_five_tokens_are_shown_with_all_facts_and_six_with_a_line_each() -> None:
    five = batch(Problem.VPP_TOKEN_EXPIRED, CRITICAL, count=5).card()
    six = batch(Problem.VPP_TOKEN_EXPIRED, CRITICAL, count=6).card()

    assert sum(line.startswith("Location: ") for line in lines(five)) == 5
    assert sum(line.startswith("• ") for line in lines(six)) == 6
    assert (
        "• Apps Osaka retail · Osaka retail · DE · apple-tokens@contoso.example"
        " · 2026-07-31 (expired 3 days ago)" in lines(six)
    )


def test_a_list_shows_the_worst_first_and_says_how_many_are_missing() -> None:
    card = batch(Problem.ADE_TOKEN_EXPIRING, WARNING, count=23).card()

    assert lines(card)[1] == "ADE token expires soon: 23 tokens"
    assert "20 of 23 shown, the most urgent first" in lines(card)
    assert "and 3 more" in lines(card)
    listed = [line for line in lines(card) if line.startswith("• ")]
    assert len(listed) == 20
    assert [line.split("(")[1] for line in listed] == sorted(line.split("(")[1] for line in listed)


def test_the_longest_without_a_sync_comes_first() -> None:
    specimen = batch(Problem.ADE_SYNC_STALE, WARNING, count=3)
    synced = (CHECKED_AT - 50 * HOUR, None, CHECKED_AT - 60 * HOUR)

    card = with_tokens(specimen, *({"last_synced_at": instant} for instant in synced)).card()

    names = [line.split(" · ")[0] for line in lines(card) if line.endswith(" · ADE token")]
    assert names == ["Osaka retail", "Field service", "Berlin warehouse"]


def test_critical_tokens_come_before_those_that_expire_earlier() -> None:
    specimen = batch(Problem.ADE_TOKEN_EXPIRED, WARNING, count=2)
    later = msgspec.structs.replace(specimen.alerts[0], severity=CRITICAL)

    card = msgspec.structs.replace(specimen, alerts=[later, specimen.alerts[1]]).card()

    names = [line.split(" · ")[0] for line in lines(card) if line.endswith(" · ADE token")]
    assert names == ["Berlin warehouse", "Osaka retail"]


@pytest.mark.parametrize(
    "specimen",
    [
        batch(
            Problem.VPP_TOKEN_EXPIRED, CRITICAL, count=2_000, name="東京" * 100, location="🏬" * 200
        ),
        batch(Problem.EXPIRY_UNKNOWN, WARNING, kinds=tuple(TokenKind), count=2_000),
        sync_failed(*([0, 5] * 1_000)),
    ],
)
def test_two_thousand_tokens_fit_on_one_card_that_says_how_many_are_not_shown(
    specimen: Specimen,
) -> None:
    card = specimen.card(JA, EN)

    assert size_bytes(card) <= LIMIT_BYTES
    listed = sum(line.startswith("• ") for line in lines(card)) // 2
    assert 0 < listed <= 20
    assert f"and {2_000 - listed:d} more" in lines(card)
    assert "2000 tokens" in lines(card)


def test_hostile_lengths_leave_the_steps_whole() -> None:
    endless = batch(
        Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL, topic="\\" * 9_000, apple_account='"' * 9_000
    )

    card = endless.card(JA, EN)

    assert size_bytes(card) <= LIMIT_BYTES
    assert steps(card)[6:] == steps(batch(Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL).card())


def test_the_size_is_counted_as_teams_counts_it() -> None:
    # Quotes and backslashes are escaped once more where a card stands inside of a message.
    assert size_bytes({"a": '"あ'}) == len('"{\\"a\\":\\"\\\\\\"あ\\"}"'.encode())
