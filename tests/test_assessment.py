"""What each answer of a source makes of rows and alerts, told as mornings: who hears what when."""

from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    AppleToken,
    FailureReason,
    Health,
    NotConfigured,
    Problem,
    Reason,
    Severity,
    TokenKind,
)
from check_tokens.policy import Policy
from tests.builders import DAY, HOUR, NOW, SECOND, TOKENS, ade, alert, failed, push, told
from tests.mornings import Mornings

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
KINDS = pytest.mark.parametrize("kind", TokenKind)


def synced(mornings: Mornings, **changes: object) -> AppleToken:
    """Return an ADE token that synced an hour before this morning's check."""
    return ade(**({"last_synced_at": mornings.now - HOUR} | changes))


def fresh(mornings: Mornings, **changes: object) -> AppleToken:
    """Return a token of this source that synced an hour before this morning's check."""
    return TOKENS[mornings.kind](**({"last_synced_at": mornings.now - HOUR} | changes))


# --- Dates --------------------------------------------------------------------------------------


@KINDS
def test_a_token_that_is_healthy_throughout_is_never_told(kind: TokenKind) -> None:
    source = Mornings(kind)

    for _ in range(30):
        source.check(fresh(source))

    assert source.told == []
    assert source.alerts == {}
    (known,) = source.tokens.values()
    assert (known.health, known.problem, known.severity) == (Health.HEALTHY, None, None)


@KINDS
def test_each_stage_is_told_once_and_then_the_expiry(kind: TokenKind) -> None:
    source = Mornings(kind)
    expires_on = NOW + 32 * DAY

    for _ in range(34):
        source.check(fresh(source, expires_on=expires_on))

    expiring, expired = EXPIRING[kind], EXPIRED[kind]
    assert source.told == [
        f"2 {expiring} new 30",
        f"18 {expiring} worse 14",
        f"25 {expiring} worse 7",
        f"29 {expiring} worse 3",
        f"31 {expiring} worse 1",
        f"32 {expired} new critical",
        f"33 {expired} reminder critical",
    ]


def test_missed_mornings_are_caught_up_with_the_deepest_stage_only() -> None:
    source = Mornings()
    expires_on = NOW + 29 * DAY

    source.check(synced(source, expires_on=expires_on), then=27 * DAY)
    source.check(synced(source, expires_on=expires_on))

    assert source.told == ["0 ade_token_expiring new 30", "27 ade_token_expiring worse 3"]


@pytest.mark.parametrize("kind", [TokenKind.ADE, TokenKind.VPP])
def test_a_token_expired_for_60_days_yields_exactly_14_cards(kind: TokenKind) -> None:
    source = Mornings(kind)

    for _ in range(60):
        source.check(fresh(source, expires_on=NOW))

    expired = EXPIRED[kind]
    assert source.told == [
        f"0 {expired} new critical",
        *(f"{day} {expired} reminder critical" for day in range(1, 14)),
    ]
    assert len(source.cards) == 14
    assert source.alert(expired).ended_at is None


def test_an_expired_push_certificate_is_told_every_day() -> None:
    source = Mornings(TokenKind.PUSH)

    for day in range(60):
        heard = source.check(push(expires_on=NOW))
        assert heard == [f"{day} push_certificate_expired {'reminder' if day else 'new'} critical"]


def test_an_unused_token_that_expired_is_told_once() -> None:
    source = Mornings()

    for _ in range(20):
        source.check(synced(source, expires_on=NOW, device_count=0))

    assert source.told == ["0 ade_token_expired new warning"]


def test_an_expired_token_that_gets_devices_is_worse_and_then_told_daily() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW, device_count=0))

    for _ in range(20):
        source.check(synced(source, expires_on=NOW, device_count=3))

    assert source.told == [
        "0 ade_token_expired new warning",
        "1 ade_token_expired worse critical",
        *(f"{day} ade_token_expired reminder critical" for day in range(2, 15)),
    ]


def test_a_renewal_is_told_once_on_one_card_for_all_it_mends() -> None:
    source = Mornings()
    for _ in range(3):
        source.check(synced(source, expires_on=NOW + 2 * DAY))

    heard = source.check(synced(source, expires_on=NOW + 367 * DAY))

    assert sorted(heard) == ["3 ade_token_expired fixed critical", "3 ade_token_expiring fixed 1"]
    assert source.cards[-1] == (NOW.date() + 3 * DAY, 2)
    facts = source.alert("ade_token_expired").facts
    assert (facts.old_expires_on, facts.new_expires_on) == (NOW + 2 * DAY, NOW + 367 * DAY)
    for _ in range(5):
        assert source.check(synced(source, expires_on=NOW + 367 * DAY)) == []
    assert source.alerts == {}


