"""One line per invocation says what it was, how it ended and what it cost."""

import time

import pytest

from serverless_django.observability import invocations
from serverless_django.observability.invocations import Invocation, current_invocation, observed
from serverless_django.testing.log_lines import captured_lines

HTTP = {
    "requestContext": {"requestId": "request-1", "http": {"method": "GET"}},
    "headers": {"x-amzn-trace-id": "Root=1-abc;Sampled=1"},
}


def run(handler, event, context):
    """Return what one invocation of `handler` writes at its end."""
    with captured_lines() as lines:
        observed("api_gateway")(handler)(event, context)
    return lines()[-1]


def test_an_invocation_is_one_line(lambda_context):
    with captured_lines() as lines:
        observed("api_gateway")(lambda event, context: {"statusCode": 200})(HTTP, lambda_context)

    assert [line["message"] for line in lines()] == ["invocation"]


def test_the_line_says_what_became_of_a_request(lambda_context):
    def handler(event, context):
        time.sleep(0.002)
        return {"statusCode": 404}

    line = run(handler, HTTP, lambda_context)

    assert (line["source"], line["status"], line["queries"]) == ("api_gateway", 404, 0)
    assert (line["correlation_id"], line["trace_id"]) == ("request-1", "1-abc")
    assert line["function_request_id"] == lambda_context.aws_request_id
    assert 2 <= line["duration_ms"] < 1000


def test_the_line_says_how_many_messages_are_left(lambda_context):
    reply = {"batchItemFailures": [{"itemIdentifier": "2"}]}

    line = run(lambda event, context: reply, {"Records": [{}, {}]}, lambda_context)

    assert (line["messages"], line["failed"]) == (2, 1)
    assert "correlation_id" not in line


def test_the_line_of_a_failure_names_the_error_which_is_still_raised(lambda_context):
    def fail(event, context):
        raise LookupError("nothing there")

    with captured_lines() as lines, pytest.raises(LookupError):
        observed("sqs")(fail)({}, lambda_context)

    assert lines()[-1]["error"] == "builtins.LookupError"


def test_only_the_first_invocation_is_a_cold_start(lambda_context, monkeypatch):
    monkeypatch.setattr(invocations, "_is_warm", False)

    starts = [run(lambda event, context: None, {}, lambda_context)["cold_start"] for _ in range(3)]

    assert starts == [True, False, False]


def test_a_listener_is_told_of_each_invocation_before_its_line(lambda_context, monkeypatch):
    told: list[Invocation] = []
    monkeypatch.setattr(invocations, "listeners", [told.append])

    run(lambda event, context: {"statusCode": 200}, HTTP, lambda_context)

    assert [(item.source, item.outcome) for item in told] == [("api_gateway", {"status": 200})]
    assert current_invocation() is None


def test_what_one_invocation_adds_to_its_lines_the_next_does_not_have(lambda_context):
    def handler(event, context):
        invocations.logger.append_keys(post="1")

    first, second = (run(handler if event else lambda *_: None, event, lambda_context) for event in (HTTP, {}))

    assert first["post"] == "1"
    assert "post" not in second
