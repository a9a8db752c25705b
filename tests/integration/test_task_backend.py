"""A task leaves for SQS when its transaction has committed, and only then."""

import time
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.tasks import task_backends
from django.utils import timezone

from lambda_app.contract.task_message import TaskMessage
from lambda_app.serverless.tasks import sqs
from lambda_app.serverless.tasks.sqs import QueueUnavailableError
from tests.sample_tasks import note


class DeliberateError(Exception):
    pass


@transaction.atomic
def enqueue_and_roll_back(value):
    note.enqueue(value)
    raise DeliberateError


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_before_the_commit(receive):
    with transaction.atomic():
        result = note.enqueue(1)
        before = receive("default")
    (message,) = receive("default")

    assert before == []
    assert TaskMessage.decode(message["Body"]).id == result.id


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_sends_nothing(receive):
    with pytest.raises(DeliberateError):
        enqueue_and_roll_back(1)

    assert receive("default") == []


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_savepoint_sends_nothing_of_its_own(receive):
    with transaction.atomic():
        with pytest.raises(DeliberateError):
            enqueue_and_roll_back("inner")
        note.enqueue("outer")

    assert [TaskMessage.decode(message["Body"]).args for message in receive("default")] == [["outer"]]


def test_without_a_transaction_it_is_sent_at_once_and_no_database_is_needed(receive):
    note.enqueue(1)

    assert len(receive("default")) == 1
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
def test_with_an_idle_connection_it_is_sent_at_once(receive):
    connection.ensure_connection()

    note.enqueue(1)

    assert len(receive("default")) == 1


@pytest.mark.django_db(transaction=True)
def test_an_async_view_enqueues_as_well(receive):
    async_to_sync(note.aenqueue)("async")

    assert [TaskMessage.decode(message["Body"]).args for message in receive("default")] == [["async"]]


def test_a_later_task_is_not_visible_now(queues, receive):
    note.using(run_after=timezone.now() + timedelta(seconds=60)).enqueue(1)

    assert receive("default") == []


def test_a_delayed_task_arrives(receive):
    note.using(run_after=timezone.now() + timedelta(seconds=1)).enqueue(1)

    deadline = time.monotonic() + 10
    while not (messages := receive("default")) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert len(messages) == 1


def test_a_queue_that_is_gone_is_an_error_within_seconds(queues):
    task_backends["default"].queue_urls["default"] = queues["default"].replace("/default", "/gone")

    started = time.monotonic()
    with pytest.raises(QueueUnavailableError, match="gone did not accept a message"):
        note.enqueue(1)

    assert time.monotonic() - started < 5


def test_an_endpoint_that_is_away_is_an_error_within_seconds(queues, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    sqs.client.cache_clear()

    started = time.monotonic()
    with pytest.raises(QueueUnavailableError):
        note.enqueue(1)

    assert time.monotonic() - started < 8


def test_the_client_is_made_once(queues, monkeypatch):
    note.enqueue(1)
    first = sqs.client()
    note.enqueue(2)

    assert sqs.client() is first