def test_a_renewal_of_what_nobody_heard_of_is_not_told() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW), deliver=False)
    source.lose()

    assert source.check(synced(source, expires_on=NOW + 365 * DAY)) == []


def test_a_token_renewed_to_a_date_that_is_near_too_has_all_its_stages_again() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW + DAY))
    again = NOW + 10 * DAY

    for _ in range(10):
        source.check(synced(source, expires_on=again))

    assert source.told == [
        "0 ade_token_expiring new 1",
        "1 ade_token_expiring new 14",
        "3 ade_token_expiring worse 7",
        "7 ade_token_expiring worse 3",
        "9 ade_token_expiring worse 1",
        "10 ade_token_expired new critical",
    ]


def test_raising_the_largest_stage_tells_once_and_lowering_it_tells_nothing() -> None:
    source = Mornings()
    in_50_days = NOW + 50 * DAY
    source.check(synced(source, expires_on=in_50_days))
    assert source.told == []

    source.policy = Policy(remind_days=(60, 14, 7))
    assert source.check(synced(source, expires_on=in_50_days)) == ["1 ade_token_expiring new 60"]
    source.policy = Policy()
    assert source.check(synced(source, expires_on=in_50_days)) == []


# --- Many tokens ----------------------------------------------------------------------------------


def test_forty_tokens_make_no_more_cards_than_one() -> None:
    source = Mornings(TokenKind.VPP)

    for _ in range(60):
        source.check(*(fresh(source, id=f"v-{n}", expires_on=NOW) for n in range(40)))

    assert [count for _, count in source.cards] == [40] * 14


def test_staggered_tokens_make_at_most_two_cards_a_day_of_one_problem_and_stage() -> None:
    source = Mornings(TokenKind.VPP)

    for _ in range(60):
        source.check(
            *(fresh(source, id=f"v-{n}", expires_on=NOW + (n // 4) * DAY) for n in range(40))
        )

    cards = Counter(
        (day, problem, stage) for day, problem, _, stage in {tuple(x.split()) for x in source.told}
    )
    assert max(cards.values()) == 2
    assert sum("vpp_token_expired" in line for line in source.told) == 40 * 14


# --- Delivery ---------------------------------------------------------------------------------


def test_with_delivery_failing_for_a_week_what_is_still_there_is_told_once() -> None:
    source = Mornings()
    terms = {"sync_error_code": 3}
    for _ in range(7):
        source.check(
            synced(source, **terms), synced(source, id="a-2", expires_on=NOW), deliver=False
        )

    heard = source.check(synced(source, **terms), synced(source, id="a-2", expires_on=NOW))

    assert sorted(heard) == [
        "7 ade_terms_not_accepted new critical",
        "7 ade_token_expired new critical",
    ]
    assert source.alert("ade_terms_not_accepted").since == NOW


def test_what_came_and_went_while_nothing_could_be_delivered_is_not_told() -> None:
    source = Mornings()
    for _ in range(3):
        source.check(synced(source, sync_error_code=3), deliver=False)
    source.check(synced(source), deliver=False)

    assert source.check(synced(source)) == []


def test_the_ticket_of_an_overtaken_batch_finds_nothing() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW + 15 * DAY), deliver=False)
    source.check(synced(source, expires_on=NOW + 15 * DAY), deliver=False)
    assert len(source.queue) == 2

    source.deliver()

    assert source.told == ["1 ade_token_expiring new 14"]


def test_a_late_telling_counts_for_the_check_that_made_its_ticket() -> None:
    source = Mornings()
    source.check(synced(source, sync_error_code=3), deliver=False)
    source.deliver()  # The next morning, just before the check.

    assert source.check(synced(source, sync_error_code=3)) == [
        "1 ade_terms_not_accepted reminder critical"
    ]


def test_two_checks_of_one_date_remind_once() -> None:
    source = Mornings()

    source.check(synced(source, sync_error_code=3), then=HOUR)

    assert source.check(synced(source, sync_error_code=3)) == []


def test_a_lost_fix_is_told_with_the_next_check_and_says_the_same() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW))
    renewed = synced(source, expires_on=NOW + 365 * DAY)
    source.check(renewed, deliver=False)
    said = source.alert("ade_token_expired").facts
    source.lose()

    assert source.check(renewed) == ["2 ade_token_expired fixed critical"]
    assert source.alert("ade_token_expired").facts == said


