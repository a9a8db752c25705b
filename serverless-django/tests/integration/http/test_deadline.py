"""A request that would outlive the gateway is cut before it, and leaves a process that serves the next one."""

import json
import signal
import time

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)

LEFT_MS = 1_400
"""Of which the adapter keeps a second to clean up and answer."""


@pytest.fixture(autouse=True)
def _no_statement_goes_on(postgresql):
    """Nothing bounds statements here, as the role of the functions does: end what a test has left behind."""
    yield
    postgresql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND query LIKE '%pg_sleep(30)%'"
    )


def rows(postgresql, statement):
    return postgresql.execute(statement, database=connection.settings_dict["NAME"])


SLOW = [
    "sleep_in_the_database",
    "sleep_in_a_transaction",
    "sleep_between_statements",
    "swallow_errors",
    "compute",
    "sleep_async",
    "sleep_in_the_database_async",
]


@pytest.mark.parametrize("view", SLOW)
def test_a_request_that_takes_too_long_is_cut(get, view):
    started = time.monotonic()
    reply = get(f"/{view}", remaining_ms=LEFT_MS)

    assert time.monotonic() - started < LEFT_MS / 1000
    assert (reply["statusCode"], reply["headers"]["retry-after"]) == (503, "1")
    assert json.loads(reply["body"])["title"] == "Service Unavailable"


@pytest.mark.parametrize("view", SLOW)
def test_the_next_request_is_served_on_a_new_connection(get, value, view):
    before = value("/sync_pid")
    get(f"/{view}", remaining_ms=LEFT_MS)

    assert value("/sync_pid") != before
    assert value("/async_pid") == value("/sync_pid")


def test_no_transaction_stays_open(get, postgresql):
    get("/sleep_between_statements", remaining_ms=LEFT_MS)

    assert rows(postgresql, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == [(0,)]
    assert rows(postgresql, "SELECT to_regclass('abandoned')") == [(None,)]


def test_it_is_logged_once_with_the_place_where_the_request_stood(get, caplog):
    get("/sleep_between_statements", remaining_ms=LEFT_MS)

    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "GET /sleep_between_statements was given up" in caplog.text
    assert "time.sleep(30)" in caplog.text
    assert record.exc_info


def test_async_code_that_blocks_its_loop_is_left_behind(get, value):
    reply = get("/block_the_loop", remaining_ms=LEFT_MS)

    assert reply["statusCode"] == 503
    assert value("/async_pid") == value("/sync_pid")


def test_without_time_a_request_is_not_even_started(get):
    assert get("/thread", remaining_ms=500)["statusCode"] == 503


def test_a_request_in_time_leaves_no_timer(get):
    timer = signal.getitimer(signal.ITIMER_REAL)
    get("/thread", remaining_ms=LEFT_MS)

    assert signal.getitimer(signal.ITIMER_REAL)[0] == pytest.approx(timer[0], abs=5)
    assert signal.getitimer(signal.ITIMER_REAL)[1] == timer[1]
