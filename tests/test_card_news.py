"""Cards that ask for little: fixed, accepted, test; and those about what could not be checked."""

import msgspec
import pytest

from apple_tokens.model import SOURCE_ID, Facts, FailureReason, Problem, Severity, TokenKind
from notify.remediation import Language
from sandbox.specimens.alerts import accepted, batch, fixed, renewed, trial_message, unread
from tests.card_reading import lines, links, steps, text
from tests.specimens import with_facts, with_row

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


def test_a_renewal_says_from_which_date_to_which() -> None:
    card = renewed(TokenKind.ADE, synced_since=True).card()

    assert lines(card)[1] == "1 problem fixed: ADE token expires soon"
    assert "Renewed: 2026-08-08 → 2027-02-19 (Asia/Tokyo)" in lines(card)
    assert "ADE token expires soon · lasted 3 days" in lines(card)
    assert "A sync has succeeded since the renewal." in lines(card)
    assert "Nothing is left to do." in lines(card)


def test_a_renewal_without_a_sync_since_asks_for_a_look() -> None:
    card = renewed(TokenKind.VPP, synced_since=False).card()

    assert "No sync has succeeded since the renewal yet" in text(card)
    assert "Nothing is left to do." not in lines(card)
    assert "Open in Intune" in links(card)


def test_where_syncs_say_nothing_nothing_is_said_about_them() -> None:
    assert "sync" not in text(renewed(TokenKind.PUSH, synced_since=None).card()).lower()


def test_a_renewed_push_certificate_says_topic_serial_number_and_a_changed_account() -> None:
    same = renewed(TokenKind.PUSH, synced_since=None).card()
    changed = renewed(
        TokenKind.PUSH, synced_since=None, old_apple_account="first@contoso.example"
    ).card()

    for card in (same, changed):
        assert "The topic is unchanged: devices need nothing." in lines(card)
        assert "New serial number: 1A2B3C4D5E6F7A8B" in lines(card)
    assert "Another Apple account" not in text(same)
    assert "Another Apple account is noted in Intune now" in text(changed)
    assert "Apple account noted before: first@contoso.example" in lines(changed)
    assert "Apple account noted now: apple-tokens@contoso.example" in lines(changed)


def test_a_topic_that_is_not_the_known_one_is_not_called_unchanged() -> None:
    card = with_row(renewed(TokenKind.PUSH, synced_since=None), known_topic="another").card()

    assert "unchanged" not in text(card)


def test_the_problems_of_one_token_stand_together() -> None:
    card = fixed(Problem.ADE_SYNC_FAILED, Problem.ADE_SYNC_STALE, count=2).card()

    assert lines(card)[1] == "4 problems fixed"
    assert "2 tokens" in lines(card)
    assert sum(line.endswith(" · ADE token") for line in lines(card)) == 2


def test_the_old_topic_is_back() -> None:
    assert "The old topic is back." in lines(fixed(Problem.PUSH_CERTIFICATE_REPLACED).card())


def test_a_source_that_can_be_checked_again_is_named_as_a_source() -> None:
    card = fixed(Problem.COULD_NOT_CHECK).card()

    assert "ADE tokens" in lines(card)
    assert SOURCE_ID not in lines(card)


def test_of_many_fixed_tokens_those_with_something_left_to_do_come_first() -> None:
    quiet = fixed(Problem.VPP_SYNC_FAILED, count=30)
    loose = renewed(TokenKind.ADE, synced_since=False)
    both = msgspec.structs.replace(
        quiet, alerts=[*quiet.alerts, *loose.alerts], tokens={**quiet.tokens, **loose.tokens}
    )

    listed = [line for line in lines(both.card()) if line.startswith("• ")]

    assert "No sync has succeeded since the renewal yet" in listed[0]
    assert "and 11 more" in lines(both.card())


def test_an_accepted_topic_says_who_accepted_it_and_that_it_repairs_nothing() -> None:
    card = accepted().card()

    assert "Accepted by: operator@contoso.example" in lines(card)
    assert "Reason for accepting: The devices were enrolled again last week" in lines(card)
    assert "This repairs nothing" in text(card)


def test_a_test_message_is_a_card_without_rows() -> None:
    card = trial_message().card()

    assert lines(card)[1] == "Test message from Apple Token Watch"
    assert links(card) == {}


def test_a_source_that_could_not_be_checked_says_why_and_what_to_grant() -> None:
    card = unread(FailureReason.PERMISSION, TokenKind.VPP).card()

    assert lines(card)[1] == "Apple tokens could not be checked: permission is missing"
    assert "VPP tokens" in lines(card)
    assert "Last checked: 2026-08-02 15:00 (Asia/Tokyo)" in lines(card)
    assert "HTTP status: 403" in lines(card)
    assert "Request ID: 0f0e0d0c-0000-4000-8000-00000000fa4e" in lines(card)
    assert any("DeviceManagementServiceConfig.Read.All" in step for step in steps(card))


def test_the_next_known_dates_of_the_source_are_named_the_first_five() -> None:
    specimen = unread(FailureReason.TIMED_OUT, TokenKind.VPP, known=7)

    card = specimen.card()

    listed = [line for line in lines(card) if line.startswith("• ")]
    assert len(listed) == 5
    assert listed[0] == (
        "• Apps Berlin warehouse · VPP token · 2027-02-19 (Asia/Tokyo) · 200 days left"
    )
    assert "and 2 more" in lines(card)


def test_dates_that_passed_and_other_kinds_are_not_among_the_next_ones() -> None:
    ahead = unread(FailureReason.TIMED_OUT, TokenKind.VPP, known=1)
    passed = batch(Problem.VPP_TOKEN_EXPIRED, CRITICAL)
    other = batch(Problem.ADE_TOKEN_EXPIRING, WARNING)
    undated = batch(Problem.EXPIRY_UNKNOWN, WARNING, kinds=[TokenKind.VPP], count=2)
    tokens = {**undated.tokens, **other.tokens, **passed.tokens}

    card = msgspec.structs.replace(ahead, tokens=tokens).card()

    assert "VPP tokens: No expiration date is known for this source." in lines(card)


def test_a_source_that_was_never_read_says_so() -> None:
    card = with_facts(unread(FailureReason.PERMISSION, TokenKind.ADE), as_of=None).card()

    assert "Last checked: never" in lines(card)


def test_a_failure_without_a_cause_still_makes_a_card() -> None:
    specimen = unread(FailureReason.TIMED_OUT, TokenKind.ADE)
    alerts = [msgspec.structs.replace(alert, facts=Facts()) for alert in specimen.alerts]

    card = msgspec.structs.replace(specimen, alerts=alerts).card()

    assert lines(card)[1] == "Apple tokens could not be checked"


@pytest.mark.parametrize("cause", FailureReason)
@pytest.mark.parametrize("language", Language)
def test_no_card_about_an_unread_source_says_that_something_is_healthy(
    cause: FailureReason, language: Language
) -> None:
    card = unread(cause, *TokenKind, known=3).card(language)

    assert "healthy" not in text(card).lower()
    assert "正常です" not in text(card)