# --- Problems that only memory can see ------------------------------------------------------------


def test_a_sync_that_fails_once_is_not_told() -> None:
    source = Mornings()
    source.check(synced(source, sync_error_code=8))

    for _ in range(10):
        source.check(synced(source))

    assert source.told == []
    assert source.alerts == {}


def test_a_sync_that_fails_two_mornings_is_told_and_fixed_after_two_good_ones() -> None:
    source = Mornings()
    at = source.now - HOUR
    for _ in range(2):
        source.check(ade(sync_error_code=8, last_synced_at=at))

    for _ in range(3):
        source.check(synced(source))

    assert source.told == ["1 ade_sync_failed new warning", "3 ade_sync_failed fixed warning"]


def test_a_sync_that_fails_every_other_day_yields_one_alert_and_no_all_clear() -> None:
    source = Mornings(TokenKind.VPP)

    for day in range(20):
        source.check(fresh(source, sync_status="completed" if day % 2 else "failed"))

    assert source.told == ["2 vpp_sync_failed new warning"]


def test_an_error_code_that_outlives_the_error_is_shown_and_not_told() -> None:
    source = Mornings()
    for _ in range(10):
        source.check(synced(source, sync_error_code=8))

    assert source.told == []
    (known,) = source.tokens.values()
    assert known.problems == "ade_sync_failed"
    assert known.leftover_error_code == 8


def test_a_told_failure_is_fixed_although_its_code_stands() -> None:
    source = Mornings()
    stuck = source.now - HOUR
    for _ in range(2):
        source.check(ade(sync_error_code=8, last_synced_at=stuck))

    for _ in range(4):
        source.check(synced(source, sync_error_code=8))

    assert source.told == ["1 ade_sync_failed new warning", "3 ade_sync_failed fixed warning"]


def test_a_sync_that_stands_still_is_stale_then_critical_and_at_last_fixed() -> None:
    source = Mornings()
    last = NOW - 20 * HOUR
    for _ in range(4):
        source.check(ade(last_synced_at=last))

    for _ in range(3):
        source.check(synced(source))

    assert source.told == [
        "1 ade_sync_stale new warning",
        "3 ade_sync_stale worse critical",
        "5 ade_sync_stale fixed critical",
    ]


def test_a_raised_limit_ends_a_stale_sync_without_a_word() -> None:
    source = Mornings()
    source.check(ade(last_synced_at=NOW - 40 * HOUR), then=12 * HOUR)
    source.policy = Policy(stale_sync_h_ade=700)

    for _ in range(3):
        source.check(ade(last_synced_at=NOW - 40 * HOUR))

    assert source.told == ["0 ade_sync_stale new warning"]
    assert source.alert("ade_sync_stale").ended_at is not None


def test_terms_are_told_daily_and_fixed_once_and_stale_says_nothing_beside_them() -> None:
    source = Mornings()
    last = NOW - HOUR
    for _ in range(5):
        source.check(ade(sync_error_code=3, last_synced_at=last))

    source.check(synced(source))
    source.check(synced(source))

    assert source.told == [
        "0 ade_terms_not_accepted new critical",
        *(f"{day} ade_terms_not_accepted reminder critical" for day in range(1, 5)),
        "5 ade_terms_not_accepted fixed critical",
    ]


@pytest.mark.parametrize(
    "gone,heard",
    [
        (2, "5 ade_terms_not_accepted again critical"),
        (3, "6 ade_terms_not_accepted new critical"),
    ],
)
def test_terms_that_return_within_72_hours_come_again_later_they_are_new(
    gone: int, heard: str
) -> None:
    source = Mornings()
    for _ in range(2):
        source.check(synced(source, sync_error_code=3))
    source.check(synced(source))
    for _ in range(gone):
        source.check(synced(source))

    assert source.check(synced(source, sync_error_code=3)) == [heard]


def test_after_a_renewal_old_sync_errors_are_not_told_for_two_days() -> None:
    source = Mornings()
    last = NOW - 5 * DAY
    source.check(ade(expires_on=NOW, last_synced_at=last))

    for _ in range(4):
        source.check(ade(expires_on=NOW + 365 * DAY, last_synced_at=last))

    assert source.told == [
        "0 ade_token_expired new critical",
        "1 ade_token_expired fixed critical",
        "3 ade_sync_stale new critical",
        "4 ade_sync_stale reminder critical",
    ]


