"""What is wrong with one token: every problem, its limits to the second, and what silences it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    AppleToken,
    Problem,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, TokenRow
from check_tokens.diagnosis import diagnose, leftover_error_code, removed
from check_tokens.finding import Finding
from check_tokens.policy import Policy
from check_tokens.silencing import worst
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    SECOND,
    TOKENS,
    YEAR_9999,
    ade,
    alert,
    of,
    push,
    row,
    silenced,
    told,
    told_of,
    vpp,
)

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
KINDS = pytest.mark.parametrize("kind", TokenKind)


def found(
    token: AppleToken,
    previous: TokenRow | None = None,
    alerts: tuple[AlertRow, ...] = (),
    policy: Policy | None = None,
) -> tuple[Finding, ...]:
    """Diagnose a token at NOW."""
    known = {alert.problem: alert for alert in alerts}
    return diagnose(token, previous, known, NOW, policy or Policy())


def severity_of(findings: tuple[Finding, ...], problem: Problem) -> Severity | None:
    seen = of(findings, problem)
    return seen.severity if seen and not seen.unsure else None


@KINDS
def test_a_healthy_token_has_no_findings(kind: TokenKind) -> None:
    token = TOKENS[kind]()

    assert found(token) == found(token, row(token)) == ()


# --- Expiry ---------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize(
    "left,expired", [(SECOND, False), (timedelta(0), True), (-SECOND, True)], ids=str
)
def test_a_token_has_expired_from_its_very_instant_on(
    kind: TokenKind, left: timedelta, *, expired: bool
) -> None:
    findings = found(TOKENS[kind](expires_on=NOW + left))

    assert told_of(findings) == {EXPIRED[kind] if expired else EXPIRING[kind]}
    assert findings[0].severity is CRITICAL


@KINDS
@pytest.mark.parametrize(
    "left,stage,severity",
    [
        (30 * DAY + SECOND, None, None),
        (30 * DAY, "30", WARNING),
        (30 * DAY - SECOND, "30", WARNING),
        (14 * DAY + SECOND, "30", WARNING),
        (14 * DAY, "14", WARNING),
        (14 * DAY - SECOND, "14", WARNING),
        (7 * DAY + SECOND, "14", WARNING),
        (7 * DAY, "7", CRITICAL),
        (7 * DAY - SECOND, "7", CRITICAL),
        (3 * DAY + SECOND, "7", CRITICAL),
        (3 * DAY, "3", CRITICAL),
        (3 * DAY - SECOND, "3", CRITICAL),
        (1 * DAY + SECOND, "3", CRITICAL),
        (1 * DAY, "1", CRITICAL),
        (1 * DAY - SECOND, "1", CRITICAL),
        (SECOND, "1", CRITICAL),
    ],
    ids=str,
)
def test_a_stage_is_a_band_of_days_left_and_critical_from_seven_days(
    kind: TokenKind, left: timedelta, stage: str | None, severity: Severity | None
) -> None:
    seen = of(found(TOKENS[kind](expires_on=NOW + left)), EXPIRING[kind])

    assert (seen and seen.stage) == stage
    assert (seen and seen.severity) == severity


@pytest.mark.parametrize("left", [-SECOND, timedelta(0), -60 * DAY], ids=str)
def test_an_expired_token_goes_on_as_an_expiring_one_that_is_silenced(left: timedelta) -> None:
    findings = found(ade(expires_on=NOW + left))

    assert silenced(findings) == {Problem.ADE_TOKEN_EXPIRING}


@pytest.mark.parametrize(
    "devices,severity", [(0, WARNING), (1, CRITICAL), (None, CRITICAL)], ids=str
)
def test_an_expired_ade_token_without_devices_is_a_warning(
    devices: int | None, severity: Severity
) -> None:
    findings = found(ade(expires_on=NOW, device_count=devices))

    assert severity_of(findings, Problem.ADE_TOKEN_EXPIRED) is severity


def test_the_number_of_devices_means_nothing_for_the_other_kinds() -> None:
    assert found(vpp(expires_on=NOW, device_count=0))[0].severity is CRITICAL
    assert found(push(expires_on=NOW, device_count=0))[0].severity is CRITICAL


def test_a_vpp_token_is_expired_by_its_state_too() -> None:
    findings = found(vpp(state="expired"))

    assert told_of(findings) == {Problem.VPP_TOKEN_EXPIRED}
    assert findings[0].severity is CRITICAL


def test_the_state_of_other_kinds_is_not_looked_at() -> None:
    assert found(ade(state="expired")) == found(push(state="invalid")) == ()


@KINDS
def test_a_token_without_a_date_is_a_warning_to_look_at(kind: TokenKind) -> None:
    findings = found(TOKENS[kind](expires_on=None))

    assert told_of(findings) == {Problem.EXPIRY_UNKNOWN}
    assert findings[0].severity is WARNING


def test_a_vpp_token_whose_state_is_expired_needs_no_date_to_be_expired() -> None:
    findings = found(vpp(state="expired", expires_on=None))

    assert told_of(findings) == {Problem.VPP_TOKEN_EXPIRED}
    assert silenced(findings) == {Problem.EXPIRY_UNKNOWN}


@KINDS
def test_a_date_at_the_end_of_time_is_healthy(kind: TokenKind) -> None:
    assert found(TOKENS[kind](expires_on=YEAR_9999)) == ()


@KINDS
def test_a_date_at_the_beginning_of_time_is_expired(kind: TokenKind) -> None:
    """Year 1 never arrives here: it is None by then. Year 2 is only a very old date."""
    findings = found(TOKENS[kind](expires_on=datetime(2, 1, 1, tzinfo=UTC)))

    assert told_of(findings) == {EXPIRED[kind]}


def test_days_left_are_counted_on_exact_time_whatever_the_offset_of_a_date() -> None:
    tokyo = (NOW + 7 * DAY).astimezone(ZoneInfo("Asia/Tokyo"))

    assert found(ade(expires_on=tokyo))[0].stage == "7"
    assert found(ade(expires_on=tokyo + SECOND))[0].stage == "14"


@pytest.mark.parametrize(
    "remind_days,left,stage,severity",
    [
        ((60, 20), 61 * DAY, None, None),
        ((60, 20), 60 * DAY, "60", WARNING),
        ((60, 20), 20 * DAY, "20", WARNING),
        # A severity that rises is told, so seven days are a stage whatever was set.
        ((60, 20), 7 * DAY, "7", CRITICAL),
        ((60, 20), 1 * DAY, "7", CRITICAL),
        ((20, 60), 60 * DAY, "60", WARNING),
        ((5, 2), 7 * DAY, None, None),
        ((5, 2), 5 * DAY, "5", CRITICAL),
        ((5, 2), 2 * DAY, "2", CRITICAL),
    ],
    ids=str,
)
def test_the_stages_follow_the_setting(
    remind_days: tuple[int, ...], left: timedelta, stage: str | None, severity: Severity | None
) -> None:
    findings = found(ade(expires_on=NOW + left), policy=Policy(remind_days=remind_days))

    seen = of(findings, Problem.ADE_TOKEN_EXPIRING)
    assert (seen and seen.stage) == stage
    assert (seen and seen.severity) == severity


def test_the_facts_keep_what_a_renewal_will_have_replaced() -> None:
    seen = found(push(expires_on=NOW + DAY))[0]

    assert seen.facts.old_expires_on == NOW + DAY
    assert seen.facts.old_topic == "com.apple.mgmt.External.old"
    assert seen.facts.old_serial_number == "01"
    assert seen.facts.old_apple_account == "push@contoso.example"


# --- ADE: terms and sync errors --------------------------------------------------------------


def test_code_3_means_that_terms_wait_and_is_told_at_once() -> None:
    findings = found(ade(sync_error_code=3))

    assert told_of(findings) == {Problem.ADE_TERMS_NOT_ACCEPTED}
    assert findings[0].severity is CRITICAL
    assert findings[0].facts.sync_error_code == findings[0].facts.sync_error_row == 3


def test_an_operator_can_name_another_code_that_means_terms() -> None:
    findings = found(ade(sync_error_code=70), policy=Policy(ade_sync_errors={70: 3}))

    assert told_of(findings) == {Problem.ADE_TERMS_NOT_ACCEPTED}
    assert findings[0].facts.sync_error_code == 70


@pytest.mark.parametrize("code", [1, 2, 4, 11, 12, -1, 2_147_483_647])
def test_any_other_code_is_a_failed_sync_that_waits_for_a_second_sight(code: int) -> None:
    findings = found(ade(sync_error_code=code))

    assert told_of(findings) == set()
    seen = of(findings, Problem.ADE_SYNC_FAILED)
    assert seen is not None
    assert seen.unsure
    assert seen.severity is WARNING
    assert (seen.facts.sync_error_code, seen.facts.sync_error_row) == (code, 0)


def test_a_known_code_carries_its_row_of_the_table() -> None:
    findings = found(ade(sync_error_code=8), policy=Policy(ade_sync_errors={8: 5}))

    assert findings[0].facts.sync_error_row == 5


@pytest.mark.parametrize(
    "seen_before,sure",
    [(6 * HOUR - SECOND, False), (6 * HOUR, True), (6 * HOUR + SECOND, True)],
    ids=str,
)
@pytest.mark.parametrize(
    "token,problem",
    [
        (ade(sync_error_code=8), Problem.ADE_SYNC_FAILED),
        (vpp(sync_status="failed"), Problem.VPP_SYNC_FAILED),
    ],
    ids=["ade", "vpp"],
)
def test_a_failed_sync_is_told_when_two_checks_six_hours_apart_saw_it(
    token: AppleToken, problem: Problem, seen_before: timedelta, *, sure: bool
) -> None:
    seen = alert(problem, since=NOW - seen_before)

    findings = found(token, row(token), (seen,))

    assert told_of(findings) == ({problem} if sure else set())


@pytest.mark.parametrize(
    "token,problem",
    [
        (ade(sync_error_code=8), Problem.ADE_SYNC_FAILED),
        (vpp(sync_status="failed"), Problem.VPP_SYNC_FAILED),
    ],
    ids=["ade", "vpp"],
)
def test_a_failed_sync_that_was_told_waits_for_no_second_sight(
    token: AppleToken, problem: Problem
) -> None:
    seen = told(alert(problem, since=NOW - HOUR))

    assert told_of(found(token, row(token), (seen,))) == {problem}


@pytest.mark.parametrize(
    "age,sure", [(DAY - SECOND, False), (DAY, False), (DAY + SECOND, True)], ids=str
)
def test_a_failed_sync_is_told_at_once_when_the_last_success_is_over_a_day_old(
    age: timedelta, *, sure: bool
) -> None:
    findings = found(ade(sync_error_code=8, last_synced_at=NOW - age))

    assert severity_of(findings, Problem.ADE_SYNC_FAILED) is (WARNING if sure else None)


@pytest.mark.parametrize(
    "age,severity",
    [
        (72 * HOUR - SECOND, WARNING),
        (72 * HOUR, WARNING),
        (72 * HOUR + SECOND, CRITICAL),
    ],
    ids=str,
)
def test_a_failed_sync_is_critical_when_the_last_success_is_over_three_days_old(
    age: timedelta, severity: Severity
) -> None:
    findings = found(ade(sync_error_code=8, last_synced_at=NOW - age))

    assert severity_of(findings, Problem.ADE_SYNC_FAILED) is severity


def test_a_failed_sync_of_a_token_that_never_synced_is_as_old_as_its_last_change() -> None:
    new = ade(sync_error_code=8, last_synced_at=None, last_modified_at=NOW - HOUR)
    old = ade(sync_error_code=8, last_synced_at=None, last_modified_at=NOW - 4 * DAY)

    assert severity_of(found(new), Problem.ADE_SYNC_FAILED) is None
    assert severity_of(found(old), Problem.ADE_SYNC_FAILED) is CRITICAL


# --- An error code that stands although the sync moves on --------------------------------------


def _moved_on(code_before: int = 8, code_now: int = 8) -> tuple[AppleToken, TokenRow]:
    before = row(ade(sync_error_code=code_before, last_synced_at=NOW - 13 * HOUR))
    return ade(sync_error_code=code_now, last_synced_at=NOW - HOUR), before


def test_a_code_that_stands_unchanged_while_the_sync_moves_on_is_remembered() -> None:
    assert leftover_error_code(*_moved_on()) == 8


@pytest.mark.parametrize(
    "token,previous",
    [
        (ade(sync_error_code=8), None),
        (ade(sync_error_code=8), row(ade(sync_error_code=8))),
        (ade(sync_error_code=8, last_synced_at=None), row(ade(sync_error_code=8))),
        (ade(sync_error_code=8), row(ade(sync_error_code=8, last_synced_at=None))),
        (ade(sync_error_code=0), row(ade(sync_error_code=0), leftover_error_code=8)),
        (ade(sync_error_code=9), row(ade(sync_error_code=9), leftover_error_code=8)),
        _moved_on(code_before=9),
        _moved_on(code_before=0),
        _moved_on(code_now=0),
    ],
    ids=[
        "first sight",
        "no later sync",
        "no sync now",
        "no sync before",
        "gone",
        "another code",
        "changed",
        "began",
        "ended",
    ],
)
def test_any_other_code_is_no_leftover(token: AppleToken, previous: TokenRow | None) -> None:
    assert leftover_error_code(token, previous) == 0


def test_a_leftover_stays_one_until_the_next_sync_succeeds() -> None:
    token = ade(sync_error_code=8)

    assert leftover_error_code(token, row(token, leftover_error_code=8)) == 8


def test_a_leftover_is_shown_and_not_told_however_often_it_was_seen() -> None:
    token = ade(sync_error_code=8)
    seen = alert(Problem.ADE_SYNC_FAILED, since=NOW - 30 * DAY)

    findings = found(token, row(token, leftover_error_code=8), (seen,))

    assert told_of(findings) == set()
    assert of(findings, Problem.ADE_SYNC_FAILED) is not None


@pytest.mark.parametrize("age,sure", [(DAY, False), (DAY + SECOND, True)], ids=str)
def test_a_leftover_is_told_once_the_sync_stands_still_for_over_a_day(
    age: timedelta, *, sure: bool
) -> None:
    token = ade(sync_error_code=8, last_synced_at=NOW - age)

    findings = found(token, row(token, leftover_error_code=8))

    assert (Problem.ADE_SYNC_FAILED in told_of(findings)) is sure


def test_terms_are_told_although_the_sync_moves_on() -> None:
    token, before = _moved_on(3, 3)

    assert told_of(found(token, before)) == {Problem.ADE_TERMS_NOT_ACCEPTED}


# --- Stale syncs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "age,severity",
    [
        (36 * HOUR - SECOND, None),
        (36 * HOUR, WARNING),
        (36 * HOUR + SECOND, WARNING),
        (72 * HOUR - SECOND, WARNING),
        (72 * HOUR, CRITICAL),
        (72 * HOUR + SECOND, CRITICAL),
    ],
    ids=str,
)
def test_an_ade_token_is_stale_from_36_hours_and_critical_from_72(
    age: timedelta, severity: Severity | None
) -> None:
    findings = found(ade(last_synced_at=NOW - age))

    assert severity_of(findings, Problem.ADE_SYNC_STALE) is severity
    assert told_of(findings) == ({Problem.ADE_SYNC_STALE} if severity else set())


@pytest.mark.parametrize(
    "age,severity",
    [
        (48 * HOUR - SECOND, None),
        (48 * HOUR, WARNING),
        (48 * HOUR + SECOND, WARNING),
        (72 * HOUR - SECOND, WARNING),
        (72 * HOUR, CRITICAL),
        (72 * HOUR + SECOND, CRITICAL),
    ],
    ids=str,
)
def test_a_vpp_token_is_stale_from_48_hours_and_critical_from_72(
    age: timedelta, severity: Severity | None
) -> None:
    findings = found(vpp(last_synced_at=NOW - age))

    assert severity_of(findings, Problem.VPP_SYNC_STALE) is severity
    assert told_of(findings) == ({Problem.VPP_SYNC_STALE} if severity else set())


def test_the_limits_of_stale_syncs_follow_their_settings() -> None:
    policy = Policy(stale_sync_h_ade=13, stale_sync_h_vpp=30)

    assert told_of(found(ade(last_synced_at=NOW - 13 * HOUR), policy=policy))
    assert not told_of(found(ade(last_synced_at=NOW - 13 * HOUR + SECOND), policy=policy))
    assert told_of(found(vpp(last_synced_at=NOW - 30 * HOUR), policy=policy))
    assert not told_of(found(vpp(last_synced_at=NOW - 30 * HOUR + SECOND), policy=policy))


def test_stale_stays_a_warning_for_an_ade_token_without_devices() -> None:
    old = NOW - 90 * DAY

    assert found(ade(last_synced_at=old, device_count=0))[0].severity is WARNING
    assert found(ade(last_synced_at=old, device_count=None))[0].severity is CRITICAL
    assert found(vpp(last_synced_at=old, device_count=0))[0].severity is CRITICAL


@pytest.mark.parametrize("kind,hours", [(TokenKind.ADE, 36), (TokenKind.VPP, 48)])
def test_a_token_that_never_synced_counts_from_its_last_change(kind: TokenKind, hours: int) -> None:
    limit = NOW - hours * HOUR
    token = TOKENS[kind]

    assert not found(token(last_synced_at=None, last_modified_at=limit + SECOND))
    assert found(token(last_synced_at=None, last_modified_at=limit))


@pytest.mark.parametrize("kind,hours", [(TokenKind.ADE, 36), (TokenKind.VPP, 48)])
def test_without_any_time_a_token_counts_from_its_first_sight(kind: TokenKind, hours: int) -> None:
    limit = NOW - hours * HOUR
    token = TOKENS[kind](last_synced_at=None, last_modified_at=None)

    assert not found(token)
    assert not found(token, row(token, first_seen_at=limit + SECOND))
    assert found(token, row(token, first_seen_at=limit))


def test_a_sync_in_the_future_is_no_problem() -> None:
    assert found(ade(last_synced_at=NOW + DAY)) == ()


def test_the_push_certificate_knows_no_syncs() -> None:
    assert found(push(last_synced_at=NOW - 90 * DAY, sync_error_code=3)) == ()


# --- VPP: states ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state,problem,severity",
    [
        ("invalid", Problem.VPP_TOKEN_INVALID, CRITICAL),
        ("assignedToExternalMDM", Problem.VPP_TOKEN_IN_OTHER_MDM, CRITICAL),
        ("duplicateLocationId", Problem.VPP_TOKEN_DUPLICATE_LOCATION, WARNING),
        ("unknown", Problem.VPP_TOKEN_STATE_UNKNOWN, WARNING),
        ("", Problem.VPP_TOKEN_STATE_UNKNOWN, WARNING),
        ("addedByGraphIn2031", Problem.VPP_TOKEN_STATE_UNKNOWN, WARNING),
        ("Valid", Problem.VPP_TOKEN_STATE_UNKNOWN, WARNING),
    ],
)
def test_a_vpp_token_is_judged_by_its_state(
    state: str, problem: Problem, severity: Severity
) -> None:
    findings = found(vpp(state=state))

    assert told_of(findings) == {problem}
    assert findings[0].severity is severity


@pytest.mark.parametrize("status", ["", "none", "inProgress", "completed"])
def test_these_sync_statuses_are_no_problem(status: str) -> None:
    assert found(vpp(sync_status=status)) == ()


def test_an_unknown_sync_status_is_something_to_look_at() -> None:
    assert told_of(found(vpp(sync_status="addedIn2031"))) == {Problem.VPP_TOKEN_STATE_UNKNOWN}


def test_an_unknown_sync_status_adds_nothing_to_a_state_that_is_a_problem() -> None:
    findings = found(vpp(state="invalid", sync_status="addedIn2031"))

    assert told_of(findings) == {Problem.VPP_TOKEN_INVALID}


def test_a_failed_vpp_sync_stays_a_warning_however_old() -> None:
    token = vpp(sync_status="failed", last_synced_at=NOW - 90 * DAY)

    findings = found(token, row(token), (alert(Problem.VPP_SYNC_FAILED),))

    assert severity_of(findings, Problem.VPP_SYNC_FAILED) is WARNING


def test_the_facts_of_a_vpp_sync_name_the_last_one() -> None:
    token = vpp(sync_status="failed", last_synced_at=NOW - 90 * DAY)

    findings = found(token, row(token), (alert(Problem.VPP_SYNC_FAILED),))

    for problem in (Problem.VPP_SYNC_FAILED, Problem.VPP_SYNC_STALE):
        seen = of(findings, problem)
        assert seen is not None
        assert seen.facts.last_synced_at == NOW - 90 * DAY


# --- Push certificate -------------------------------------------------------------------------


def test_a_topic_that_differs_from_the_accepted_one_is_a_replaced_certificate() -> None:
    before = row(push())

    findings = found(push(topic="new", serial_number="02", apple_account="b@x.example"), before)

    assert told_of(findings) == {Problem.PUSH_CERTIFICATE_REPLACED}
    seen = findings[0]
    assert seen.severity is CRITICAL
    assert seen.facts.old_topic == "com.apple.mgmt.External.old"
    assert seen.facts.old_serial_number == "01"
    assert seen.facts.old_apple_account == "push@contoso.example"
    assert seen.facts.old_topic_expires_on == NOW + 300 * DAY
    assert (seen.facts.new_serial_number, seen.facts.new_apple_account) == ("02", "b@x.example")


@pytest.mark.parametrize(
    "token,previous",
    [
        (push(), None),
        (push(), row(push())),
        (push(), row(push(), known_topic="")),
        (push(serial_number="02"), row(push())),
        (push(apple_account="another@contoso.example"), row(push())),
        (push(topic=""), row(push())),
    ],
    ids=["first sight", "same", "none known", "renewed", "another account", "none given"],
)
def test_any_other_certificate_is_not_a_replaced_one(
    token: AppleToken, previous: TokenRow | None
) -> None:
    assert found(token, previous) == ()


def test_a_replaced_certificate_is_not_put_right_by_an_answer_without_a_topic() -> None:
    seen = alert(Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL)

    findings = found(push(topic=""), row(push()), (seen,))

    assert told_of(findings) == {Problem.PUSH_CERTIFICATE_REPLACED}


def test_an_answer_without_a_topic_does_not_bring_an_ended_replacement_back() -> None:
    over = alert(Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL, ended_at=NOW - HOUR)

    assert found(push(topic=""), row(push()), (over,)) == ()


def test_a_failed_upload_is_a_warning() -> None:
    findings = found(push(upload_failure="The certificate is not the one that was requested."))

    assert told_of(findings) == {Problem.PUSH_CERTIFICATE_UPLOAD_FAILED}
    assert findings[0].severity is WARNING


# --- What a cause silences --------------------------------------------------------------------


def _vpp_with(**changes: object) -> tuple[Finding, ...]:
    """Diagnose a VPP token whose sync fails for long."""
    token = vpp(sync_status="failed", last_synced_at=NOW - 90 * DAY, **changes)
    return found(token, row(token), (alert(Problem.VPP_SYNC_FAILED),))


def _ade_with(**changes: object) -> tuple[Finding, ...]:
    """Diagnose an ADE token that has not synced for long."""
    return found(ade(last_synced_at=NOW - 90 * DAY, **changes))


def test_expired_silences_expiring_invalid_sync_failed_and_stale() -> None:
    findings = _vpp_with(expires_on=NOW - DAY, state="invalid")

    assert told_of(findings) == {Problem.VPP_TOKEN_EXPIRED}
    assert silenced(findings) == {
        Problem.VPP_TOKEN_EXPIRING,
        Problem.VPP_TOKEN_INVALID,
        Problem.VPP_SYNC_FAILED,
        Problem.VPP_SYNC_STALE,
    }


def test_expired_silences_an_ade_tokens_failed_sync_and_stale() -> None:
    findings = _ade_with(expires_on=NOW - DAY, sync_error_code=8)

    assert told_of(findings) == {Problem.ADE_TOKEN_EXPIRED}
    assert silenced(findings) == {
        Problem.ADE_TOKEN_EXPIRING,
        Problem.ADE_SYNC_FAILED,
        Problem.ADE_SYNC_STALE,
    }


def test_expired_silences_neither_terms_nor_another_mdm_nor_a_duplicate_location() -> None:
    expired = {"expires_on": NOW - DAY}

    assert Problem.ADE_TERMS_NOT_ACCEPTED in told_of(found(ade(sync_error_code=3, **expired)))
    for state, problem in [
        ("assignedToExternalMDM", Problem.VPP_TOKEN_IN_OTHER_MDM),
        ("duplicateLocationId", Problem.VPP_TOKEN_DUPLICATE_LOCATION),
        ("unknown", Problem.VPP_TOKEN_STATE_UNKNOWN),
    ]:
        assert problem in told_of(found(vpp(state=state, **expired)))


def test_expired_silences_nothing_of_a_push_certificate_but_expiring() -> None:
    token = push(expires_on=NOW, topic="new", upload_failure="No.")

    findings = found(token, row(push()))

    assert silenced(findings) == {Problem.PUSH_CERTIFICATE_EXPIRING}
    assert told_of(findings) == {
        Problem.PUSH_CERTIFICATE_EXPIRED,
        Problem.PUSH_CERTIFICATE_REPLACED,
        Problem.PUSH_CERTIFICATE_UPLOAD_FAILED,
    }


def test_terms_silence_stale() -> None:
    findings = _ade_with(sync_error_code=3)

    assert told_of(findings) == {Problem.ADE_TERMS_NOT_ACCEPTED}
    assert silenced(findings) == {Problem.ADE_SYNC_STALE}


def test_a_failed_sync_silences_stale() -> None:
    assert told_of(_ade_with(sync_error_code=8)) == {Problem.ADE_SYNC_FAILED}
    assert silenced(_ade_with(sync_error_code=8)) == {Problem.ADE_SYNC_STALE}
    assert told_of(_vpp_with()) == {Problem.VPP_SYNC_FAILED}
    assert silenced(_vpp_with()) == {Problem.VPP_SYNC_STALE}


def test_a_failed_sync_that_is_not_told_yet_silences_nothing() -> None:
    findings = found(vpp(sync_status="failed", last_synced_at=NOW - 90 * DAY))

    assert told_of(findings) == {Problem.VPP_SYNC_STALE}
    assert silenced(findings) == set()


@pytest.mark.parametrize(
    "renewed,settling",
    [(48 * HOUR - SECOND, True), (48 * HOUR, False), (48 * HOUR + SECOND, False)],
    ids=str,
)
def test_for_48_hours_after_a_renewal_failed_and_stale_syncs_are_silenced(
    renewed: timedelta, *, settling: bool
) -> None:
    old = {"last_synced_at": NOW - 90 * DAY}
    for token, cause, consequence in [
        (ade(sync_error_code=8, **old), Problem.ADE_SYNC_FAILED, Problem.ADE_SYNC_STALE),
        (vpp(sync_status="failed", **old), Problem.VPP_SYNC_FAILED, Problem.VPP_SYNC_STALE),
    ]:
        findings = found(token, row(token, renewed_at=NOW - renewed), (alert(cause),))

        assert told_of(findings) == (set() if settling else {cause})
        assert silenced(findings) == ({cause, consequence} if settling else {consequence})


def test_a_renewal_silences_nothing_else() -> None:
    token = ade(sync_error_code=3, expires_on=NOW + 20 * DAY)

    findings = found(token, row(token, renewed_at=NOW))

    assert told_of(findings) == {Problem.ADE_TERMS_NOT_ACCEPTED, Problem.ADE_TOKEN_EXPIRING}


# --- The worst of all -------------------------------------------------------------------------


def test_the_worst_finding_comes_first_and_a_silenced_one_never_counts() -> None:
    findings = _vpp_with(expires_on=NOW + 20 * DAY, state="invalid")

    assert [(f.problem, f.silenced) for f in findings] == [
        (Problem.VPP_TOKEN_INVALID, False),
        (Problem.VPP_TOKEN_EXPIRING, False),
        (Problem.VPP_SYNC_FAILED, False),
        (Problem.VPP_SYNC_STALE, True),
    ]
    assert worst(findings) == findings[0]
    assert worst(findings[-1:]) is None


def test_what_is_told_counts_before_what_waits_for_a_second_sight() -> None:
    findings = found(ade(sync_error_code=8, expires_on=NOW + 20 * DAY))

    assert [f.problem for f in findings] == [Problem.ADE_TOKEN_EXPIRING, Problem.ADE_SYNC_FAILED]


# --- Gone -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token,severity",
    [
        (vpp(), CRITICAL),
        (vpp(device_count=0), CRITICAL),
        (ade(device_count=1), CRITICAL),
        (ade(device_count=None), CRITICAL),
        (ade(device_count=0), WARNING),
    ],
    ids=["vpp", "vpp without devices", "ade with devices", "ade of unknown use", "unused ade"],
)
def test_a_removed_token_is_as_bad_as_what_hung_on_it(
    token: AppleToken, severity: Severity
) -> None:
    seen = removed(token, NOW - DAY)

    assert (seen.problem, seen.severity) == (Problem.TOKEN_REMOVED, severity)
    assert (seen.facts.as_of, seen.facts.old_expires_on) == (NOW - DAY, token.expires_on)
