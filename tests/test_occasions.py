"""When the channel hears of the tenant as a whole: the welcome and the weekly digest."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import Facts, Problem, Reason, Severity, Tenant
from apple_tokens.rows import AlertRow, RunRow
from check_tokens.alerting import Moment
from check_tokens.occasions import Sources, messages, plan, tell_with_the_welcome
from check_tokens.policy import Policy
from tests.builders import DAY, NOW, SECOND, alert, moment, told

CRITICAL = Severity.CRITICAL
TENANT = Tenant(id="tenant-1", name="Contoso")
DONE = Sources(all_settled=True, any_read=True)
MONDAY = NOW.date()


def on(day: date) -> Moment:
    return moment(NOW + (day - MONDAY), day)


def planned(run: RunRow, day: date = MONDAY, sources: Sources = DONE, weekday: int = 0) -> RunRow:
    return plan(run, sources, on(day), Policy(digest_weekday=weekday))


# --- The welcome ----------------------------------------------------------------------------------


def test_the_first_check_of_all_sources_wants_the_welcome_told() -> None:
    run = planned(RunRow())

    assert run.welcome_is_untold
    assert run.first_checked_on == MONDAY


@pytest.mark.parametrize(
    "sources",
    [Sources(all_settled=False, any_read=True), Sources(all_settled=True, any_read=False)],
    ids=["not all are settled", "none was read"],
)
def test_the_welcome_waits_for_all_sources_and_for_one_that_was_read(sources: Sources) -> None:
    assert not planned(RunRow(), sources=sources).welcome_is_untold


def test_first_means_that_the_welcome_was_not_told() -> None:
    later = RunRow(first_checked_on=MONDAY - 9 * DAY, welcome_step=1)

    assert planned(later).welcome_is_untold
    assert not planned(replace(later, welcome_told_step=1)).welcome_is_untold


def _expired(age: timedelta, problem: Problem = Problem.ADE_TOKEN_EXPIRED) -> AlertRow:
    """Return the untold alert of a token that expired so long ago."""
    facts = Facts(old_expires_on=NOW - age)
    return alert(problem, CRITICAL, step=1, reason=Reason.NEW, facts=facts, batch="its own")


def _batch(row: AlertRow, run: RunRow | None = None) -> str:
    (after,) = tell_with_the_welcome([row], run or RunRow(welcome_step=1), moment())
    assert replace(after, batch="") == replace(row, batch="")
    return after.batch


@pytest.mark.parametrize(
    "age,batch",
    [(30 * DAY - SECOND, "its own"), (30 * DAY, "its own"), (30 * DAY + SECOND, "welcome")],
    ids=str,
)
@pytest.mark.parametrize("problem", [Problem.ADE_TOKEN_EXPIRED, Problem.VPP_TOKEN_EXPIRED])
def test_what_has_been_expired_for_over_30_days_is_told_by_the_welcome_alone(
    problem: Problem, age: timedelta, batch: str
) -> None:
    assert _batch(_expired(age, problem)) == batch


def test_once_the_welcome_is_told_everything_has_its_own_card() -> None:
    run = RunRow(welcome_step=1, welcome_told_step=1)

    assert _batch(_expired(90 * DAY), run) == "its own"


def test_it_waits_for_a_welcome_that_is_not_due_yet() -> None:
    assert _batch(_expired(90 * DAY), RunRow()) == "welcome"


@pytest.mark.parametrize(
    "row",
    [
        _expired(90 * DAY, Problem.PUSH_CERTIFICATE_EXPIRED),
        _expired(90 * DAY, Problem.ADE_TERMS_NOT_ACCEPTED),
        _expired(90 * DAY, Problem.ADE_TOKEN_EXPIRING),
        replace(_expired(90 * DAY), facts=Facts()),
        replace(_expired(90 * DAY), reason=Reason.AGAIN),
        told(replace(_expired(90 * DAY), step=0)),
    ],
    ids=["push certificate", "another problem", "expiring", "no date", "not new", "told"],
)
def test_nothing_else_waits_for_the_welcome(row: AlertRow) -> None:
    assert _batch(row) == "its own"


# --- The digest -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "days,weekday,is_due",
    [
        # The last one, or the first check, was on a Monday.
        (0, 0, False),
        (1, 0, False),
        (6, 0, False),
        (7, 0, True),
        (8, 0, True),
        (400, 0, True),
        (1, 1, True),
        (2, 1, True),
        (5, 6, False),
        (6, 6, True),
        (-1, 6, False),
        (-8, 0, False),
    ],
)
@pytest.mark.parametrize("counts_from", ["first_checked_on", "digest_told_check_date"])
def test_a_digest_is_due_when_its_weekday_has_passed_since_the_last_one(
    counts_from: str, days: int, weekday: int, *, is_due: bool
) -> None:
    run = RunRow(**{"first_checked_on": MONDAY - 90 * DAY} | {counts_from: MONDAY})  # type: ignore[arg-type]

    after = planned(run, MONDAY + days * DAY, weekday=weekday)

    assert after.digest_is_untold is is_due
    assert after.digest_due_since == ((NOW + days * DAY) if is_due else None)


def test_every_week_has_one_digest_on_its_day() -> None:
    run, days = RunRow(), []
    for number in range(60):
        run = planned(run, MONDAY + number * DAY, weekday=3)
        if run.digest_is_untold:
            days.append(number)
            run = replace(
                run,
                digest_told_step=run.digest_step,
                digest_told_check_date=MONDAY + number * DAY,
            )

    assert days == [3, 10, 17, 24, 31, 38, 45, 52, 59]
    assert run.digest_step == 9


def test_an_untold_digest_waits_and_no_second_one_is_made() -> None:
    run = planned(RunRow(first_checked_on=MONDAY - 8 * DAY))
    assert (run.digest_step, run.digest_due_since) == (1, NOW)

    assert planned(run, MONDAY + 9 * DAY) == planned(run, MONDAY + DAY)


def test_the_digest_waits_for_all_sources_to_be_settled() -> None:
    run = RunRow(first_checked_on=MONDAY - 8 * DAY)

    waiting = planned(run, sources=Sources(all_settled=False, any_read=True))

    assert waiting == run


def test_the_digest_comes_also_while_no_source_can_be_read() -> None:
    """After fourteen cards it is all that is left to say that nobody is watching."""
    unread = Sources(all_settled=True, any_read=False)
    run = RunRow(first_checked_on=MONDAY - 8 * DAY, welcome_step=1, welcome_told_step=1)

    assert planned(run, sources=unread).digest_is_untold
    begun = planned(RunRow(), sources=unread)
    assert begun.first_checked_on == MONDAY
    assert planned(begun, MONDAY + 7 * DAY, unread).digest_is_untold


# --- Their tickets --------------------------------------------------------------------------------


def _ticket(kind: MessageKind, batch: str) -> RemediationMessage:
    return RemediationMessage(
        version=VERSION,
        kind=kind,
        tenant=TENANT,
        checked_at=NOW,
        check_date=MONDAY,
        batch=batch,
    )


def test_welcome_and_digest_have_a_ticket_until_they_are_told() -> None:
    run = RunRow(welcome_step=1, digest_step=4, digest_told_step=3)

    assert messages(run, TENANT, moment()) == [
        _ticket(MessageKind.WELCOME, "welcome"),
        _ticket(MessageKind.DIGEST, "digest 4"),
    ]
    assert messages(replace(run, welcome_told_step=1, digest_told_step=4), TENANT, moment()) == []