# --- Removed and missing ------------------------------------------------------------------------


def test_a_removed_vpp_token_is_told_on_three_days_and_then_its_row_goes() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source))

    for _ in range(6):
        source.check()

    assert source.told == [
        "2 token_removed new critical",
        "3 token_removed reminder critical",
        "4 token_removed reminder critical",
    ]
    assert (source.tokens, source.alerts) == ({}, {})


def test_a_removed_ade_token_without_devices_is_told_once_and_then_its_row_goes() -> None:
    source = Mornings()
    source.check(synced(source, device_count=0))

    for _ in range(4):
        source.check()

    assert source.told == ["2 token_removed new warning"]
    assert (source.tokens, source.alerts) == ({}, {})


@pytest.mark.parametrize(
    "between,removed",
    [(20 * HOUR - SECOND, False), (20 * HOUR, True), (20 * HOUR + SECOND, True)],
    ids=str,
)
def test_a_token_is_removed_when_two_checks_20_hours_apart_miss_it(
    between: timedelta, *, removed: bool
) -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source))

    assert source.check(then=between) == []
    (known,) = source.tokens.values()
    assert (known.health, known.absent_since) == (Health.UNKNOWN, NOW + DAY)
    assert bool(source.check()) is removed


def test_a_failed_check_neither_shows_a_token_to_be_missing_nor_to_be_there() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source))
    source.check(failed())
    source.check()
    assert source.tokens["vpp_token.v-1"].absent_since == NOW + 2 * DAY
    source.check(failed())

    assert "4 token_removed new critical" in source.check()


def test_a_token_that_was_missed_once_goes_on_as_if_nothing_had_been() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source, state="duplicateLocationId"))
    source.check()

    source.check(fresh(source, state="duplicateLocationId"))

    assert source.told == ["0 vpp_token_duplicate_location new warning"]
    assert source.tokens["vpp_token.v-1"].absent_since is None
    assert set(source.alerts) == {"vpp_token.v-1.vpp_token_duplicate_location"}


def test_a_token_that_comes_back_after_its_removal_was_told_is_fixed() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source))
    source.check()
    source.check()

    assert source.check(fresh(source)) == ["3 token_removed fixed critical"]


def test_a_token_that_is_removed_once_more_is_told_again() -> None:
    source = Mornings()
    source.check(synced(source, device_count=0))
    source.check()
    source.check()
    source.check(synced(source, device_count=0))

    source.check()
    source.check()

    assert source.told == [
        "2 token_removed new warning",
        "3 token_removed fixed warning",
        "5 token_removed again warning",
    ]
    source.check()
    assert source.tokens == {}


def test_the_row_of_a_removed_token_stays_until_its_last_card_was_told() -> None:
    source = Mornings()
    source.check(synced(source, device_count=0))
    for _ in range(9):
        source.check(deliver=False)
        source.lose()
    assert source.tokens

    assert source.check() == ["10 token_removed new warning"]
    source.check()
    assert source.tokens == {}


def test_from_the_first_absence_the_other_alerts_of_a_token_rest() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source, state="invalid", expires_on=NOW + 3 * DAY))

    for _ in range(6):
        source.check()

    assert [line for line in source.told if not line.startswith("0 ")] == [
        "2 token_removed new critical",
        "3 token_removed reminder critical",
        "4 token_removed reminder critical",
    ]


def test_a_step_that_was_untold_when_its_token_vanished_is_not_told_any_more() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source, state="invalid"), deliver=False)
    source.lose()

    source.check()

    assert source.told == []


def test_an_absent_token_rests_while_its_source_cannot_be_read() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source, state="invalid", expires_on=NOW + 8 * DAY))
    source.check()

    heard = [line for _ in range(9) for line in source.check(failed(FailureReason.THROTTLED))]

    assert {line.split()[1] for line in heard} == {"could_not_check"}
    assert source.tokens["vpp_token.v-1"].health is Health.UNKNOWN


def test_rows_of_a_token_that_no_row_knows_are_deleted() -> None:
    """A check that is cut off after it deleted a token's row leaves its alerts behind."""
    source = Mornings()
    left_over = told(alert(Problem.TOKEN_REMOVED, token_id="a-9"))
    source.alerts[left_over.key] = left_over

    source.check(failed())
    assert left_over.key in source.alerts
    source.check(synced(source))

    assert left_over.key not in source.alerts


