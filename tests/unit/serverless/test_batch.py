"""Whatever is not done goes back to the queue, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app.serverless.sources import WrongEventSourceError
from lambda_app.serverless.tasks.batch import run_batch
from tests.conftest import LambdaContext


def batch(*bodies):
    return {
        "Records": [{"eventSource": "aws:sqs", "messageId": f"m{i}", "body": body} for i, body in enumerate(bodies)]
    }


def failed(response):
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]


def refuse_bad(record):
    if record["body"] == "bad":
        raise ValueError("bad")


def test_a_bad_message_among_ten_is_reported_alone():
    event = batch(*["good"] * 4, "bad", *["good"] * 5)

    response = run_batch(event, refuse_bad, LambdaContext(), handler="sqs")

    assert response == {"batchItemFailures": [{"itemIdentifier": "m4"}]}


@given(st.lists(st.sampled_from(["good", "bad"]), min_size=1))
def test_exactly_the_bad_ones_are_reported(bodies):
    response = run_batch(batch(*bodies), refuse_bad, LambdaContext(), handler="sqs")

    assert failed(response) == [f"m{i}" for i, body in enumerate(bodies) if body == "bad"]


def test_without_time_left_nothing_starts_and_everything_goes_back():
    started = []

    response = run_batch(batch("a", "b"), started.append, LambdaContext(remaining_ms=400), handler="sqs")

    assert failed(response) == ["m0", "m1"]
    assert started == []


def test_a_batch_stops_when_another_message_like_the_slowest_would_not_fit(monkeypatch):
    context, clock = LambdaContext(remaining_ms=5_000), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def work_a_second(record):
        clock[0] += 1
        context.remaining_ms -= 1_000

    response = run_batch(batch(*"abcdefghij"), work_a_second, context, handler="sqs")

    assert failed(response) == [f"m{i}" for i in range(4, 10)]
    assert context.remaining_ms == 1_000


def test_a_message_that_ends_the_process_ends_it():
    def leave(record):
        raise SystemExit

    with pytest.raises(SystemExit):
        run_batch(batch("a"), leave, LambdaContext(), handler="sqs")


def test_an_event_of_another_source_is_an_error(event):
    with pytest.raises(WrongEventSourceError, match=r"invoke the function of handlers/api_gateway.py"):
        run_batch(event("api_gateway/healthz"), refuse_bad, LambdaContext(), handler="sqs")


def test_a_refusal_is_logged_with_the_message(caplog):
    run_batch(batch("bad"), refuse_bad, LambdaContext(), handler="sqs")

    assert caplog.messages == ["message m0 goes back at attempt 1"]
