"""The head and the dates of a card: how urgent, whose, why now, and how much time is left."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from apple_tokens.model import Problem, Reason, Severity
from notify.elements import Element
from sandbox.specimens.alerts import Specimen, accepted, batch, fixed, trial_message
from sandbox.specimens.tokens import CHECKED_AT, TENANT
from tests.card_reading import lines, styles, text
from tests.specimens import of_tenant

UTC_ZONE = ZoneInfo("UTC")
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
EXPIRED_ADE = batch(Problem.ADE_TOKEN_EXPIRED, CRITICAL)
EXPIRING_VPP = batch(Problem.VPP_TOKEN_EXPIRING, WARNING)


def expiring(left: timedelta) -> Element:
    """Return the card of a token with so much time left."""
    specimen = batch(Problem.ADE_TOKEN_EXPIRING, WARNING, expires_on=CHECKED_AT + left)
    return specimen.card(zone=UTC_ZONE)


@pytest.mark.parametrize(
    "specimen,style,first",
    [
        (EXPIRED_ADE, "attention", "⛔ Critical · Contoso"),
        (EXPIRING_VPP, "warning", "⚠️ Warning · Contoso"),
        (fixed(Problem.VPP_SYNC_FAILED), "good", "✅ Fixed · Contoso"),
        (accepted(), "accent", "☑️ Accepted · Contoso"),
        (trial_message(), "accent", "ℹ️ Information · Contoso"),
    ],
)
def test_the_head_has_style_icon_word_and_tenant(
    specimen: Specimen, style: str, first: str
) -> None:
    card = specimen.card()

    assert styles(card)[0] == style
    assert lines(card)[0] == first


def test_one_critical_token_makes_the_whole_batch_critical() -> None:
    specimen = batch(Problem.ADE_SYNC_STALE, WARNING, count=3)
    worst = msgspec.structs.replace(specimen.alerts[2], severity=CRITICAL)

    card = msgspec.structs.replace(specimen, alerts=[*specimen.alerts[:2], worst]).card()

    assert styles(card)[0] == "attention"


@pytest.mark.parametrize(
    "reason,caption",
    [
        (Reason.NEW, "First report"),
        (Reason.WORSE, "More urgent"),
        (Reason.AGAIN, "Back again"),
        (Reason.REMINDER, "Reminder"),
    ],
)
def test_the_caption_says_why_it_is_told(reason: Reason, caption: str) -> None:
    card = batch(Problem.VPP_TOKEN_INVALID, CRITICAL, reason).card()

    assert lines(card)[2].startswith(caption)


def test_a_problem_that_is_not_new_says_since_when() -> None:
    new = batch(Problem.VPP_TOKEN_INVALID, CRITICAL, Reason.NEW).card()
    reminder = batch(Problem.VPP_TOKEN_INVALID, CRITICAL, Reason.REMINDER).card()

    assert "Open since" not in text(new)
    assert "Open since: 2026-07-31 (Asia/Tokyo)" in lines(reminder)


@pytest.mark.parametrize("name", ["", "\u200b"])
def test_a_tenant_without_a_name_is_shown_by_its_id(name: str) -> None:
    card = of_tenant(EXPIRED_ADE, name).card()

    assert lines(card)[0] == f"⛔ Critical · {TENANT.id}"
    assert TENANT.id in str(card["fallbackText"])


@pytest.mark.parametrize("name", ["a_b_c", "evil.example", "x [y](z)", "", "**", "a\nb", "www.x.y"])
def test_a_name_that_markdown_could_read_is_left_out_of_the_fallback(name: str) -> None:
    card = of_tenant(EXPIRED_ADE, name).card()

    assert card["fallbackText"] == (
        f"Critical · {TENANT.id} · ADE token expired: 2026-07-31 · Apple Token Watch"
    )


@pytest.mark.parametrize(
    "left,said",
    [
        (14 * DAY, "14 days left"),
        (14 * DAY - SECOND, "13 days left"),
        (2 * DAY - SECOND, "1 day left"),
        (DAY, "1 day left"),
        (DAY - SECOND, "less than a day left"),
        (SECOND, "less than a day left"),
        (timedelta(0), "expired less than a day ago"),
        (-SECOND, "expired less than a day ago"),
        (-DAY + SECOND, "expired less than a day ago"),
        (-DAY, "expired 1 day ago"),
        (-2 * DAY, "expired 2 days ago"),
    ],
)
def test_time_left_counts_whole_days_from_the_check(left: timedelta, said: str) -> None:
    card = expiring(left)

    assert lines(card)[1] == f"ADE token expires soon: {said}"
    assert any(line.startswith("Expires: ") and line.endswith(f" · {said}") for line in lines(card))


def test_a_token_expired_by_its_state_alone_is_not_given_a_date_ahead() -> None:
    card = batch(Problem.VPP_TOKEN_EXPIRED, CRITICAL, expires_on=CHECKED_AT + SECOND).card()

    assert lines(card)[1] == "VPP token expired"


def test_the_last_day_of_the_calendar_is_shown_in_every_zone() -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    card = batch(Problem.ADE_TERMS_NOT_ACCEPTED, CRITICAL, expires_on=never).card()

    assert "Expires: 9999-12-31 (Asia/Tokyo)" in text(card)


def test_dates_are_those_of_the_tenants_zone_which_is_named() -> None:
    late = datetime(2026, 12, 1, 15, 30, tzinfo=UTC)
    specimen = batch(Problem.ADE_TOKEN_EXPIRING, WARNING, expires_on=late)

    assert "Expires: 2026-12-01 (UTC) · 120 days left" in lines(specimen.card(zone=UTC_ZONE))
    assert "Expires: 2026-12-02 (Asia/Tokyo) · 120 days left" in lines(specimen.card())


def test_the_foot_says_when_it_was_checked() -> None:
    assert (
        lines(EXPIRED_ADE.card())[-1]
        == "Checked: 2026-08-03 15:00 (Asia/Tokyo) · Apple Token Watch"
    )


@pytest.mark.parametrize(
    "ago,said",
    [
        (timedelta(0), "less than an hour ago"),
        (HOUR - SECOND, "less than an hour ago"),
        (HOUR, "1 hour ago"),
        (2 * DAY - SECOND, "47 hours ago"),
        (2 * DAY, "2 days ago"),
        (-HOUR, "less than an hour ago"),
    ],
)
def test_the_age_of_the_last_sync_counts_from_the_check(ago: timedelta, said: str) -> None:
    card = batch(Problem.ADE_SYNC_STALE, WARNING, last_synced_at=CHECKED_AT - ago).card()

    assert next(line for line in lines(card) if line.startswith("Last successful")).endswith(said)


@pytest.mark.parametrize(
    "expired_for,said",
    [
        (timedelta(0), "30 days left to renew"),
        (29 * DAY, "1 day left to renew"),
        (29 * DAY + SECOND, "Less than a day left to renew"),
        (30 * DAY, "Less than a day left to renew"),
        (30 * DAY + SECOND, "More than 30 days have passed"),
    ],
)
def test_an_expired_push_certificate_counts_the_days_without_enrolling_again(
    expired_for: timedelta, said: str
) -> None:
    expires_on = CHECKED_AT - expired_for
    card = batch(Problem.PUSH_CERTIFICATE_EXPIRED, CRITICAL, expires_on=expires_on).card()

    assert any(line.startswith(said) for line in lines(card))