# --- The push certificate -----------------------------------------------------------------------


def test_a_tenant_without_a_push_certificate_has_no_problem() -> None:
    source = Mornings(TokenKind.PUSH)

    assert source.check(NotConfigured()) == []
    assert source.tokens == {}


def test_a_push_certificate_that_is_gone_is_told_at_once_and_daily_for_14_days() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())

    for _ in range(20):
        source.check(NotConfigured())

    assert source.told == [
        "1 push_certificate_missing new critical",
        *(f"{day} push_certificate_missing reminder critical" for day in range(2, 15)),
    ]
    facts = source.alert("push_certificate_missing").facts
    assert (facts.as_of, facts.old_expires_on) == (NOW, NOW + 300 * DAY)
    assert (facts.old_topic, facts.old_serial_number) == ("com.apple.mgmt.External.old", "01")
    assert facts.old_apple_account == "push@contoso.example"
    (known,) = source.tokens.values()
    assert (known.health, known.problem) == (
        Health.UNHEALTHY,
        Problem.PUSH_CERTIFICATE_MISSING,
    )


def test_a_push_certificate_that_is_back_is_fixed() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())
    source.check(NotConfigured())

    assert source.check(push()) == ["2 push_certificate_missing fixed critical"]


def test_a_missing_certificate_keeps_what_was_known_of_the_accepted_one() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())
    source.check(push(topic="new", serial_number="02", apple_account="b@x.example"))
    source.check(NotConfigured())

    facts = source.alert("push_certificate_missing").facts
    assert (facts.old_topic, facts.old_serial_number) == ("com.apple.mgmt.External.old", "01")
    assert facts.old_apple_account == "push@contoso.example"


def test_a_replaced_push_certificate_is_told_daily_until_the_old_topic_is_back() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())

    for day in range(1, 31):
        heard = source.check(push(topic="new"))
        assert heard == [
            f"{day} push_certificate_replaced {'reminder' if day > 1 else 'new'} critical"
        ]

    assert source.check(push(serial_number="03")) == ["31 push_certificate_replaced fixed critical"]
    (known,) = source.tokens.values()
    assert (known.known_topic, known.known_serial_number) == ("com.apple.mgmt.External.old", "03")


def _accept(source: Mornings, topic: str) -> None:
    (key,) = source.tokens
    source.tokens[key] = replace(source.tokens[key], accepted_topic=topic, accepted_by="Kim")


def test_an_accepted_topic_is_told_as_accepted_and_is_the_known_one_from_then_on() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())
    new = push(topic="new", serial_number="02", apple_account="b@x.example")
    source.check(new)
    _accept(source, "new")

    assert source.check(new) == ["2 push_certificate_replaced accepted critical"]
    assert source.check(new) == []
    (known,) = source.tokens.values()
    assert (known.known_topic, known.known_serial_number) == ("new", "02")
    assert (known.known_account, known.known_expires_on) == ("b@x.example", new.expires_on)
    assert source.check(push()) == ["4 push_certificate_replaced again critical"]


def test_accepting_another_topic_than_the_present_one_ends_nothing() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())
    source.check(push(topic="new"))
    _accept(source, "another")

    assert source.check(push(topic="new")) == ["2 push_certificate_replaced reminder critical"]


def test_a_renewed_push_certificate_says_what_changed() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push(expires_on=NOW + DAY))

    renewed = push(expires_on=NOW + 365 * DAY, serial_number="02", apple_account="b@x.example")
    assert source.check(renewed) == ["1 push_certificate_expiring fixed 1"]

    facts = source.alert("push_certificate_expiring").facts
    assert (facts.old_apple_account, facts.new_apple_account) == (
        "push@contoso.example",
        "b@x.example",
    )
    assert (facts.old_serial_number, facts.new_serial_number) == ("01", "02")
    assert source.tokens["push_certificate.apns"].known_account == "b@x.example"


def test_a_certificate_exchanged_for_another_is_replaced_not_renewed() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push(expires_on=NOW + DAY))

    heard = source.check(push(expires_on=NOW + 365 * DAY, topic="new"))

    assert heard == ["1 push_certificate_replaced new critical"]


