"""One message runs one task, once; nothing but a task can be called."""

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.tasks import TaskResultStatus
from django.tasks.signals import task_finished, task_started

from serverless_django.contract.task_message import InvalidTaskMessageError, TaskMessage
from serverless_django.tasks.batch import run_directly
from serverless_django.tasks.deliveries import TaskFailedError
from serverless_django.tasks.models import FailedCall, Receipt
from serverless_django.tasks.wire import read_envelope
from serverless_django.testing.threads import run_in_threads
from tests import sample_tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls():
    sample_tasks.calls.clear()
    return sample_tasks.calls


def run_message(message, *, attempt=1):
    run_directly([read_envelope(message.encode())], receives=attempt)


@contextmanager
def results(signal):
    """Collect what Django is told."""
    seen = []

    def see(sender, task_result, **kwargs):
        seen.append(task_result)

    signal.connect(see)
    yield seen
    signal.disconnect(see)


def message(name, *args, **fields):
    defaults = {"id": "message-1", "task": f"tests.sample_tasks.{name}", "enqueued_at": "2026-11-23T07:30:00+00:00"}
    return TaskMessage(**defaults | {"args": args} | fields)


@pytest.mark.parametrize("name", ["note", "note_async"])
def test_the_task_is_called_with_its_arguments(calls, name):
    run_message(message(name, kwargs={"value": {"a": [1, None]}}))

    assert calls == [{"a": [1, None]}]


def test_a_task_that_takes_the_context_sees_which_delivery_this_is(calls):
    run_message(message("note_attempt", "v"), attempt=3)

    assert calls == [(3, "message-1", "v")]


def test_the_result_holds_what_the_task_returned():
    with results(task_finished) as seen:
        run_message(message("note", [1]))

    (result,) = seen
    assert (result.status, result.return_value, result.attempts) == (TaskResultStatus.SUCCESSFUL, [1], 1)


def test_a_failure_is_raised_and_carries_its_cause():
    with pytest.raises(TaskFailedError, match=r"sample_tasks.fail failed: LookupError\('no such row'\)") as caught:
        run_message(message("fail"))

    assert isinstance(caught.value.__cause__, LookupError)


def test_a_return_value_that_is_not_json_is_a_failure():
    with pytest.raises(TaskFailedError, match="return_an_object"):
        run_message(message("return_an_object"))


def test_a_wish_to_end_the_process_is_not_a_failed_task():
    with pytest.raises(SystemExit):
        run_message(message("leave"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("tests.sample_tasks.not_a_task", "is not a task"),
        ("tests.sample_tasks.missing", "does not exist"),
        ("tests.nowhere.note", "does not exist"),
        ("os.system", "is not a task"),
        ("note", "does not exist"),
        ("", "does not exist"),
        ("tests..note", "does not exist"),
    ],
)
def test_only_a_task_may_be_called(calls, path, reason):
    with pytest.raises(InvalidTaskMessageError, match=reason):
        run_message(message("", task=path))

    assert calls == []


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-45T99:00:00Z"])
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(InvalidTaskMessageError, match=f"enqueued_at '{text}'"):
        run_message(message("note", enqueued_at=text))


def test_the_time_that_the_scheduler_writes_is_read():
    with results(task_finished) as seen:
        run_message(message("note", enqueued_at="2026-11-23T07:30:00Z"))

    assert seen[0].enqueued_at == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(("name", "status"), [("note", "SUCCESSFUL"), ("fail", "FAILED")])
def test_django_is_told_of_start_and_end(name, status):
    seen = []

    def see_start(sender, task_result, **kwargs):
        seen.append((sender.__name__, task_result.status.value))

    def see_end(sender, task_result, **kwargs):
        seen.append((len(task_result.errors), task_result.status.value))

    task_started.connect(see_start)
    task_finished.connect(see_end)
    try:
        run_message(message(name))
    except TaskFailedError:
        pass
    finally:
        task_started.disconnect(see_start)
        task_finished.disconnect(see_end)

    assert seen == [("ImmediateBackend", "RUNNING"), (int(status == "FAILED"), status)]


def test_a_failure_is_logged_once_with_its_traceback(caplog):
    with pytest.raises(TaskFailedError):
        run_message(message("fail"))

    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [LookupError]


def test_a_message_that_comes_twice_is_run_once(calls):
    run_message(message("note", 1))
    run_message(message("note", 1), attempt=2)

    assert (calls, Receipt.objects.count()) == ([1], 1)


def test_a_task_that_fails_leaves_no_receipt_and_nothing_that_it_wrote(calls):
    with pytest.raises(TaskFailedError):
        run_message(message("write_and_fail"))

    assert (FailedCall.objects.count(), Receipt.objects.count()) == (0, 0)


def test_a_task_beside_the_transaction_runs_once_after_its_success(monkeypatch, calls):
    sample_tasks.set_options(monkeypatch, sample_tasks.note, transactional=False)

    run_message(message("note", 1))
    run_message(message("note", 1), attempt=2)

    assert calls == [1]


def test_two_workers_with_one_message_do_it_once(calls):
    failures = run_in_threads(*[lambda: run_message(message("note_slowly", 1))] * 4)

    assert (failures, calls) == ([], [1])


@pytest.mark.parametrize(("code", "times"), [("40P01", 3), ("40001", 1)])
def test_a_conflict_is_tried_again_in_place(calls, code, times):
    run_message(message("meet_conflicts", code, times))

    assert (calls, Receipt.objects.count()) == ([code], 1)
