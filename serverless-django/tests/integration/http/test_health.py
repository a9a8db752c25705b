"""The two health checks, which any client may call at any rate."""

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from serverless_django.http import health

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Return the time as the probe reads it, which a test may change."""
    now = [1_000_000.0]
    monkeypatch.setattr(health.time, "time", lambda: now[0])
    monkeypatch.setattr(health, "_readiness", health.Readiness())
    return now


@pytest.fixture
def probe():
    """Return the status of a probe within one environment, whose connection stays."""
    connection.ensure_connection()
    return lambda method="GET", path="/readyz": Client().generic(method, path).status_code


@pytest.fixture
def questions():
    with CaptureQueriesContext(connection) as queries:
        yield lambda: sum(query["sql"] == "SELECT 1" for query in queries.captured_queries)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_probe_answers_nothing_but_get_and_head(probe, method, path):
    assert probe(method, path) == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_answers_get_and_head(probe, path):
    assert [probe("GET", path), probe("HEAD", path)] == [200, 200]


def test_a_flood_of_probes_asks_the_database_once(probe, questions):
    assert {probe() for _ in range(200)} == {200}
    assert questions() == 1


def test_the_answer_counts_for_some_seconds(probe, questions, clock):
    for seconds in (0, health.ANSWER_SECONDS - 1, 2, 0, health.ANSWER_SECONDS + 1):
        clock[0] += seconds
        probe()

    assert questions() == 3


def test_a_clock_that_was_set_back_does_not_make_the_answer_last(probe, questions, clock):
    probe()
    clock[0] -= 3600
    probe()

    assert questions() == 2


def test_a_new_connection_is_asked_at_once(probe, questions):
    probe()
    connection.close()
    probe()

    assert questions() == 2


def test_a_flood_of_probes_during_an_outage_tries_to_connect_once_a_second(probe, monkeypatch, clock):
    tried = []
    connection.close()
    monkeypatch.setitem(connections.settings["default"], "HOST", "/nowhere")
    connect = connection.get_new_connection
    monkeypatch.setattr(
        connections["default"], "get_new_connection", lambda params: (tried.append(1), connect(params))[1]
    )

    assert {probe() for _ in range(50)} == {503}
    assert len(tried) == 1

    clock[0] += 1.5
    assert (probe(), len(tried)) == (503, 2)


def test_the_end_of_an_outage_shows_within_a_second(probe, monkeypatch, clock):
    connection.close()
    with monkeypatch.context() as outage:
        outage.setitem(connections.settings["default"], "HOST", "/nowhere")
        assert probe() == 503
    clock[0] += 1.5

    assert probe() == 200
