"""What a card says to do, and where its buttons lead."""

from datetime import timedelta

import msgspec
import pytest

from apple_tokens.model import ApplePortal, Cloud, Problem, Reason, Severity, TokenKind
from sandbox.specimens.alerts import batch, sync_failed
from sandbox.specimens.tokens import CHECKED_AT
from tests.card_reading import lines, links, steps, text
from tests.specimens import with_facts, with_tokens

DAY = timedelta(days=1)
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
EXPIRED_ADE = batch(Problem.ADE_TOKEN_EXPIRED, CRITICAL)
EXPIRING_VPP = batch(Problem.VPP_TOKEN_EXPIRING, WARNING)


def test_the_steps_are_numbered_and_the_first_is_to_say_who_does_it() -> None:
    found = steps(EXPIRED_ADE.card())

    assert len(found) == 6
    assert found[0].startswith("Reply in this thread that you are doing it.")


def test_the_way_in_intune_is_printed_beside_the_buttons() -> None:
    card = EXPIRING_VPP.card()

    assert (
        "Where in Intune: Tenant administration > Connectors and tokens > Apple VPP tokens"
        in lines(card)
    )
    assert list(links(card)) == ["Open in Intune", "Open Apple Business", "Microsoft Learn"]


def test_where_no_link_is_known_the_way_is_printed_all_the_same() -> None:
    card = EXPIRING_VPP.card(cloud=Cloud.CHINA)

    assert "Open in Intune" not in links(card)
    assert "Where in Intune: " in text(card)


@pytest.mark.parametrize(
    "cloud,host",
    [
        (Cloud.GLOBAL, "https://intune.microsoft.com/"),
        (Cloud.USGOV, "https://intune.microsoft.us/"),
    ],
)
def test_the_cloud_decides_which_admin_center_opens(cloud: Cloud, host: str) -> None:
    assert links(EXPIRING_VPP.card(cloud=cloud))["Open in Intune"].startswith(host)


@pytest.mark.parametrize(
    "portals,opened",
    [
        ((ApplePortal.SCHOOL,), {"Open Apple School Manager"}),
        ((ApplePortal.BUSINESS, ApplePortal.BUSINESS), {"Open Apple Business"}),
        (
            (ApplePortal.SCHOOL, ApplePortal.BUSINESS),
            {"Open Apple Business", "Open Apple School Manager"},
        ),
        ((ApplePortal.UNKNOWN,), {"Open Apple Business", "Open Apple School Manager"}),
    ],
)
def test_a_batch_names_each_portal_that_its_tokens_live_in(
    portals: tuple[ApplePortal, ...], opened: set[str]
) -> None:
    specimen = batch(Problem.ADE_TOKEN_EXPIRED, CRITICAL, count=len(portals))

    card = with_tokens(specimen, *({"portal": portal} for portal in portals)).card()

    assert {label for label in links(card) if label.startswith("Open Apple")} == opened


def test_the_push_certificate_does_not_blur_which_portal_the_others_live_in() -> None:
    card = batch(
        Problem.EXPIRY_UNKNOWN, WARNING, kinds=(TokenKind.ADE, TokenKind.PUSH), count=2
    ).card()

    assert "Open Apple Business" in links(card)
    assert "Open Apple School Manager" not in links(card)


def test_tokens_of_several_kinds_get_the_way_to_each() -> None:
    card = batch(Problem.EXPIRY_UNKNOWN, WARNING, kinds=tuple(TokenKind), count=3).card()

    for page in ("Enrollment program tokens", "Apple VPP tokens", "Apple MDM Push Certificate"):
        assert f"Intune: {page}" in links(card)
        assert page in next(line for line in lines(card) if line.startswith("Where in Intune"))


def test_an_unknown_number_is_shown_with_the_texts_to_match_it_against() -> None:
    card = batch(Problem.ADE_SYNC_FAILED, WARNING).card()

    assert "Sync error: Number 17. Microsoft does not document" in text(card)
    assert "Which error text does Intune show?" in lines(card)
    assert "Access denied → Check the server entry at Apple" in lines(card)


def test_a_number_that_is_known_gets_the_steps_of_its_row() -> None:
    card = sync_failed(5).card()

    assert "Sync error: Invalid support phone number (number 17)" in lines(card)
    assert "What to do for “Invalid support phone number”" in lines(card)
    assert "Which error text does Intune show?" not in lines(card)
    assert any("at most 50 characters" in step for step in steps(card))


@pytest.mark.parametrize("rows", [(5, 10), (5, 10, 0)])
def test_tokens_with_different_errors_get_the_steps_that_are_right_for_all(
    rows: tuple[int, ...],
) -> None:
    card = sync_failed(*rows).card()

    assert steps(card) == steps(batch(Problem.ADE_SYNC_FAILED, WARNING).card())
    assert "Which error text does Intune show?" in lines(card)
    for title in (
        "Invalid support phone number (number 17)",
        "Apple profile not found (number 17)",
    ):
        assert f"Sync error: {title}" in lines(card)


@pytest.mark.parametrize(
    "failing,total,said", [(1, 1, False), (2, 4, False), (2, 3, True), (3, 5, True), (3, 6, False)]
)
def test_the_same_new_error_on_more_than_half_of_all_tokens_looks_like_one_cause(
    failing: int, total: int, said: bool
) -> None:
    everything = batch(Problem.ADE_SYNC_FAILED, WARNING, count=total)
    specimen = msgspec.structs.replace(everything, alerts=everything.alerts[:failing])

    card = specimen.card()

    claim = f"{failing} of {total} tokens show this error since the same day."
    assert (claim in text(card)) is said


def test_different_errors_and_older_ones_are_not_one_cause() -> None:
    several = with_tokens(
        batch(Problem.ADE_SYNC_FAILED, WARNING, count=3),
        *({"sync_error_code": code} for code in (17, 18, 19)),
    )
    again = batch(Problem.ADE_SYNC_FAILED, WARNING, Reason.AGAIN, count=3)
    one_day_apart = batch(Problem.ADE_SYNC_FAILED, WARNING, count=2)
    earlier = msgspec.structs.replace(one_day_apart.alerts[0], since=CHECKED_AT - DAY)
    apart = msgspec.structs.replace(one_day_apart, alerts=[earlier, one_day_apart.alerts[1]])

    for specimen in (several, again, apart):
        assert "one cause" not in text(specimen.card())


def test_the_meaning_of_another_number_is_not_carried_over() -> None:
    # The row was worked out for the number of that time; the token has another one now.
    card = with_facts(sync_failed(5), sync_error_code=99).card()

    assert "Sync error: Number 17." in text(card)
