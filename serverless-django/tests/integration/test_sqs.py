"""Messages in, rows out, and SQS is told exactly what is left."""

import copy
import json

import pytest
from django.db import connection, connections
from uuid6 import uuid7

from serverless_django.handlers.sqs import handler
from tests import sample_tasks
from tests.sample_tasks import note

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls():
    sample_tasks.calls.clear()
    return sample_tasks.calls


def record(message):
    """Return the record that Lambda makes of what SQS delivers."""
    return {
        "eventSource": "aws:sqs",
        "messageId": message["MessageId"],
        "body": message["Body"],
        "attributes": message["Attributes"],
    }


def batch_of(event, *tasks):
    """Return a batch of calls of `tests.sample_tasks`."""
    template = event("sqs/like")["Records"][0]
    body = json.loads(template["body"])
    records = [copy.deepcopy(template) | {"messageId": f"m{index}"} for index in range(len(tasks))]
    for item, name in zip(records, tasks, strict=True):
        call = {"id": str(uuid7()), "task": f"tests.sample_tasks.{name}", "args": [], "kwargs": {}}
        item["body"] = json.dumps(body | call)
    return {"Records": records}


def failed(response):
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]


def test_what_was_enqueued_is_run(calls, receive, lambda_context):
    note.enqueue({"a": "é"})

    response = handler({"Records": [record(message) for message in receive("default")]}, lambda_context)

    assert response == {"batchItemFailures": []}
    assert calls == [{"a": "é"}]


@pytest.mark.parametrize(
    "value",
    [float("nan"), [-float("inf")], "\ud800", "caf\udce9.jpg", "a\0b", (1, (2,)), {1: 2}, [2**70], -0.0, b"\xe9"],
    ids=ascii,
)
def test_what_enqueue_accepts_is_run_with_equal_arguments(calls, receive, lambda_context, value):
    try:
        result = note.enqueue(value)
    except (TypeError, ValueError):
        assert receive("default") == []
        return

    response = handler({"Records": [record(message) for message in receive("default")]}, lambda_context)

    assert (response, calls) == ({"batchItemFailures": []}, result.args)


def test_only_the_failed_message_among_ten_is_delivered_again(event, calls, lambda_context):
    response = handler(batch_of(event, *["note"] * 6, "fail", *["note"] * 3), lambda_context)

    assert failed(response) == ["m6"]
    assert len(calls) == 9


def test_messages_that_are_no_tasks_are_refused_alone(event, lambda_context):
    batch = event("sqs/poison")

    assert failed(handler(batch, lambda_context)) == [item["messageId"] for item in batch["Records"][1:]]


def test_an_object_event_at_the_wrong_queue_is_refused_alone(event, lambda_context, caplog):
    response = handler(event("s3/native_in_sqs"), lambda_context)

    assert len(failed(response)) == 1
    assert "not a task message" in caplog.text


def test_a_connection_that_was_closed_in_between_is_replaced_before_the_message(event, lambda_context, postgresql):
    schedule = event("sqs/schedule")
    handler(schedule, lambda_context)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    postgresql.execute(f"SELECT pg_terminate_backend({pid}, 5000)")

    assert handler(schedule, lambda_context) == {"batchItemFailures": []}


def test_an_unavailable_database_sends_everything_back(event, lambda_context, monkeypatch):
    connection.close()
    monkeypatch.setitem(connections.settings["default"], "HOST", "/nowhere")

    response = handler(event("sqs/schedule"), lambda_context)

    assert len(failed(response)) == 1


def test_a_transaction_that_a_task_leaves_open_ends_with_it(event, lambda_context):
    handler(batch_of(event, "leave_a_transaction_open"), lambda_context)

    assert connection.get_autocommit()
