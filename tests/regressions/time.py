"""Mistakes in reckoning with time."""

from tests.regressions import Regression

_SETTLED = "return check_date(settled_at, policy) >= check_date(now, policy)"

REGRESSIONS = (
    Regression(
        name="counting days by 24 h",
        file="check_tokens/schedule.py",
        old=_SETTLED,
        new="return now - settled_at < timedelta(hours=24)",
        rows=r"is late by hours|does not fire for three days|\[clocks (go forward|skip it): ",
        says="check dates",
    ),
    Regression(
        name="a check date that does not end what is due",
        file="check_tokens/schedule.py",
        old=_SETTLED,
        new="return check_date(settled_at, policy) > check_date(now, policy)",
        rows="test_each_check_date_has_one_check|test_two_checks_at_once",
        says="checks for",
    ),
    Regression(
        name="a time ahead counts as no check",
        file="check_tokens/clock_steps.py",
        old="CLOCK_STEP = timedelta(days=1)",
        new="CLOCK_STEP = timedelta(0)",
        rows="the clock steps back by",
        says="checks for",
    ),
    Regression(
        name="what was settled in times to come is settled",
        file="check_tokens/schedule.py",
        old="if settled_at is None or settled_at - now > CLOCK_STEP:",
        new="if settled_at is None:",
        rows="test_a_clock_that_was_far_ahead",
        says="2 checks for 4 check dates",
    ),
    Regression(
        name="days left rounded down",
        file="check_tokens/diagnosis.py",
        old="if left <= days * _DAY), None)",
        new="if left // _DAY <= days), None)",
        rows="test_days_left_are_counted_on_exact_time",
        says="the last stage begins 24 h before the end",
    ),
)