def test_a_certificate_whose_first_answer_had_no_topic_is_known_by_the_next_one() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push(topic=""))
    source.check(push(topic="first"))

    assert source.tokens["push_certificate.apns"].known_topic == "first"
    assert source.check(push(topic="second")) == ["2 push_certificate_replaced new critical"]


# --- A source that cannot be read ---------------------------------------------------------------


def test_with_consent_lost_8_days_before_expiry_every_stage_is_told_as_of() -> None:
    source = Mornings()
    expires_on = NOW + 9 * DAY
    source.check(synced(source, expires_on=expires_on))
    seen = source.tokens["ade_token.a-1"]

    for _ in range(30):
        source.check(failed(FailureReason.PERMISSION))

    about_the_token = [line for line in source.told if "could_not_check" not in line]
    assert about_the_token == [
        "0 ade_token_expiring new 14",
        "2 ade_token_expiring worse 7",
        "6 ade_token_expiring worse 3",
        "8 ade_token_expiring worse 1",
        "9 ade_token_expired new critical",
        *(f"{day} ade_token_expired reminder critical" for day in range(10, 23)),
    ]
    assert source.alert("ade_token_expired").facts.as_of == NOW
    now_row = source.tokens["ade_token.a-1"]
    assert now_row.checked_at == NOW
    assert now_row.token == seen.token
    assert (now_row.health, now_row.problem) == (Health.UNHEALTHY, Problem.ADE_TOKEN_EXPIRED)
    assert now_row.days_left == -21


def test_a_token_that_looked_healthy_is_unknown_while_its_source_cannot_be_read() -> None:
    source = Mornings()
    source.check(synced(source))

    for _ in range(10):
        source.check(failed())

    assert source.tokens["ade_token.a-1"].health is Health.UNKNOWN
    assert {line.split()[1] for line in source.told} == {"could_not_check"}


PROBLEMS_SEEN = pytest.mark.parametrize(
    "kind,unwell",
    [
        (TokenKind.ADE, {"sync_error_code": 3}),
        (TokenKind.ADE, {"last_synced_at": NOW - 60 * HOUR}),
        (TokenKind.ADE, {"sync_error_code": 8, "last_synced_at": NOW - 60 * HOUR}),
        (TokenKind.VPP, {"state": "invalid"}),
        (TokenKind.VPP, {"state": "addedIn2031"}),
        (TokenKind.VPP, {"last_synced_at": NOW - 60 * HOUR}),
        (TokenKind.PUSH, {"upload_failure": "No."}),
    ],
    ids=str,
)


@PROBLEMS_SEEN
def test_what_was_seen_stays_while_the_source_fails_it_neither_worsens_nor_ends(
    kind: TokenKind, unwell: dict[str, object]
) -> None:
    source = Mornings(kind)
    token = TOKENS[kind](**unwell)
    first = source.check(token)
    before = source.tokens[f"{kind}.{token.id}"]

    heard = [line for _ in range(10) for line in source.check(failed())]

    assert first
    assert {line.split()[1] for line in heard} == {"could_not_check"}
    after = source.tokens[f"{kind}.{token.id}"]
    assert replace(after, days_left=before.days_left) == before
    seen = source.alert(before.problem or "")
    assert (seen.ended_at, seen.seen_at, seen.since) == (None, NOW, NOW)
    assert seen.facts.as_of == NOW


@PROBLEMS_SEEN
def test_what_was_seen_and_not_told_is_told_as_of_then(
    kind: TokenKind, unwell: dict[str, object]
) -> None:
    source = Mornings(kind)
    source.check(TOKENS[kind](**unwell), deliver=False)
    source.lose()

    heard = source.check(failed())

    about_tokens = [line for line in heard if "could_not_check" not in line]
    assert [line.split()[2] for line in about_tokens] == ["new"]


def test_a_failed_sync_seen_once_is_not_told_by_checks_that_see_nothing() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source, sync_status="failed"))

    for _ in range(5):
        source.check(failed())
    assert {line.split()[1] for line in source.told} == {"could_not_check"}

    assert "6 vpp_sync_failed new warning" in source.check(fresh(source, sync_status="failed"))


def test_no_sync_becomes_stale_while_nobody_can_see_it() -> None:
    source = Mornings()
    source.check(ade(last_synced_at=NOW - 35 * HOUR))

    for _ in range(5):
        source.check(failed())

    assert {line.split()[1] for line in source.told} == {"could_not_check"}


