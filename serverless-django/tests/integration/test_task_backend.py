"""A call is promised with its transaction, and leaves for SQS when that has committed, and only then."""

import time
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.tasks import task_backends
from django.utils import timezone

from serverless_django.maintenance import sweep_outbox
from serverless_django.tasks import outbox, sqs
from serverless_django.tasks.models import DeferredCall
from serverless_django.tasks.sqs import QueueUnavailableError
from serverless_django.tasks.wire import read_envelope
from serverless_django.testing.threads import run_in_threads
from tests.sample_tasks import note, set_options

pytestmark = pytest.mark.django_db(transaction=True)


class DeliberateError(Exception):
    pass


@transaction.atomic
def enqueue_and_roll_back(value):
    note.enqueue(value)
    raise DeliberateError


def test_nothing_is_sent_before_the_commit(receive):
    with transaction.atomic():
        result = note.enqueue(1)
        before = receive("default")
    (message,) = receive("default")

    assert before == []
    assert read_envelope(message["Body"]).id == result.id


def test_a_rolled_back_transaction_sends_nothing(receive):
    with pytest.raises(DeliberateError):
        enqueue_and_roll_back(1)

    assert receive("default") == []


def test_a_rolled_back_savepoint_sends_none_of_its_calls(receive):
    with transaction.atomic():
        with pytest.raises(DeliberateError):
            enqueue_and_roll_back("inner")
        note.enqueue("outer")

    assert [read_envelope(message["Body"]).arguments()[0] for message in receive("default")] == [["outer"]]


@pytest.fixture
def direct(monkeypatch):
    set_options(monkeypatch, note, direct=True)


@pytest.fixture
def away(receive, monkeypatch):
    """Make SQS unreachable, and return a function that makes it reachable again."""

    def point_at(url):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        sqs.client.cache_clear()
        monkeypatch.setattr(outbox.Dispatch, "_paused_until", 0.0)

    there = sqs.client().meta.endpoint_url
    point_at("http://127.0.0.1:9")
    return lambda: point_at(there)


def bodies(messages):
    return [read_envelope(message["Body"]).arguments()[0] for message in messages]


def be_due():
    DeferredCall.objects.update(send_after=timezone.now() - timedelta(seconds=1))


def test_what_was_sent_leaves_no_row(receive):
    with transaction.atomic():
        note.enqueue(1)
        promised = DeferredCall.objects.count()

    assert (promised, DeferredCall.objects.count(), len(receive("default"))) == (1, 0, 1)


def test_without_a_transaction_it_is_sent_at_once(receive):
    note.enqueue(1)

    assert (DeferredCall.objects.count(), len(receive("default"))) == (0, 1)


def test_the_calls_of_one_transaction_are_sent_together(receive, monkeypatch):
    sent = []
    monkeypatch.setattr(outbox, "send_messages", lambda url, messages: sent.append(len(messages)) or {})

    with transaction.atomic():
        for number in range(25):
            note.enqueue(number)

    assert (sent, DeferredCall.objects.count()) == ([25], 0)


def test_a_call_that_sqs_could_not_take_is_sent_by_the_sweep(away, receive):
    with transaction.atomic():
        note.enqueue("kept")
    away()
    be_due()

    assert sweep_outbox.call() == 1
    assert (bodies(receive("default")), DeferredCall.objects.count()) == ([["kept"]], 0)


def test_while_sqs_is_unavailable_only_the_first_request_waits_for_it(away):
    note.enqueue(1)

    started = time.monotonic()
    note.enqueue(2)

    assert time.monotonic() - started < 0.5
    assert DeferredCall.objects.count() == 2


def test_what_is_being_sent_is_left_alone_by_the_sweep(away):
    note.enqueue(1)

    assert sweep_outbox.call() == 0


