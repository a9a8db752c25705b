"""One id, given in an HTTP response, finds the lines of the request, of its task and of the worker."""

import logging

import pytest

from serverless_django.handlers import api_gateway, sqs
from serverless_django.observability.correlation import Correlation, continued
from serverless_django.testing.log_lines import captured_lines
from tests.integration.test_sqs import record
from tests.sample_tasks import note

pytestmark = pytest.mark.django_db(transaction=True)

ADA = Correlation("request-1", "Root=1-abc;Sampled=1")


def test_the_id_in_a_response_is_that_of_its_line(event, lambda_context):
    with captured_lines() as lines:
        reply = api_gateway.handler(event("api_gateway/list"), lambda_context)

    (line,) = [line for line in lines() if line["message"] == "invocation"]
    assert line["correlation_id"] == reply["headers"]["x-request-id"]
    assert (line["route"], line["status"]) == ("GET /v1/books", 200)
    assert line["queries"] >= 1
    assert 0 < line["sql_ms"] < line["duration_ms"]


def test_a_request_that_matches_no_route_names_none(event, lambda_context):
    with captured_lines() as lines:
        api_gateway.handler(event("api_gateway/unknown_route"), lambda_context)

    assert "route" not in lines()[-1]
    assert lines()[-1]["status"] == 404


def test_the_worker_of_a_task_bears_the_id_of_the_request(receive, lambda_context):
    with continued(ADA):
        note.enqueue("x")

    with captured_lines() as lines:
        sqs.handler({"Records": [record(message) for message in receive("default")]}, lambda_context)

    told = [line for line in lines() if line.get("correlation_id") == "request-1"]
    assert [line["message"].partition("state=")[2] for line in told] == ["RUNNING", "SUCCESSFUL"]
    assert {line["trace_id"] for line in told} == {"1-abc"}


def test_a_sampled_invocation_logs_each_query_without_its_values(event, lambda_context):
    with captured_lines(level=logging.DEBUG) as lines:
        api_gateway.handler(event("api_gateway/list"), lambda_context)

    queries = [line for line in lines() if line["message"] == "query"]
    assert len(queries) == lines()[-1]["queries"]
    assert all("c688f840" not in line["sql"] and line["sql_ms"] > 0 for line in queries)