def test_a_sync_problem_that_was_clear_once_needs_a_second_good_check_after_the_outage() -> None:
    source = Mornings(TokenKind.VPP)
    for _ in range(2):
        source.check(fresh(source, sync_status="failed"))
    source.check(fresh(source))
    for _ in range(3):
        source.check(failed())

    assert "6 vpp_sync_failed fixed warning" in source.check(fresh(source))


def test_what_a_renewal_silenced_stays_silent_while_the_source_fails() -> None:
    source = Mornings()
    last = NOW - 71 * HOUR
    source.check(ade(expires_on=NOW + 2 * DAY, last_synced_at=last), then=2 * HOUR)
    assert "0 ade_sync_stale new warning" in source.told
    source.check(ade(expires_on=NOW + 365 * DAY, last_synced_at=last))
    assert source.alert("ade_sync_stale").severity is CRITICAL

    heard = [line for _ in range(5) for line in source.check(failed())]

    assert {line.split()[1] for line in heard} == {"could_not_check"}
    assert source.tokens["ade_token.a-1"].health is Health.UNKNOWN


def test_a_date_that_passes_meanwhile_silences_what_was_seen() -> None:
    source = Mornings(TokenKind.VPP)
    source.check(fresh(source, state="invalid", expires_on=NOW + HOUR), deliver=False)

    heard = source.check(failed())

    assert "1 vpp_token_expired new critical" in heard
    assert not any("vpp_token_invalid" in line for line in heard)


def test_an_end_that_was_not_told_when_the_source_failed_is_still_told() -> None:
    source = Mornings()
    source.check(synced(source, sync_error_code=3))
    source.check(synced(source), deliver=False)
    source.lose()

    assert "2 ade_terms_not_accepted fixed critical" in source.check(failed())


# --- The alert of the source itself ---------------------------------------------------------------


@pytest.mark.parametrize("reason", FailureReason)
def test_only_a_missing_permission_is_critical_at_once(reason: FailureReason) -> None:
    source = Mornings()
    source.check(synced(source))

    severity = CRITICAL if reason is FailureReason.PERMISSION else WARNING
    assert source.check(failed(reason)) == [f"1 could_not_check new {severity}"]
    facts = source.alert("could_not_check").facts
    assert (facts.cause, facts.as_of) == (reason, NOW)
    assert facts.detail == "Microsoft Graph is down."


@pytest.mark.parametrize(
    "age,severity",
    [
        (72 * HOUR - SECOND, WARNING),
        (72 * HOUR, CRITICAL),
        (72 * HOUR + SECOND, CRITICAL),
    ],
    ids=str,
)
@pytest.mark.parametrize("read_before", [True, False])
def test_an_unread_source_is_critical_when_the_last_good_check_is_72_hours_old(
    age: timedelta, severity: Severity, *, read_before: bool
) -> None:
    """One that was never read counts from the first check that could not read it."""
    source = Mornings()
    source.check(synced(source) if read_before else failed(), then=age)

    source.check(failed())

    assert source.alert("could_not_check").severity is severity


def test_a_source_that_stays_unread_is_told_once_worse_and_daily_from_then_on() -> None:
    source = Mornings()
    source.check(synced(source))
    for _ in range(20):
        source.check(failed())
    source.check(synced(source))

    assert source.told == [
        "1 could_not_check new warning",
        "3 could_not_check worse critical",
        *(f"{day} could_not_check reminder critical" for day in range(4, 17)),
        "21 could_not_check fixed critical",
    ]


def test_an_alert_that_is_long_over_leaves_no_row() -> None:
    source = Mornings()
    source.check(failed())
    source.check(synced(source))
    for _ in range(3):
        source.check(synced(source))
    assert source.alerts

    source.check(synced(source))

    assert source.alerts == {}


# --- Snooze -----------------------------------------------------------------------------------


def _snooze(source: Mornings, problem: str, until: timedelta) -> None:
    source.change(source.alert(problem), snoozed_at=source.now - HOUR, snoozed_until=NOW + until)


def test_a_snoozed_alert_is_silent_until_its_date_and_then_told_as_before() -> None:
    source = Mornings()
    source.check(synced(source, sync_error_code=3))
    _snooze(source, "ade_terms_not_accepted", 10 * DAY)

    for _ in range(15):
        source.check(synced(source, sync_error_code=3))

    days = [int(line.split()[0]) for line in source.told]
    assert days == [0, 10, 11, 12, 13, 14, 15]


