"""Whose fault an error is decides whether it counts."""

from datetime import timedelta

import psycopg
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from serverless_django.contract.resources import MAX_RETRY_AFTER
from serverless_django.tasks.sqs import QueueUnavailableError
from serverless_django.tasks.transient_errors import backoff, is_conflict, is_infrastructure


def error_with(kind, code):
    cause = (
        psycopg.errors.lookup(code)("told by the server") if code else psycopg.OperationalError("connection refused")
    )
    error = kind("told by the server")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("code", [None, "57P01", "57P03", "53300", "08006", "25006", "55P03", "40P01"])
def test_what_passes_is_the_infrastructures(code):
    assert is_infrastructure(error_with(OperationalError, code))


@pytest.mark.parametrize("error", [InterfaceError("connection already closed"), QueueUnavailableError("throttled")])
def test_a_lost_connection_and_an_unavailable_queue_are_the_infrastructures(error):
    assert is_infrastructure(error)


@pytest.mark.parametrize(
    "error",
    [
        error_with(DataError, "22001"),
        error_with(IntegrityError, "23505"),
        error_with(OperationalError, "57014"),
        LookupError("no such row"),
    ],
)
def test_everything_else_is_the_tasks_own(error):
    assert not is_infrastructure(error)


def test_a_cause_counts_as_the_error_itself():
    error = LookupError("not found")
    error.__cause__ = error_with(OperationalError, None)

    assert is_infrastructure(error)


@pytest.mark.parametrize(("code", "expected"), [("40001", True), ("40P01", True), ("23505", False)])
def test_a_conflict_is_worth_another_try_at_once(code, expected):
    assert is_conflict(error_with(OperationalError, code)) is expected


def test_each_wait_is_longer_with_some_chance_and_an_end():
    waits = [[backoff(attempt) for _ in range(50)] for attempt in (1, 2, 3, 4, 30)]

    assert all(max(one) <= 2 * min(one) + 1 for one in waits)
    assert [max(one) for one in waits] == sorted(max(one) for one in waits)
    assert timedelta(seconds=max(waits[-1])) <= MAX_RETRY_AFTER
    assert len(set(waits[-1])) > 10
