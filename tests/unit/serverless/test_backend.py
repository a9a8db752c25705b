"""What SQS cannot do is refused when the task is enqueued, in words that say what to do."""

from datetime import timedelta

import pytest
from django.tasks import task_backends
from django.tasks.exceptions import InvalidTask
from django.utils import timezone

from lambda_app.contract.task_message import TaskMessage
from lambda_app.serverless.tasks import backend as backend_module
from lambda_app.serverless.tasks.backend import MAX_MESSAGE_BYTES, TaskTooLargeError
from tests.sample_tasks import note, note_async

URL = "https://sqs.example.com/1/default"


@pytest.fixture(autouse=True)
def sent(settings, monkeypatch):
    """Return what would have been sent, as (url, body, delay)."""
    settings.TASKS = {
        "default": {
            "BACKEND": "lambda_app.serverless.tasks.backend.SqsBackend",
            "QUEUES": ["default"],
            "OPTIONS": {"queue_urls": {"default": URL}},
        }
    }
    sent = []
    monkeypatch.setattr(
        backend_module, "send_message", lambda url, body, *, delay_seconds=0: sent.append((url, body, delay_seconds))
    )
    return sent


def test_a_call_travels_as_a_task_message(sent):
    result = note.enqueue({"a": [1, None, "é"]})

    ((url, body, _),) = sent
    message = TaskMessage.decode(body)
    assert (url, message.task, message.args, message.id) == (
        URL, "tests.sample_tasks.note", [{"a": [1, None, "é"]}], result.id,
    )  # fmt: skip


def test_an_async_task_travels_too(sent):
    note_async.enqueue(1)

    assert len(sent) == 1


def test_ids_are_in_the_order_of_time():
    ids = [note.enqueue().id for _ in range(20)]

    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("after", "seconds"), [(timedelta(minutes=15), 900), (timedelta(seconds=1.2), 2), (-timedelta(hours=1), 0)]
)
def test_a_later_moment_becomes_a_delay(sent, monkeypatch, after, seconds):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    note.using(run_after=now + after).enqueue()

    assert sent[0][2] == seconds


def test_a_moment_that_sqs_cannot_wait_for_is_refused(sent):
    with pytest.raises(InvalidTask, match="SQS delays a message by at most 15 minutes; keep the time in a row"):
        note.using(run_after=timezone.now() + timedelta(minutes=16))

    assert sent == []


def test_a_priority_is_refused():
    with pytest.raises(InvalidTask, match="priority"):
        note.using(priority=1)


def test_an_undeclared_queue_is_refused():
    with pytest.raises(InvalidTask, match="nowhere"):
        note.using(queue_name="nowhere")


def test_the_largest_message_that_fits_is_sent(sent):
    overhead = len(_body_of(sent, ""))

    assert len(_body_of(sent, "x" * (MAX_MESSAGE_BYTES - overhead)).encode()) == MAX_MESSAGE_BYTES


def test_one_byte_more_is_refused_and_the_error_says_what_to_do(sent):
    overhead = len(_body_of(sent, ""))

    with pytest.raises(TaskTooLargeError, match=r"has 1,048,577 bytes, SQS takes at most 1,048,576; store the data"):
        note.enqueue("x" * (MAX_MESSAGE_BYTES - overhead + 1))


def test_arguments_that_are_not_json_are_refused(sent):
    with pytest.raises(TypeError):
        note.enqueue(object())

    assert sent == []


def test_results_are_not_promised():
    assert not task_backends["default"].supports_get_result
    with pytest.raises(NotImplementedError):
        note.get_result("1")


def _body_of(sent, value):
    note.enqueue(value)
    return sent.pop()[1]
