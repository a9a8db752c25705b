"""What SQS cannot do is refused when the task is enqueued, in words that say what to do."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.tasks.exceptions import InvalidTask
from django.utils import timezone

from serverless_django.contract.resources import Queue, Topology
from serverless_django.tasks import outbox
from serverless_django.tasks.backend import MAX_MESSAGE_BYTES, TaskTooLargeError
from serverless_django.tasks.wire import read_envelope
from tests.sample_tasks import note, note_async, set_options

URL = "https://sqs.example.com/1/default"


@pytest.fixture(autouse=True)
def sent(settings, monkeypatch):
    """Return what would have been written and sent after the commit."""
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": ["default"],
            "OPTIONS": {"queue_urls": {"default": URL}},
        }
    }
    sent = []
    monkeypatch.setattr(outbox, "write", sent.extend)
    monkeypatch.setattr(outbox, "send_after_commit", lambda calls, results, urls: None)
    return sent


def test_a_call_travels_as_a_task_message(sent):
    result = note.enqueue({"a": [1, None, "é"]})

    (call,) = sent
    message = read_envelope(call.body)
    assert (call.queue, message.task, message.arguments(), message.id) == (
        "default", "tests.sample_tasks.note", ([{"a": [1, None, "é"]}], {}), result.id,
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

    assert sent[0].is_due
    assert sent[0].outgoing().delay_seconds == seconds


def test_a_moment_that_sqs_cannot_wait_for_waits_as_a_row(sent):
    note.using(run_after=timezone.now() + timedelta(minutes=16)).enqueue()

    assert not sent[0].is_due


def test_a_call_for_later_bears_the_moment_that_it_is_for(sent):
    moment = timezone.now() + timedelta(days=90)

    note.using(run_after=moment).enqueue()

    assert read_envelope(sent[0].body).enqueued_at == moment


def test_a_direct_task_for_later_than_sqs_can_wait_is_refused(sent, monkeypatch):
    set_options(monkeypatch, note, direct=True)

    with pytest.raises(InvalidTask, match="SQS delays a message by at most 15 minutes; take direct=True off"):
        note.using(run_after=timezone.now() + timedelta(minutes=16))

    assert sent == []


def test_a_priority_travels(sent):
    note.using(priority=7).enqueue()

    assert (sent[0].priority, read_envelope(sent[0].body).priority) == (7, 7)


def test_a_priority_out_of_bounds_is_refused():
    with pytest.raises(InvalidTask, match="between -100 and 100"):
        note.using(priority=101)


@pytest.mark.parametrize(("group_by", "group"), [("value", "seven"), ("", "tests.sample_tasks.note")])
def test_on_a_fifo_queue_a_call_has_a_group(sent, monkeypatch, group_by, group):
    set_options(monkeypatch, note, group_by=group_by)
    ordered = Topology(queues=(Queue(name="default", fifo=True),))
    monkeypatch.setattr(settings, "SERVERLESS", {"TOPOLOGY": ordered})

    note.enqueue(value="seven")

    assert sent[0].group == group


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


def _body_of(sent, value):
    note.enqueue(value)
    return sent.pop().body
