"""A task on a laptop and in a test runs with what a worker gives it."""

import pytest
from django.tasks import TaskResultStatus, task_backends
from django.tasks.exceptions import TaskResultDoesNotExist

from serverless_django.tasks.commits import RolledBackError
from serverless_django.tasks.models import FailedCall
from tests import sample_tasks
from tests.sample_tasks import fail, note, note_all, set_options, swallow_an_integrity_error, write_and_fail, write_row

ITEM = {"id": "01a20795-f084-79ab-806f-4dff5a779e01", "text": "a"}


@pytest.fixture(autouse=True)
def calls(settings):
    settings.TASKS = {"default": {"BACKEND": "serverless_django.tasks.in_process.ImmediateBackend"}}
    sample_tasks.calls.clear()
    return sample_tasks.calls


@pytest.mark.parametrize("transaction", [False, True])
def test_what_a_task_wrote_before_it_failed_is_rolled_back(request, transaction):
    request.getfixturevalue("transactional_db" if transaction else "db")
    write_row.enqueue("before")

    assert write_and_fail.enqueue().status == TaskResultStatus.FAILED
    assert [row.error for row in FailedCall.objects.all()] == ["before"]


@pytest.mark.django_db
def test_a_task_that_is_not_transactional_keeps_what_it_wrote(monkeypatch):
    set_options(monkeypatch, write_and_fail, transactional=False)

    assert write_and_fail.enqueue().status == TaskResultStatus.FAILED
    assert FailedCall.objects.count() == 1


def test_a_task_that_is_not_transactional_needs_no_database(monkeypatch, calls):
    set_options(monkeypatch, note, transactional=False)

    note.enqueue(1)

    assert calls == [1]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_goes_on_after_an_error_of_the_database_fails_loudly():
    with pytest.raises(RolledBackError):
        swallow_an_integrity_error.enqueue()

    assert FailedCall.objects.count() == 0


@pytest.mark.django_db
def test_a_bulk_task_is_called_with_its_items(calls):
    assert note_all.enqueue([ITEM]).status == TaskResultStatus.SUCCESSFUL
    assert calls == [1]


@pytest.mark.django_db
def test_a_result_is_kept_where_the_task_says_so(monkeypatch):
    set_options(monkeypatch, note, keep_result=True)
    kept, failed = note.enqueue((1, 2)), fail.enqueue()

    assert note.get_result(kept.id).return_value == [1, 2]
    with pytest.raises(TaskResultDoesNotExist):
        task_backends["default"].get_result(failed.id)


def test_the_queue_of_a_test_keeps_calls_and_runs_them_with_typed_items(db, task_queue, calls):
    note_all.enqueue([ITEM])
    before = list(calls)
    task_queue.run()

    assert (before, calls) == ([], [1])
