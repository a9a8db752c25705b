"""What EventBridge Scheduler takes, and what names no moment."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.contract.schedule_expressions import is_possible


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(1 minutes)",
        "rate(12 hours)",
        "cron(0 3 * * ? *)",
        "cron(17 2 1,15 * ? 2027-2030)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(15 22-2 ? JAN,JUL SUN *)",
        "cron(0 0 L * ? *)",
        "cron(0 0 3W * ? *)",
        "cron(0 12 ? * 6L *)",
        "cron(0 12 ? * MON#2 *)",
        "cron(0 0 29 2 ? *)",
        "cron(0 0 29-31 2 ? *)",
        "cron(0 0 31 2,3 ? *)",
        "cron(*/10 * * * ? *)",
    ],
)
def test_what_eventbridge_documents_is_taken(expression):
    assert is_possible(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "5 minutes",
        "every(5 minutes)",
        "at(2027-01-01T00:00:00)",
        "rate()",
        "rate(0 days)",
        "rate(-1 days)",
        "rate(1.5 hours)",
        "rate(30 seconds)",
        "rate(1 week)",
        "rate(5)",
        "rate(5 minutes) ",
        "cron(a)",
        "cron(0 3 * * *)",
        "cron(0 3 * * * *)",
        "cron(0 3 ? * ? *)",
        "cron(0 3 1 * MON *)",
        "cron(0  3 * * ? *)",
        "cron(0 0 3 * * ? *)",
        "cron(60 3 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 3 32 * ? *)",
        "cron(0 3 0 * ? *)",
        "cron(0 3 * 13 ? *)",
        "cron(0 3 * FOO ? *)",
        "cron(0 3 ? * 0 *)",
        "cron(0 3 ? * 8 *)",
        "cron(0 3 ? * MON#6 *)",
        "cron(0 3 * * ? 1969)",
        "cron(0/0 3 * * ? *)",
        "cron(1,,2 3 * * ? *)",
        "cron(1- 3 * * ? *)",
        "cron(\u0661 3 * * ? *)",
        "cron(0 0 31 2 ? *)",
        "cron(0 0 30,31 FEB ? *)",
        "cron(0 0 31 4,6,9,11 ? *)",
    ],
)
def test_what_eventbridge_refuses_or_never_comes_is_refused(expression):
    assert not is_possible(expression)


@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)), st.times())
def test_every_moment_can_be_named(day, time):
    moment = datetime.combine(day, time)
    assert is_possible(f"cron({moment:%-M %-H %-d %-m} ? {moment:%Y})")
    assert is_possible(f"cron({moment:%-M %-H} ? {moment:%-m} {moment.isoweekday() % 7 + 1} {moment:%Y})")


@given(st.integers(1, 31), st.integers(1, 12))
def test_a_day_that_no_year_has_is_refused(day, month):
    has_day = (date(2028, month, 1) + timedelta(days=day - 1)).month == month

    assert is_possible(f"cron(0 0 {day} {month} ? *)") == has_day
