"""The welcome: what the first complete check found, and both ways out of what expired long ago."""

import pytest
from msgspec.structs import replace

from apple_tokens.model import FailureReason, Health, Problem, Severity, TokenKind
from notify.card import LIMIT_BYTES, size_bytes
from notify.remediation import Language
from sandbox.specimens.overviews import (
    WELCOME,
    Overview,
    ailing,
    expired,
    healthy,
    long_expired,
    overview,
    row,
    run_rows,
    unread_source,
)
from sandbox.specimens.sample_overviews import first_day
from sandbox.specimens.tokens import token
from tests.card_reading import lines, links, of_type, styles, text
from tests.specimens import large

ADE, VPP, PUSH = TokenKind
SNOOZE = "python -m admin snooze TOKEN --until DATE --reason TEXT"
ALL_WELL = "Nothing is wrong with any of them."
EN, JA = Language.EN, Language.JA


def buttons(found: Overview, *languages: Language) -> list[str]:
    """Return the titles of what unfolds something."""
    return [node["title"] for node in of_type(found.card(*languages), "Action.ToggleVisibility")]


def long_expired_box(found: Overview) -> list[str]:
    """Return the paragraphs of the group that the welcome tells alone."""
    boxes = [box for box in of_type(found.card(), "Container") if box.get("style") == "warning"]
    return lines(boxes[0]) if boxes else []


def test_a_healthy_tenant_is_counted_and_told_what_comes_next() -> None:
    found = overview(WELCOME, [], *healthy())
    said = lines(found.card())

    assert said[:2] == ["ℹ️ Information · Contoso", "Apple Token Watch has started"]
    assert said[3:8] == [
        "What was found",
        "• ADE tokens · 2 tokens · 2 healthy · Last checked: 2026-08-03 15:00 (Asia/Tokyo)",
        "• VPP tokens · 2 tokens · 2 healthy · Last checked: 2026-08-03 15:00 (Asia/Tokyo)",
        "• MDM push certificate · Healthy · Last checked: 2026-08-03 15:00 (Asia/Tokyo)",
        ALL_WELL,
    ]
    assert said[8] == "Next known expiration dates"
    assert styles(found.card()) == ["accent"]


def test_it_says_what_happens_from_now_on_and_where_help_is() -> None:
    said = text(overview(WELCOME, [], *healthy()).card())

    assert "checked daily" in said
    assert "An overview comes every week" in said
    assert "silence does not mean health" in said
    assert "python -m admin --help" in said


def test_problems_with_cards_of_their_own_are_only_named() -> None:
    found = overview(
        WELCOME,
        [
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 0), told_step=0),
            ailing(Problem.ADE_TERMS_NOT_ACCEPTED, token(ADE, 1), told_step=0),
            ailing(Problem.ADE_TERMS_NOT_ACCEPTED, token(ADE, 2), told_step=0),
            ailing(Problem.ADE_SYNC_STALE, token(ADE, 3), Severity.WARNING, told_step=0),
        ],
    )
    said = lines(found.card())
    at = said.index("Needs attention (each problem has its own card)")

    assert said[at + 1 : at + 4] == [
        "⛔ Critical: ADE token expired",
        "⛔ Critical: Apple's new terms and conditions are not accepted · 2 tokens",
        "⚠️ Warning: No successful ADE sync for a long time",
    ]
    assert "expired 3 days ago" not in text(found.card())
    assert SNOOZE not in text(found.card())
    assert ALL_WELL not in said


# ---- What has been expired for long --------------------------------------------------------------


def test_what_has_been_expired_for_long_is_one_group_the_longest_first() -> None:
    found = overview(
        WELCOME,
        [
            long_expired(ADE, 1, days=40),
            long_expired(VPP, 2, days=60),
            long_expired(ADE, 3, days=400),
        ],
        *healthy(ade=0),
    )

    assert long_expired_box(found) == [
        "⚠️ 3 tokens expired more than 30 days ago",
        (
            "• Lyon office · ADE token · apple-tokens@contoso.example · 2025-06-29 "
            "(expired 400 days ago)"
        ),
        (
            "• Osaka retail · ADE token · apple-tokens@contoso.example · 2026-06-24 "
            "(expired 40 days ago)"
        ),
        (
            "• Apps Field service · VPP token · Field service · DE · apple-tokens@contoso.example"
            " · 2026-06-04 (expired 60 days ago)"
        ),
    ]
    assert "Needs attention" not in text(found.card())
    assert ALL_WELL not in text(found.card())


def test_the_group_has_both_ways_out() -> None:
    found = overview(WELCOME, [long_expired(ADE, 1, days=40), long_expired(VPP, 2, days=60)])
    said = text(found.card())

    assert SNOOZE in said
    assert "for 90 days at most" in said
    assert "Do not delete it" in said
    assert buttons(found) == ["How to renew: ADE token", "How to renew: VPP token"]
    assert set(links(found.card())) == {
        "Intune: Enrollment program tokens",
        "Intune: Apple VPP tokens",
        "Open Apple Business",
        "Learn: Enrollment program tokens",
        "Learn: Apple VPP tokens",
    }