def test_a_sweep_that_was_killed_leaves_its_rows_to_the_next(away, receive):
    note.enqueue(1)
    be_due()
    with pytest.raises(QueueUnavailableError):
        sweep_outbox.call()
    again = sweep_outbox.call()
    away()
    be_due()

    assert (again, sweep_outbox.call(), len(receive("default"))) == (0, 1, 1)


def test_of_ten_calls_those_that_sqs_refuses_are_kept(queues, monkeypatch):
    refuse = lambda url, messages: {message.id: "Throttled" for message in messages[:3]}  # noqa: E731
    monkeypatch.setattr(outbox, "send_messages", refuse)

    with transaction.atomic():
        results = [note.enqueue(number) for number in range(10)]

    kept = {str(call.id) for call in DeferredCall.objects.all()}
    assert kept == {result.id for result in results[:3]}


def test_two_sweeps_at_once_send_each_call_once(queues, monkeypatch):
    monkeypatch.setattr(outbox.Dispatch, "_paused_until", time.monotonic() + 60)
    task_backends["default"].enqueue_many(note, [((number,), {}) for number in range(300)])
    be_due()
    sent = []
    monkeypatch.setattr(outbox, "send_messages", lambda url, messages: sent.extend(messages) or {})

    failures = run_in_threads(*[lambda: sweep_outbox.call()] * 4)

    assert (failures, len(sent), len({message.id for message in sent})) == ([], 300, 300)


def test_enqueue_many_promises_all_with_one_statement(receive, django_assert_num_queries):
    results = task_backends["default"].enqueue_many(note, [((number,), {}) for number in range(12)])

    sent = [read_envelope(item["Body"]) for item in receive("default") + receive("default")]
    assert {message.id for message in sent} == {result.id for result in results}


@pytest.mark.usefixtures("direct")
def test_a_direct_call_has_no_row_and_needs_no_database(receive):
    connection.close()

    note.enqueue(1)

    assert len(receive("default")) == 1
    assert connection.connection is None


@pytest.mark.usefixtures("direct")
def test_a_direct_call_waits_for_the_commit(receive):
    with transaction.atomic():
        note.enqueue(1)
        before = receive("default")

    assert (before, len(receive("default")), DeferredCall.objects.count()) == ([], 1, 0)


def test_an_async_view_enqueues_as_well(receive):
    async_to_sync(note.aenqueue)("async")

    assert bodies(receive("default")) == [["async"]]


def test_a_later_task_is_not_visible_now(receive):
    note.using(run_after=timezone.now() + timedelta(seconds=60)).enqueue(1)

    assert (receive("default"), DeferredCall.objects.count()) == ([], 0)


def test_a_delayed_task_arrives(receive):
    note.using(run_after=timezone.now() + timedelta(seconds=1)).enqueue(1)

    deadline = time.monotonic() + 10
    while not (messages := receive("default")) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert len(messages) == 1


def test_a_call_for_next_month_waits_as_a_row_until_sqs_can_take_it(queues):
    moment = timezone.now() + timedelta(days=30)

    note.using(run_after=moment).enqueue(1)

    waiting = DeferredCall.objects.get()
    assert moment - waiting.send_after == timedelta(minutes=13)
    assert sweep_outbox.call() == 0


@pytest.mark.usefixtures("direct")
def test_a_direct_call_to_a_queue_that_is_gone_is_an_error_within_seconds(queues):
    task_backends["default"].queue_urls["default"] = queues["default"].replace("/default", "/gone")

    started = time.monotonic()
    with pytest.raises(QueueUnavailableError, match="gone did not answer send_message_batch"):
        note.enqueue(1)

    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("direct", "away")
def test_a_direct_call_while_sqs_is_unavailable_is_an_error_within_seconds():
    started = time.monotonic()
    with pytest.raises(QueueUnavailableError):
        note.enqueue(1)

    assert time.monotonic() - started < 8


def test_the_client_is_made_once(queues):
    note.enqueue(1)
    first = sqs.client()
    note.enqueue(2)

    assert sqs.client() is first