def test_a_snoozed_alert_that_is_mended_is_fixed_and_told_when_it_returns() -> None:
    source = Mornings()
    source.check(synced(source, sync_error_code=3))
    _snooze(source, "ade_terms_not_accepted", 80 * DAY)
    source.check(synced(source, sync_error_code=3))
    source.check(synced(source))

    source.check(synced(source, sync_error_code=3))

    assert source.told[1:] == [
        "2 ade_terms_not_accepted fixed critical",
        "3 ade_terms_not_accepted again critical",
    ]


def test_a_snoozed_warning_that_becomes_critical_is_told() -> None:
    source = Mornings()
    last = NOW - 40 * HOUR
    source.check(ade(last_synced_at=last))
    _snooze(source, "ade_sync_stale", 80 * DAY)

    for _ in range(3):
        source.check(ade(last_synced_at=last))

    assert source.told == [
        "0 ade_sync_stale new warning",
        "2 ade_sync_stale worse critical",
        "3 ade_sync_stale reminder critical",
    ]


# --- The status row -----------------------------------------------------------------------------


def test_the_status_row_shows_the_worst_finding_that_is_not_silenced() -> None:
    source = Mornings()

    source.check(
        ade(
            sync_error_code=3,
            last_synced_at=NOW - 60 * HOUR,
            expires_on=NOW + 20 * DAY - SECOND,
        )
    )

    known = source.tokens["ade_token.a-1"]
    assert known.health is Health.UNHEALTHY
    assert known.severity is CRITICAL
    assert known.problem is Problem.ADE_TERMS_NOT_ACCEPTED
    assert known.stage == "critical"
    assert known.problem_since == NOW
    assert known.days_left == 19
    assert known.problems.split(", ") == [
        "ade_terms_not_accepted",
        "ade_token_expiring",
        "ade_sync_stale",
    ]
    assert (known.checked_at, known.first_seen_at) == (NOW, NOW)


def test_the_status_row_of_a_warning() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW + 20 * DAY))

    known = source.tokens["ade_token.a-1"]
    assert (known.health, known.stage, known.days_left) == (Health.WARNING, "30", 20)


def test_what_has_expired_is_not_called_expiring_as_well() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW - SECOND))

    known = source.tokens["ade_token.a-1"]
    assert (known.problems, known.days_left) == ("ade_token_expired", -1)


def test_a_token_without_a_date_has_no_days_left() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=None))

    assert source.tokens["ade_token.a-1"].days_left is None


def test_since_when_a_problem_stands_is_kept_while_the_first_sight_of_the_token_is_too() -> None:
    source = Mornings()
    source.check(synced(source))
    source.check(synced(source, sync_error_code=3))
    source.check(synced(source, sync_error_code=3))

    known = source.tokens["ade_token.a-1"]
    assert known.problem_since == NOW + DAY
    assert known.first_seen_at == NOW
    assert known.checked_at == NOW + 2 * DAY


@pytest.mark.parametrize(
    "before,after,renewed",
    [
        (NOW + DAY, NOW + DAY + SECOND, True),
        (NOW + DAY, NOW + DAY, False),
        (NOW + DAY, NOW + DAY - SECOND, False),
        (NOW + DAY, None, False),
        (None, NOW + DAY, False),
    ],
)
def test_a_later_date_is_a_renewal(before: object, after: object, *, renewed: bool) -> None:
    source = Mornings()
    source.check(synced(source, expires_on=before))
    source.check(synced(source, expires_on=after))

    assert source.tokens["ade_token.a-1"].renewed_at == (NOW + DAY if renewed else None)


def test_the_time_of_a_renewal_is_kept() -> None:
    source = Mornings()
    source.check(synced(source, expires_on=NOW + DAY))
    for _ in range(3):
        source.check(synced(source, expires_on=NOW + 365 * DAY))

    assert source.tokens["ade_token.a-1"].renewed_at == NOW + DAY


def test_an_operators_columns_stay_in_the_row() -> None:
    source = Mornings(TokenKind.PUSH)
    source.check(push())
    _accept(source, "some")
    source.check(push())

    assert source.tokens["push_certificate.apns"].accepted_by == "Kim"


def test_reasons_are_those_that_the_design_names() -> None:
    assert {reason.value for reason in Reason} == {
        "new",
        "worse",
        "again",
        "reminder",
        "fixed",
        "accepted",
    }