@pytest.mark.parametrize("kind", TokenKind)
def test_the_steps_are_those_of_the_expired_token_with_their_warnings(kind: TokenKind) -> None:
    found = overview(WELCOME, [long_expired(kind, 1, days=40)])
    folded = [box for box in of_type(found.card(), "Container") if "id" in box]
    steps = lines(folded)

    assert [step.partition(". ")[0] for step in steps] == ["1", "2", "3", "4", "5", "6"]
    assert steps[0].startswith("1. Reply in this thread that you are doing it.")
    warning = {ADE: "A download from a wrong server", VPP: "never “Create”", PUSH: "wrong account"}
    assert warning[kind] in " ".join(steps)


def test_the_push_certificate_cannot_be_snoozed_and_shows_what_its_steps_compare() -> None:
    found = overview(WELCOME, [long_expired(PUSH, 0, days=45)], *healthy(push=False))
    box = "\n".join(long_expired_box(found))

    assert styles(found.card())[0] == "attention"
    assert "Intune cannot reach any Apple device now." in box
    assert "More than 30 days have passed. Try “Renew” all the same, and ask Apple before" in box
    assert "Still needed?" not in text(found.card())
    assert "Topic (UID at Apple): com.apple.mgmt.External." in box
    assert SNOOZE not in text(found.card())


def test_beside_the_push_certificate_other_tokens_can_still_be_snoozed() -> None:
    found = overview(WELCOME, [long_expired(PUSH, 0, days=45), long_expired(ADE, 1, days=45)])

    assert SNOOZE in text(found.card())
    assert "Osaka retail" in "\n".join(long_expired_box(found))


def test_what_ended_or_was_snoozed_before_the_welcome_came_is_not_in_the_group() -> None:
    known, alert = long_expired(ADE, 1, days=40)
    ended = replace(alert, ended_at=alert.since)
    asleep = replace(
        alert,
        snoozed_at=alert.severity_since,
        snoozed_until=alert.since.replace(year=2027),
    )

    for over in (ended, asleep):
        assert long_expired_box(overview(WELCOME, [(known, over)])) == []


def test_a_welcome_that_comes_twice_shows_its_group_twice() -> None:
    known, alert = long_expired(ADE, 1, days=40)
    first = overview(WELCOME, [(known, alert)])
    again = overview(WELCOME, [(known, replace(alert, told_step=1))])

    assert again.card() == first.card()


def test_more_than_ten_are_counted() -> None:
    found = overview(WELCOME, [long_expired(ADE, number, days=40) for number in range(40)])

    assert len(long_expired_box(found)) == 12
    assert long_expired_box(found)[-1] == "and 30 more"


def test_two_languages_leave_room_for_the_steps_of_two_kinds() -> None:
    both = buttons(first_day(), JA, EN)

    assert {"How to renew: ADE token", "How to renew: VPP token"} < set(both)
    assert "follows the steps" in text(first_day().card(JA, EN))


def test_where_the_steps_have_no_room_the_card_says_where_they_are() -> None:
    crowded = overview(
        WELCOME,
        [
            *(long_expired(ADE, number, days=40) for number in range(20)),
            *(long_expired(VPP, number, days=40) for number in range(20)),
            long_expired(PUSH, 0, days=40),
        ],
        *healthy(push=False),
        rows=run_rows(),
    )
    card = crowded.card(JA, EN)

    assert size_bytes(card) <= LIMIT_BYTES
    assert "follows the article on Microsoft Learn" in text(card)
    assert not [title for title in buttons(crowded, JA, EN) if "renew" in title]
    assert "Learn: Apple VPP tokens" in links(card)


# ---- What could not be read, or is not there -----------------------------------------------------


def test_what_could_not_be_read_is_said_and_never_counted_as_well() -> None:
    rows = run_rows(unread_source(VPP, FailureReason.NOT_LICENSED, ever_read=False))
    found = overview(WELCOME, [], *healthy(vpp=0), rows=rows)
    said = text(found.card())

    assert "• VPP tokens · Intune is not available in this tenant · Last checked: never" in said
    assert "This is no all-clear" in said
    assert ALL_WELL not in said


def test_a_token_of_unknown_health_takes_the_all_clear_away() -> None:
    found = overview(WELCOME, [], *healthy(), row(token(ADE, 7), health=Health.UNKNOWN))

    assert ALL_WELL not in text(found.card())


def test_a_tenant_without_apple_tokens_is_told_so() -> None:
    found = overview(WELCOME)

    assert "No Apple token is configured in this tenant." in lines(found.card())
    assert ALL_WELL not in text(found.card())
    assert "What was found" not in lines(found.card())


def test_the_largest_tenant_is_counted_whole() -> None:
    said = text(large(WELCOME).card())

    assert "• ADE tokens · 2000 tokens" in said
    assert "• VPP tokens · 3000 tokens" in said
