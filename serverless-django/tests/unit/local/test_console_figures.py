"""Figures of the console: routes, spans, queues, and their form for Prometheus."""

import pytest

from serverless_django.local.console.metrics import Metric, exposition, route_metrics
from serverless_django.local.console.objects import Objects
from serverless_django.local.console.queues import Queues
from serverless_django.local.console.routes import BUCKETS_MS, Routes, percentile
from serverless_django.local.console.timeline import Timeline


def line(duration_ms=10.0, **changes):
    return {"message": "invocation", "source": "api_gateway", "route": "GET /v1/books", "status": 200, "queries": 2,
            "sql_ms": 1.5, "duration_ms": duration_ms, "cold_start": False} | changes  # fmt: skip


def test_a_route_adds_up_its_invocations():
    routes = Routes()
    routes.add([line(10), line(30), line(500, cold_start=True), line(20, status=503)])

    (row,) = routes.table()
    assert (row["count"], row["errors"], row["cold_starts"], row["queries"], row["sql_ms"]) == (4, 1, 1, 2.0, 1.5)


def test_a_cold_start_does_not_count_among_the_warm_times():
    routes = Routes()
    routes.add([line(10), line(5000, cold_start=True)])

    assert routes.table()[0]["p95"] == 10


def test_only_requests_have_a_budget_of_time():
    routes = Routes()
    routes.add([line(), {"message": "invocation", "source": "sqs", "duration_ms": 3}])

    assert {row["name"]: row["budget_ms"] is not None for row in routes.table()} == {
        "GET /v1/books": True,
        "sqs": False,
    }


def test_a_request_without_a_route_is_none_of_the_routes():
    routes = Routes()
    routes.add([line(route="")])

    assert routes.table()[0]["name"] == "no route"


def test_a_breach_is_kept_and_counted():
    routes = Routes()
    routes.add([{"message": "over", "route": "GET /v1/books", "BudgetBreaches": 1, "function_name": "long"}] * 60)

    assert routes.broken == {"GET /v1/books": 60}
    assert len(routes.breaches) == 20
    assert routes.breaches[0] == {"message": "over", "route": "GET /v1/books"}


def test_an_object_has_the_state_of_the_call_that_it_set_off():
    routes, objects = Routes(), Objects(None, {})
    objects.add([{"object": "uploads/a", "call": "1"}, {"object": "uploads/b", "call": "2"}])
    routes.add([{"message": "Task id=1 path=a.b state=RUNNING"}, {"message": "Task id=1 path=a.b state=SUCCESSFUL"}])

    states = {item["object"]: item["state"] for item in objects.recent(routes.ended)}
    assert states == {"uploads/a": "SUCCESSFUL", "uploads/b": "WAITING"}
    assert routes.tasks == {("a.b", "SUCCESSFUL"): 1}


def test_each_call_of_a_bulk_task_has_ended_when_they_ran_as_one():
    routes = Routes()

    routes.add([{"message": "2 calls of a.b ran as one, with 3 items", "task": "a.b", "calls": ["1", "2"]}])

    assert routes.ended == {"1": "SUCCESSFUL", "2": "SUCCESSFUL"}
    assert routes.tasks["a.b", "SUCCESSFUL"] == 2


@pytest.mark.parametrize(("share", "value"), [(0.5, 3), (0.95, 5), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share, value):
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], share) == value


def test_of_nothing_there_is_no_percentile():
    assert percentile([], 0.5) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [("P-Queuemailout5D4A-1B2C", "mail-out"), ("P-Queuemail77AA-3C4D", "mail"), ("P-Queuegone-9Z", "P-Queuegone-9Z")],
)
def test_a_queue_is_called_as_in_the_topology_that_is_deployed(name, shown):
    declared = {"mail": "http://aws/1/P-Queuemail77AA-3C4D", "mail-out": "http://aws/1/P-Queuemailout5D4A-1B2C"}
    queues = Queues(None, lambda: declared)

    assert queues.name_of(f"http://127.0.0.1:4566/1/{name}") == shown


class Environment:
    """As much of an execution environment as a timeline asks for."""

    number = 7
    state = "init"


def test_a_timeline_keeps_what_was_done_and_leaves_out_the_frozen_times():
    timeline, environment = Timeline(), Environment()
    for state in ("init", "frozen", "run", "frozen", "gone"):
        environment.state = state
        timeline.note(environment)

    spans, position = timeline.spans_after(0)
    assert [(span.number, span.state) for span in spans] == [(7, "init"), (7, "run")]
    assert timeline.spans_after(position) == ([], 2)
    assert timeline.living() == []


def test_the_buckets_of_a_histogram_add_up():
    routes = Routes()
    routes.add([line(4), line(70), line(20_000)])

    (histogram, *_) = route_metrics(routes.routes.values(), {})
    samples = [(labels.get("le"), value) for suffix, labels, value in histogram.samples if suffix == "_bucket"]
    assert len(samples) == len(BUCKETS_MS) + 1
    assert (samples[0], samples[4], samples[-2], samples[-1]) == (("0.005", 1), ("0.1", 2), ("10", 2), ("+Inf", 3))


def test_labels_are_escaped():
    text = exposition([Metric("m", "gauge", "Help.", [("", {"route": 'a"b\\c\nd'}, 1)])])

    assert text == '# HELP m Help.\n# TYPE m gauge\nm{route="a\\"b\\\\c\\nd"} 1\n'
