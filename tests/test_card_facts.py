"""What a card says about each token."""

from datetime import timedelta

import pytest

from apple_tokens.model import Problem, Severity
from sandbox.specimens.alerts import batch, without_rows
from sandbox.specimens.tokens import CHECKED_AT
from tests.card_reading import lines, links, text
from tests.specimens import with_facts, with_row, with_tokens

DAY = timedelta(days=1)
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
EXPIRED_ADE = batch(Problem.ADE_TOKEN_EXPIRED, CRITICAL)
EXPIRING_VPP = batch(Problem.VPP_TOKEN_EXPIRING, WARNING)


def test_an_ade_token_shows_its_facts() -> None:
    card = batch(Problem.ADE_TERMS_NOT_ACCEPTED, CRITICAL).card()

    for line in (
        "Berlin warehouse · ADE token",
        "Apple account noted in Intune: apple-tokens@contoso.example",
        "Expires: 2027-02-19 (Asia/Tokyo) · 200 days left",
        "Last successful sync: 2026-07-30 11:00 (Asia/Tokyo) · 4 days ago",
        "Sync error: Terms and conditions not accepted (number 3)",
        "Devices: 120",
    ):
        assert line in lines(card)


def test_a_vpp_token_shows_location_and_country_to_tell_it_apart() -> None:
    card = batch(Problem.VPP_TOKEN_IN_OTHER_MDM, CRITICAL).card()

    for line in (
        "Apps Berlin warehouse · VPP token",
        "Location: Berlin warehouse",
        "Country or region: DE",
        "Organization: Contoso Ltd",
        "Last sync: 2026-08-03 12:00 (Asia/Tokyo) · 3 hours ago",
        "State in Intune: Assigned to external MDM",
    ):
        assert line in lines(card)


def test_a_push_certificate_shows_the_topic_to_look_for() -> None:
    card = batch(Problem.PUSH_CERTIFICATE_EXPIRING, WARNING).card()

    assert (
        "Topic (UID at Apple): com.apple.mgmt.External.00000000-aaaa-4bbb-8ccc-fa4efa4efa4e"
        in lines(card)
    )


def test_a_replaced_push_certificate_shows_the_old_topic_beside_the_new_one() -> None:
    card = batch(Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL).card()

    for line in (
        "Old topic (UID at Apple): com.apple.mgmt.External.11111111-aaaa-4bbb-8ccc-fa4efa4efa4e",
        "New topic (UID at Apple): com.apple.mgmt.External.00000000-aaaa-4bbb-8ccc-fa4efa4efa4e",
        "Apple account noted before: first-account@contoso.example",
        "Old certificate expires: 2026-09-12 (Asia/Tokyo)",
    ):
        assert line in lines(card)


def test_values_that_graph_added_since_are_shown_as_they_are() -> None:
    card = batch(Problem.VPP_TOKEN_STATE_UNKNOWN, WARNING, sync_status="resting").card()

    assert "State in Intune: somethingNew" in lines(card)
    assert "Sync status: resting" in lines(card)


def test_what_is_missing_is_said_to_be_missing() -> None:
    bare = batch(
        Problem.ADE_SYNC_STALE, WARNING, apple_account="", last_synced_at=None, expires_on=None
    )

    for line in (
        "Apple account noted in Intune: not noted",
        "Expires: unknown",
        "Last successful sync: never",
    ):
        assert line in lines(bare.card())


@pytest.mark.parametrize(
    "given,shown",
    [
        ({"name": "", "location": "Osaka"}, "Osaka · VPP token"),
        (
            {"name": "\u200b", "location": "", "organization": "Contoso Ltd"},
            "Contoso Ltd · VPP token",
        ),
        ({"name": "", "location": "", "organization": ""}, "vpp-0 · VPP token"),
    ],
)
def test_a_token_without_a_name_can_still_be_told_apart(given: dict[str, str], shown: str) -> None:
    specimen = with_tokens(batch(Problem.VPP_TOKEN_INVALID, CRITICAL), given)

    assert shown in lines(specimen.card())


def test_a_card_is_made_although_the_row_of_the_token_is_gone() -> None:
    card = without_rows(EXPIRED_ADE).card()

    assert lines(card)[1] == "ADE token expired: 2026-07-31"
    assert "ade-0 · ADE token" in lines(card)
    assert set(links(card)) >= {"Open Apple Business", "Open Apple School Manager"}


def test_a_tokens_other_findings_are_named_silenced_ones_included() -> None:
    problems = "vpp_token_expired, vpp_token_invalid, vpp_sync_stale, of_a_later_version"
    card = with_row(batch(Problem.VPP_TOKEN_EXPIRED, CRITICAL), problems=problems).card()

    assert "Also found on this token: VPP token is invalid; No VPP sync for a long time" in lines(
        card
    )


def test_an_expired_token_is_not_said_to_expire_soon_as_well() -> None:
    card = with_row(EXPIRED_ADE, problems="ade_token_expired, ade_token_expiring").card()

    assert "Also found" not in text(card)


def test_what_was_seen_before_intune_became_unreadable_is_marked() -> None:
    card = with_facts(EXPIRING_VPP, as_of=CHECKED_AT - 2 * DAY).card()

    assert lines(card)[3].startswith("As of 2026-08-01 15:00 (Asia/Tokyo).")
    assert "Last seen" not in text(card)


@pytest.mark.parametrize("problem", [Problem.TOKEN_REMOVED, Problem.PUSH_CERTIFICATE_MISSING])
def test_what_is_gone_was_last_seen_although_intune_can_be_read(problem: Problem) -> None:
    card = batch(problem, CRITICAL).card()

    assert "Last seen in Intune: 2026-08-01 15:00 (Asia/Tokyo)" in lines(card)
    assert "As of" not in text(card)
