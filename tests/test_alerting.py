"""When to tell: each reason, each ending, the snooze and the limits between them, to the second."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    SOURCE_ID,
    AppleToken,
    Facts,
    Problem,
    Reason,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, TokenRow
from apple_tokens.snooze import is_snoozed
from check_tokens.alerting import (
    clear,
    decide,
    is_forgotten,
    last_card_was_told,
    rest,
)
from check_tokens.finding import Finding
from check_tokens.policy import Policy
from tests.builders import DAY, HOUR, NOW, SECOND, ade, alert, finding, moment, push, row, told, vpp

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
TERMS = Problem.ADE_TERMS_NOT_ACCEPTED
INVALID = Problem.VPP_TOKEN_INVALID
STALE = Problem.ADE_SYNC_STALE
FAILED = Problem.ADE_SYNC_FAILED
REPLACED = Problem.PUSH_CERTIFICATE_REPLACED
TWICE = (
    Problem.ADE_SYNC_FAILED,
    Problem.ADE_SYNC_STALE,
    Problem.VPP_SYNC_FAILED,
    Problem.VPP_SYNC_STALE,
)
TODAY = NOW.date()
YESTERDAY = TODAY - DAY


def decided(
    before: AlertRow | None,
    seen: Finding,
    *,
    check_date: date = TODAY,
    policy: Policy | None = None,
    held: bool = False,
) -> AlertRow:
    """Decide at NOW about the alert of an ADE token, or of whatever token `before` is about."""
    owner = (before.kind, before.token_id) if before else (TokenKind.ADE, "a-1")
    when = moment(check_date=check_date)
    return decide(before, seen, owner, when, policy or Policy(), held=held)


def due(after: AlertRow | None) -> Reason | None:
    """Return why somebody must be told now, None when nobody must."""
    assert after is not None
    if not after.is_untold:
        return None
    assert after.step == after.told_step + 1
    return after.reason


def cleared(before: AlertRow, token: TokenRow | AppleToken | None, **options: bool) -> AlertRow:
    """Clear an alert at NOW that is not forgotten by that."""
    known = row(token) if isinstance(token, AppleToken) else token
    after = clear(before, known, moment(), **options)
    assert after is not None
    return after


# --- New --------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("problem", Problem)
def test_a_problem_seen_first_is_new_whatever_it_is(problem: Problem, severity: Severity) -> None:
    after = decided(None, finding(problem, severity))

    assert due(after) is Reason.NEW
    assert (after.step, after.told_step, after.stage) == (1, 0, severity)
    assert after.since == after.seen_at == after.due_since == after.severity_since == NOW
    assert (after.kind, after.token_id, after.problem) == (TokenKind.ADE, "a-1", problem)


def test_what_was_not_told_yet_stays_new_with_what_is_true_now() -> None:
    before = decided(None, finding(TERMS, CRITICAL))
    before = replace(before, since=NOW - DAY, due_since=NOW - DAY)
    facts = Facts(sync_error_code=3)

    after = decided(before, finding(TERMS, WARNING, facts=facts))

    assert due(after) is Reason.NEW
    assert (after.step, after.since, after.due_since) == (1, NOW - DAY, NOW - DAY)
    assert (after.severity, after.stage, after.facts) == (WARNING, WARNING, facts)


@pytest.mark.parametrize("why", ["silenced", "unsure"])
def test_what_is_silenced_or_seen_once_is_kept_and_not_told(why: str) -> None:
    after = decided(None, finding(TERMS, CRITICAL, **{why: True}))

    assert due(after) is None
    assert after.due_since is None
    assert after.since == NOW
    assert after.silenced is (why == "silenced")


def test_an_untold_step_is_taken_back_when_a_cause_silences_it() -> None:
    untold = decided(None, finding(STALE))

    after = decided(untold, finding(STALE, silenced=True))

    assert (due(after), after.step, after.due_since) == (None, 0, None)


def test_what_was_never_told_is_new_when_its_cause_is_over() -> None:
    silenced = decided(None, finding(STALE, silenced=True))

    assert due(decided(silenced, finding(STALE))) is Reason.NEW


def test_a_problem_that_goes_on_was_seen_now() -> None:
    after = decided(told(alert(STALE)), finding(STALE))

    assert (after.seen_at, after.since) == (NOW, NOW - DAY)


# --- Worse ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told_stage,stage,worse",
    [
        ("30", "30", False),
        ("30", "14", True),
        ("30", "1", True),
        ("14", "7", True),
        ("7", "14", False),
        ("1", "1", False),
        ("", "30", True),
        ("nonsense", "30", True),
    ],
)
def test_a_deeper_stage_is_worse_and_a_stage_is_told_once(
    told_stage: str, stage: str, *, worse: bool
) -> None:
    before = told(alert(Problem.ADE_TOKEN_EXPIRING, stage=told_stage))
    before = replace(before, stage=stage)

    after = decided(before, finding(Problem.ADE_TOKEN_EXPIRING, stage=stage))

    assert due(after) is (Reason.WORSE if worse else None)


@pytest.mark.parametrize(
    "told_as,now,reason",
    [
        (WARNING, WARNING, None),
        (WARNING, CRITICAL, Reason.WORSE),
        (CRITICAL, WARNING, None),
    ],
)
def test_a_higher_severity_is_worse(
    told_as: Severity, now: Severity, reason: Reason | None
) -> None:
    before = told(alert(FAILED, told_as), NOW)

    assert due(decided(before, finding(FAILED, now))) is reason


def test_what_got_worse_while_it_was_silenced_is_told_when_its_cause_is_over() -> None:
    before = told(alert(STALE))
    silenced = decided(before, finding(STALE, CRITICAL, silenced=True))

    assert due(silenced) is None
    assert due(decided(silenced, finding(STALE, CRITICAL))) is Reason.WORSE


def test_what_got_worse_and_better_before_it_was_told_is_not_told() -> None:
    worse = decided(told(alert(FAILED)), finding(FAILED, CRITICAL))

    assert due(worse) is Reason.WORSE
    assert due(decided(worse, finding(FAILED))) is None


def test_the_time_of_a_severity_is_when_it_last_rose() -> None:
    long_ago = NOW - 5 * DAY
    critical = alert(FAILED, CRITICAL, severity_since=long_ago)

    assert decided(critical, finding(FAILED, CRITICAL)).severity_since == long_ago
    assert decided(critical, finding(FAILED, WARNING)).severity_since == long_ago
    warning = alert(FAILED, severity_since=long_ago)
    assert decided(warning, finding(FAILED, CRITICAL)).severity_since == NOW


def test_a_stage_that_somebody_typed_counts_as_the_first() -> None:
    before = told(alert(Problem.ADE_TOKEN_EXPIRING, stage="9" * 5_000))

    after = decided(before, finding(Problem.ADE_TOKEN_EXPIRING, stage="30"))

    assert after.reason is Reason.WORSE


# --- Renewed into the stages --------------------------------------------------------------------


def test_a_token_renewed_to_a_date_that_is_still_near_is_new_for_that_date() -> None:
    """Else the stages of the new date, shallower than what was told, would all be silent."""
    before = told(
        alert(
            Problem.ADE_TOKEN_EXPIRING,
            CRITICAL,
            stage="3",
            facts=Facts(old_expires_on=NOW + 2 * DAY),
        )
    )
    near = finding(
        Problem.ADE_TOKEN_EXPIRING, stage="30", facts=Facts(old_expires_on=NOW + 20 * DAY)
    )

    after = decided(before, near)

    assert due(after) is Reason.NEW
    assert (after.step, after.since) == (2, NOW)
    assert not after.was_told


@pytest.mark.parametrize(
    "stage,date_now", [("3", 2 * DAY + SECOND), ("7", 2 * DAY), ("7", 2 * DAY - SECOND)], ids=str
)
def test_neither_a_date_moved_within_its_stage_nor_changed_stages_begin_anew(
    stage: str, date_now: timedelta
) -> None:
    before = told(
        alert(
            Problem.ADE_TOKEN_EXPIRING,
            CRITICAL,
            stage="3",
            facts=Facts(old_expires_on=NOW + 2 * DAY),
        )
    )
    seen = finding(
        Problem.ADE_TOKEN_EXPIRING,
        CRITICAL,
        stage=stage,
        facts=Facts(old_expires_on=NOW + date_now),
    )

    after = decided(before, seen)

    assert due(after) is None
    assert after.since == before.since


def test_a_date_that_was_not_known_before_begins_nothing_anew() -> None:
    before = told(alert(Problem.ADE_TOKEN_EXPIRING, CRITICAL, stage="3"))
    near = finding(
        Problem.ADE_TOKEN_EXPIRING, stage="30", facts=Facts(old_expires_on=NOW + 20 * DAY)
    )

    assert decided(before, near).since == before.since


def test_only_the_stages_of_a_date_begin_anew() -> None:
    """An expired token without devices any more, and with a later date that is past as well."""
    expired = Problem.ADE_TOKEN_EXPIRED
    before = told(alert(expired, CRITICAL, facts=Facts(old_expires_on=NOW - 9 * DAY)))

    after = decided(before, finding(expired, facts=Facts(old_expires_on=NOW - DAY)))

    assert (due(after), after.since) == (None, before.since)


# --- Reminders --------------------------------------------------------------------------------


def test_a_critical_problem_is_told_again_on_the_next_check_date() -> None:
    before = told(alert(TERMS, CRITICAL))

    assert due(decided(before, finding(TERMS, CRITICAL))) is Reason.REMINDER


def test_a_critical_problem_is_told_once_on_a_check_date() -> None:
    before = told(alert(TERMS, CRITICAL), NOW)

    assert due(decided(before, finding(TERMS, CRITICAL))) is None


def test_a_telling_counts_for_the_check_that_made_its_ticket() -> None:
    """Teams took yesterday's card just now: today's reminder is due all the same."""
    before = told(alert(TERMS, CRITICAL), told_at=NOW - SECOND)

    assert due(decided(before, finding(TERMS, CRITICAL))) is Reason.REMINDER


@pytest.mark.parametrize("stored", [None, TODAY + 400 * DAY], ids=["none", "of a wrong clock"])
def test_a_date_of_telling_that_cannot_be_right_does_not_stop_the_reminders(
    stored: date | None,
) -> None:
    before = told(alert(TERMS, CRITICAL), told_check_date=stored)

    assert due(decided(before, finding(TERMS, CRITICAL))) is Reason.REMINDER


@pytest.mark.parametrize("problem", [*EXPIRING.values()])
def test_an_expiring_token_has_no_reminders(problem: Problem) -> None:
    before = told(alert(problem, CRITICAL, stage="7"))

    assert due(decided(before, finding(problem, CRITICAL, stage="7"))) is None


@pytest.mark.parametrize("problem", Problem)
def test_a_warning_has_no_reminders(problem: Problem) -> None:
    assert due(decided(told(alert(problem)), finding(problem))) is None


@pytest.mark.parametrize(
    "days,tellings,reason",
    [
        (14, 13, Reason.REMINDER),
        (14, 14, None),
        (14, 15, None),
        (1, 1, None),
        (2, 1, Reason.REMINDER),
        (2, 2, None),
    ],
)
def test_the_first_telling_is_one_of_the_days_of_reminders(
    days: int, tellings: int, reason: Reason | None
) -> None:
    before = told(alert(TERMS, CRITICAL), told_step=tellings, step=tellings)

    after = decided(before, finding(TERMS, CRITICAL), policy=Policy(repeat_critical_days=days))

    assert due(after) is reason


def test_reminders_count_from_the_step_that_first_told_it_as_critical() -> None:
    before = told(alert(FAILED, CRITICAL), told_step=20, step=20, remind_from_step=8)

    assert due(decided(before, finding(FAILED, CRITICAL))) is Reason.REMINDER
    before = replace(before, remind_from_step=7)
    assert due(decided(before, finding(FAILED, CRITICAL))) is None


@pytest.mark.parametrize(
    "before,severity,reason",
    [
        (None, CRITICAL, Reason.NEW),
        (told(alert(FAILED)), CRITICAL, Reason.WORSE),
        (told(alert(FAILED, CRITICAL), told_reason=Reason.FIXED), CRITICAL, Reason.AGAIN),
    ],
    ids=["new", "worse", "again"],
)
def test_new_worse_and_again_begin_the_days_of_reminders(
    before: AlertRow | None, severity: Severity, reason: Reason
) -> None:
    after = decided(before, finding(FAILED, severity))

    assert due(after) is reason
    assert after.remind_from_step == after.step


def test_a_reminder_does_not_begin_the_days_of_reminders_anew() -> None:
    before = told(alert(TERMS, CRITICAL), told_step=5, step=5, due_since=NOW - 9 * DAY)

    after = decided(before, finding(TERMS, CRITICAL))

    assert (due(after), after.remind_from_step) == (Reason.REMINDER, 1)
    assert after.due_since == NOW


@pytest.mark.parametrize("problem", [Problem.PUSH_CERTIFICATE_EXPIRED, REPLACED])
def test_an_expired_or_replaced_push_certificate_is_told_daily_throughout(
    problem: Problem,
) -> None:
    before = told(alert(problem, CRITICAL), told_step=400, step=400)

    assert due(decided(before, finding(problem, CRITICAL))) is Reason.REMINDER


@pytest.mark.parametrize("tellings,reason", [(2, Reason.REMINDER), (3, None)])
def test_a_removed_token_is_told_on_three_days(tellings: int, reason: Reason | None) -> None:
    before = told(alert(Problem.TOKEN_REMOVED, CRITICAL), told_step=tellings, step=tellings)

    assert due(decided(before, finding(Problem.TOKEN_REMOVED, CRITICAL))) is reason


# --- While the source cannot be read ------------------------------------------------------------


def test_a_problem_as_it_was_last_seen_gives_no_reminder() -> None:
    before = told(alert(TERMS, CRITICAL))

    after = decided(before, finding(TERMS, CRITICAL), held=True)

    assert due(after) is None
    assert after.seen_at == before.seen_at


@pytest.mark.parametrize(
    "before,reason",
    [
        (alert(TERMS, CRITICAL, step=1, reason=Reason.NEW), Reason.NEW),
        (told(alert(TERMS, CRITICAL), told_stage=WARNING, step=2), Reason.WORSE),
        (told(alert(TERMS, CRITICAL), told_reason=Reason.FIXED, step=2), Reason.AGAIN),
    ],
    ids=str,
)
def test_what_was_not_told_before_the_source_failed_is_still_told(
    before: AlertRow, reason: Reason
) -> None:
    assert due(decided(before, finding(TERMS, CRITICAL), held=True)) is reason


# --- Ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem,token",
    [
        (TERMS, ade()),
        (INVALID, vpp()),
        (Problem.VPP_TOKEN_IN_OTHER_MDM, vpp()),
        (Problem.VPP_TOKEN_DUPLICATE_LOCATION, vpp()),
        (Problem.VPP_TOKEN_STATE_UNKNOWN, vpp()),
        (REPLACED, push()),
        (Problem.PUSH_CERTIFICATE_UPLOAD_FAILED, push()),
        (Problem.PUSH_CERTIFICATE_MISSING, push()),
        (Problem.TOKEN_REMOVED, ade()),
        (Problem.EXPIRY_UNKNOWN, ade()),
        (Problem.COULD_NOT_CHECK, None),
    ],
    ids=str,
)
def test_a_told_problem_ends_with_the_first_check_without_it_and_is_fixed(
    problem: Problem, token: AppleToken | None
) -> None:
    after = cleared(told(alert(problem)), token)

    assert due(after) is Reason.FIXED
    assert after.ended_at == after.clear_since == after.due_since == NOW
    assert after.step == 2


@pytest.mark.parametrize("problem", Problem)
def test_a_problem_that_was_never_told_ends_without_a_word(problem: Problem) -> None:
    untold = alert(problem, step=1, reason=Reason.NEW, due_since=NOW, clear_since=NOW - 5 * DAY)

    after = cleared(untold, push() if untold.kind is TokenKind.PUSH else ade())

    assert after.ended_at == NOW
    assert (due(after), after.step, after.due_since) == (None, 0, None)


@pytest.mark.parametrize(
    "without,ended",
    [(20 * HOUR - SECOND, False), (20 * HOUR, True), (20 * HOUR + SECOND, True)],
    ids=str,
)
@pytest.mark.parametrize("problem", TWICE)
def test_a_sync_problem_ends_with_the_second_check_without_it_20_hours_later(
    problem: Problem, without: timedelta, *, ended: bool
) -> None:
    before = told(alert(problem))
    first = cleared(before, ade())
    assert first.ended_at is None
    assert first.clear_since == NOW
    assert due(first) is None

    second = cleared(replace(first, clear_since=NOW - without), ade())

    assert (second.ended_at == NOW) is ended
    assert due(second) is (Reason.FIXED if ended else None)
    assert second.clear_since == NOW - without


def test_a_sync_problem_that_is_seen_again_has_to_be_clear_twice_once_more() -> None:
    before = told(alert(FAILED), NOW, clear_since=NOW - HOUR)

    after = decided(before, finding(FAILED))

    assert (after.clear_since, due(after)) == (None, None)


def test_what_was_to_be_told_is_taken_back_by_the_first_check_without_it() -> None:
    untold = alert(FAILED, step=1, reason=Reason.NEW, due_since=NOW)

    after = cleared(untold, ade())

    assert (due(after), after.step, after.due_since) == (None, 0, None)


def test_a_silenced_problem_that_ends_is_not_silenced_any_more() -> None:
    assert cleared(told(alert(TERMS, silenced=True)), ade()).silenced is False


@pytest.mark.parametrize("over", [Reason.FIXED, Reason.ACCEPTED])
def test_one_that_came_back_and_went_before_anybody_heard_is_not_fixed_again(
    over: Reason,
) -> None:
    ended = told(alert(TERMS), told_reason=over)
    back = decided(ended, finding(TERMS))
    assert due(back) is Reason.AGAIN

    after = cleared(back, ade())

    assert (due(after), after.step) == (None, ended.told_step)


def test_a_fixed_problem_is_told_once() -> None:
    fixed = cleared(told(alert(TERMS)), ade())
    heard = replace(fixed, told_step=fixed.step, told_reason=Reason.FIXED)

    assert due(cleared(heard, ade())) is None


def test_an_untold_end_waits_and_says_the_same() -> None:
    fixed = cleared(told(alert(TERMS)), ade())

    assert cleared(fixed, ade()) == fixed


def test_an_end_that_was_decided_while_the_card_was_on_its_way_is_told_afterwards() -> None:
    """The check saw an untold problem end without a word; the stamp came in after that."""
    on_its_way = alert(TERMS, CRITICAL, step=1, reason=Reason.NEW)
    ended = cleared(on_its_way, ade())
    assert due(ended) is None

    stamped = replace(ended, told_step=1, told_reason=Reason.NEW, told_stage=CRITICAL)

    assert due(cleared(stamped, ade())) is Reason.FIXED


# --- Ends that are not good ---------------------------------------------------------------------

DATES = pytest.mark.parametrize("problem", [*EXPIRED.values(), *EXPIRING.values()])


def _dated(problem: Problem, later: timedelta | None, **facts: object) -> AlertRow:
    """Clear a told alert about a date, for a token whose date is now that much later."""
    kind = next(k for k in TokenKind if problem in {EXPIRED[k], EXPIRING[k]})
    old = NOW + DAY
    token = {TokenKind.ADE: ade, TokenKind.VPP: vpp, TokenKind.PUSH: push}[kind](
        expires_on=None if later is None else old + later
    )
    known = Facts(**({"old_expires_on": old} | facts))  # type: ignore[arg-type]
    return cleared(told(alert(problem, CRITICAL, facts=known)), token)


@DATES
@pytest.mark.parametrize("later", [SECOND, 365 * DAY], ids=str)
def test_expiring_and_expired_end_well_by_a_later_date(problem: Problem, later: timedelta) -> None:
    after = _dated(problem, later)

    assert due(after) is Reason.FIXED
    assert after.facts.old_expires_on == NOW + DAY
    assert after.facts.new_expires_on == NOW + DAY + later


@DATES
@pytest.mark.parametrize("later", [timedelta(0), -SECOND, None], ids=str)
def test_without_a_later_date_they_end_without_a_word(
    problem: Problem, later: timedelta | None
) -> None:
    """The stages were set anew, the state changed its mind, or the date was lost."""
    after = _dated(problem, later)

    assert after.ended_at == NOW
    assert due(after) is None


def test_a_good_end_that_was_overtaken_does_not_make_a_later_one_good() -> None:
    """It was to be told as fixed, came back before that, and ended by a changed limit."""
    facts = Facts(last_synced_at=NOW - 3 * DAY)
    back = told(alert(STALE, facts=facts), reason=Reason.FIXED, clear_since=NOW - DAY)

    assert due(cleared(back, ade(last_synced_at=NOW - 3 * DAY))) is None


def test_a_token_expired_by_state_without_a_date_ends_well_by_getting_one() -> None:
    after = _dated(Problem.VPP_TOKEN_EXPIRED, 365 * DAY, old_expires_on=None)

    assert due(after) is Reason.FIXED


@pytest.mark.parametrize("problem", [STALE, Problem.VPP_SYNC_STALE])
@pytest.mark.parametrize(
    "before,now,fixed",
    [
        (NOW - 3 * DAY, NOW - HOUR, True),
        (NOW - 3 * DAY, NOW - 3 * DAY + SECOND, True),
        (NOW - 3 * DAY, NOW - 3 * DAY, False),
        (NOW - 3 * DAY, None, False),
        (None, NOW - HOUR, True),
        (None, None, False),
    ],
)
def test_a_stale_sync_ends_well_by_a_later_one(
    problem: Problem, before: object, now: object, *, fixed: bool
) -> None:
    """One that ends because the limit was raised was not fixed by anybody."""
    facts = Facts(last_synced_at=before)  # type: ignore[arg-type]
    clear_before = told(alert(problem, facts=facts, clear_since=NOW - DAY))

    after = cleared(clear_before, ade(last_synced_at=now))

    assert after.ended_at == NOW
    assert due(after) is (Reason.FIXED if fixed else None)


@pytest.mark.parametrize(
    "code,synced,fixed",
    [
        (0, NOW - 3 * DAY, True),
        (8, NOW - HOUR, True),
        (3, NOW - 3 * DAY, False),
        (3, NOW - HOUR, True),
    ],
    ids=["no code", "code left over", "terms instead", "terms, but it synced"],
)
def test_a_failed_sync_ends_well_when_it_works_not_when_terms_stop_it_instead(
    code: int, synced: object, *, fixed: bool
) -> None:
    facts = Facts(sync_error_code=8, last_synced_at=NOW - 3 * DAY)
    before = told(alert(FAILED, facts=facts, clear_since=NOW - DAY))

    after = cleared(before, ade(sync_error_code=code, last_synced_at=synced))

    assert due(after) is (Reason.FIXED if fixed else None)


@pytest.mark.parametrize(
    "problem",
    [
        INVALID,
        Problem.VPP_TOKEN_IN_OTHER_MDM,
        Problem.VPP_TOKEN_DUPLICATE_LOCATION,
        Problem.VPP_TOKEN_STATE_UNKNOWN,
    ],
)
@pytest.mark.parametrize("state", ["expired", "invalid", "unknown", "", "addedIn2031"])
def test_a_state_ends_well_when_the_token_is_valid_not_when_it_is_something_else(
    problem: Problem, state: str
) -> None:
    assert due(cleared(told(alert(problem)), vpp(state=state))) is None


def test_a_push_certificate_with_another_topic_was_not_renewed() -> None:
    """It is told as replaced; the card of a renewal would say that the topic is unchanged."""
    old = Facts(old_expires_on=NOW + DAY, old_topic="old")
    for problem in (Problem.PUSH_CERTIFICATE_EXPIRING, Problem.PUSH_CERTIFICATE_EXPIRED):
        before = told(alert(problem, CRITICAL, facts=old))

        assert due(cleared(before, push(topic="new"))) is None
        assert due(cleared(before, push(topic="old"))) is Reason.FIXED
        assert due(cleared(before, push(topic=""))) is Reason.FIXED


_ACCEPTED_BEFORE = row(push(), accepted_by="Kim", accepted_reason="moved to the new account")


def test_an_accepted_topic_is_told_as_accepted_never_as_fixed() -> None:
    before = told(alert(REPLACED, CRITICAL))
    after = cleared(before, _ACCEPTED_BEFORE, accepted=True)

    assert due(after) is Reason.ACCEPTED
    assert after.facts.accepted_by == "Kim"
    assert after.facts.accepted_reason == "moved to the new account"


def test_who_accepted_a_topic_long_ago_has_nothing_to_do_with_a_later_end() -> None:
    after = cleared(told(alert(REPLACED, CRITICAL)), _ACCEPTED_BEFORE)

    assert due(after) is Reason.FIXED
    assert (after.facts.accepted_by, after.facts.accepted_reason) == ("", "")


def test_an_accepted_topic_that_nobody_heard_of_needs_no_word() -> None:
    assert due(cleared(alert(REPLACED, CRITICAL), push(), accepted=True)) is None


# --- What the card of an end says ---------------------------------------------------------------


def test_the_end_keeps_the_past_and_adds_the_present() -> None:
    old = Facts(
        as_of=NOW - DAY,
        old_expires_on=NOW + DAY,
        old_topic="t",
        old_serial_number="01",
        old_apple_account="a@x.example",
    )
    before = told(alert(Problem.PUSH_CERTIFICATE_EXPIRING, CRITICAL, facts=old))
    token = push(topic="t", serial_number="02", apple_account="b@x.example")

    after = cleared(before, token).facts

    assert after == replace(
        old,
        as_of=None,
        new_expires_on=token.expires_on,
        new_serial_number="02",
        new_apple_account="b@x.example",
        synced_since=None,
    )


def test_the_end_of_a_sources_alert_keeps_its_facts() -> None:
    facts = Facts(detail="Microsoft Graph is down.")
    before = told(alert(Problem.COULD_NOT_CHECK, token_id=SOURCE_ID, facts=facts))

    assert cleared(before, None).facts == facts


@pytest.mark.parametrize(
    "synced,changed,since",
    [
        (None, NOW - 2 * HOUR, False),
        # Before the last check that saw the problem.
        (NOW - DAY - SECOND, NOW - 2 * HOUR, False),
        (NOW - DAY, NOW - 2 * HOUR, False),
        # After it, but not after the change, whose time may mean something else.
        (NOW - 3 * HOUR, NOW - 2 * HOUR, None),
        (NOW - 2 * HOUR, NOW - 2 * HOUR, None),
        (NOW - 2 * HOUR + SECOND, NOW - 2 * HOUR, True),
        (NOW - DAY + SECOND, None, True),
    ],
)
def test_a_renewal_says_whether_a_sync_succeeded_since(
    synced: object, changed: object, *, since: bool | None
) -> None:
    facts = Facts(old_expires_on=NOW - DAY)
    before = told(alert(Problem.ADE_TOKEN_EXPIRED, CRITICAL, facts=facts, seen_at=NOW - DAY))

    after = cleared(before, ade(last_synced_at=synced, last_modified_at=changed))

    assert after.facts.synced_since is since


# --- After the end ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "age,forgotten",
    [(72 * HOUR - SECOND, False), (72 * HOUR, False), (72 * HOUR + SECOND, True)],
    ids=str,
)
def test_an_alert_is_forgotten_72_hours_after_its_end(age: timedelta, *, forgotten: bool) -> None:
    fixed = told(alert(TERMS, reason=Reason.FIXED), ended_at=NOW - age)

    assert is_forgotten(fixed, NOW) is forgotten
    assert (clear(fixed, row(ade()), moment()) is None) is forgotten
    after = decided(fixed, finding(TERMS, CRITICAL))
    assert due(after) is (Reason.NEW if forgotten else Reason.AGAIN)
    assert after.since == (NOW if forgotten else fixed.since)
    assert after.step == 2


def test_an_open_alert_is_not_forgotten_however_old() -> None:
    assert not is_forgotten(told(alert(TERMS, since=NOW - 900 * DAY)), NOW)


def test_one_whose_end_is_still_untold_is_not_forgotten() -> None:
    """The channel believes that it is open: it must hear of the end, or that it goes on."""
    ended = told(alert(TERMS, CRITICAL), ended_at=NOW - 30 * DAY, reason=Reason.FIXED, step=2)

    assert not is_forgotten(ended, NOW)
    assert due(cleared(ended, ade())) is Reason.FIXED
    back = decided(ended, finding(TERMS, CRITICAL))
    assert due(back) is Reason.REMINDER
    assert back.since == ended.since


def test_one_whose_card_came_in_after_its_end_is_not_forgotten_before_its_end_is_told() -> None:
    ended = told(alert(TERMS, CRITICAL), ended_at=NOW - 30 * DAY, reason=Reason.FIXED)

    assert not is_forgotten(ended, NOW)


def test_a_problem_that_returns_goes_on_from_when_it_was_seen_first() -> None:
    fixed = told(
        alert(TERMS, CRITICAL, reason=Reason.FIXED), since=NOW - 9 * DAY, ended_at=NOW - DAY
    )

    after = decided(fixed, finding(TERMS, CRITICAL))

    assert due(after) is Reason.AGAIN
    assert (after.since, after.ended_at, after.severity_since) == (NOW - 9 * DAY, None, NOW)


def test_a_warning_that_ended_without_a_word_goes_on_without_a_word() -> None:
    ended = told(alert(STALE), ended_at=NOW - DAY)

    assert due(decided(ended, finding(STALE))) is None


def test_a_new_alert_over_a_forgotten_one_tells_as_if_nothing_had_been_told() -> None:
    old = told(
        alert(TERMS, CRITICAL, reason=Reason.FIXED), told_step=9, step=9, ended_at=NOW - 9 * DAY
    )

    after = decided(old, finding(TERMS, CRITICAL))

    assert (after.step, after.base_step, after.told_step) == (10, 9, 9)
    assert not after.was_told
    assert due(cleared(after, ade())) is None
    assert due(cleared(replace(after, told_step=10, told_reason=Reason.NEW), ade()))
    assert (after.told_reason, after.told_stage) == (old.told_reason, old.told_stage)
    assert (after.told_at, after.told_check_date) == (old.told_at, old.told_check_date)


# --- Rest ---------------------------------------------------------------------------------------


def test_a_resting_alert_is_not_told_and_stays_open() -> None:
    untold = decided(None, finding(TERMS))

    assert due(rest(untold)) is None
    assert rest(untold).ended_at is None


def test_the_end_of_a_resting_alert_is_still_told() -> None:
    fixed = cleared(told(alert(TERMS)), ade())

    assert rest(fixed) == fixed


# --- Snooze ---------------------------------------------------------------------------------------


def _snoozed(problem: Problem = TERMS, **changes: object) -> AlertRow:
    """Return a critical alert, told days ago and snoozed yesterday until tomorrow."""
    fields: dict[str, object] = {
        "severity_since": NOW - 2 * DAY,
        "snoozed_at": NOW - DAY,
        "snoozed_until": NOW + DAY,
    }
    return replace(told(alert(problem, CRITICAL)), **(fields | changes))


def test_a_snoozed_alert_is_not_told() -> None:
    after = decided(_snoozed(), finding(TERMS, CRITICAL))

    assert (due(after), after.due_since) == (None, None)


@pytest.mark.parametrize(
    "until,snoozed", [(NOW + SECOND, True), (NOW, False), (NOW - SECOND, False)], ids=str
)
def test_a_snooze_ends_at_its_date(until: object, *, snoozed: bool) -> None:
    before = _snoozed(snoozed_until=until)

    assert is_snoozed(before, NOW) is snoozed
    assert due(decided(before, finding(TERMS, CRITICAL))) is (None if snoozed else Reason.REMINDER)


@pytest.mark.parametrize(
    "rose,snoozed",
    [(NOW - DAY - SECOND, True), (NOW - DAY, True), (NOW - DAY + SECOND, False)],
    ids=str,
)
def test_a_snooze_applies_to_the_severity_that_the_operator_saw(
    rose: object, *, snoozed: bool
) -> None:
    assert is_snoozed(_snoozed(severity_since=rose), NOW) is snoozed


def test_a_snooze_ends_when_the_severity_rises() -> None:
    warning = replace(_snoozed(), severity=WARNING, told_stage=WARNING)

    after = decided(warning, finding(TERMS, CRITICAL))

    assert due(after) is Reason.WORSE
    assert not is_snoozed(after, NOW)


def test_a_snooze_goes_on_when_the_severity_falls() -> None:
    assert is_snoozed(decided(_snoozed(), finding(TERMS, WARNING)), NOW)


def test_a_snooze_ends_when_the_alert_ends() -> None:
    ended = cleared(_snoozed(), ade())

    assert due(ended) is Reason.FIXED
    assert not is_snoozed(ended, NOW)
    assert not is_snoozed(decided(ended, finding(TERMS, CRITICAL)), NOW)


def test_the_push_certificate_cannot_be_snoozed() -> None:
    assert not is_snoozed(_snoozed(Problem.PUSH_CERTIFICATE_EXPIRED), NOW)


@pytest.mark.parametrize("column", ["snoozed_until", "snoozed_at", "severity_since"])
def test_a_snooze_that_cannot_be_read_does_not_apply(column: str) -> None:
    assert not is_snoozed(replace(_snoozed(), **{column: None}), NOW)


def test_one_that_was_never_snoozed_is_not() -> None:
    assert not is_snoozed(told(alert(TERMS)), NOW)


def test_what_was_never_told_is_new_when_its_snooze_is_over() -> None:
    never = _snoozed(told_step=0, step=0, told_reason=None, snoozed_until=NOW)

    assert due(decided(never, finding(TERMS, CRITICAL))) is Reason.NEW


# --- The last card of a removed token -------------------------------------------------------------


@pytest.mark.parametrize(
    "severity,tellings,last",
    [(CRITICAL, 2, False), (CRITICAL, 3, True), (CRITICAL, 4, True), (WARNING, 1, True)],
)
def test_a_removed_token_has_three_cards_or_one(
    severity: Severity, tellings: int, *, last: bool
) -> None:
    removed = told(alert(Problem.TOKEN_REMOVED, severity), told_step=tellings, step=tellings)

    assert last_card_was_told(removed) is last


def test_one_that_nobody_heard_of_is_not_told() -> None:
    assert not last_card_was_told(alert(Problem.TOKEN_REMOVED))


def test_the_cards_of_an_earlier_removal_do_not_count() -> None:
    """It was told, came back, was told as fixed, and is gone again."""
    fixed = told(alert(Problem.TOKEN_REMOVED, reason=Reason.FIXED), told_step=2, step=2)

    assert not last_card_was_told(replace(fixed, ended_at=NOW - HOUR))
    assert not last_card_was_told(fixed)
    again = decided(replace(fixed, ended_at=NOW - HOUR), finding(Problem.TOKEN_REMOVED))
    assert due(again) is Reason.AGAIN
    assert not last_card_was_told(again)
    assert last_card_was_told(replace(again, told_step=3, told_reason=Reason.AGAIN))
