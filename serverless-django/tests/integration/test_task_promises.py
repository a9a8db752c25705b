"""Receipts, results and schedules keep what they promise over time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.tasks import TaskResultStatus, default_task_backend
from django.tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch
from django.test import override_settings
from django.utils import timezone

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import Schedule
from serverless_django.contract.task_message import TaskMessage
from serverless_django.handlers.sqs import handler
from serverless_django.idempotency.models import StoredAnswer
from serverless_django.maintenance import purge_receipts
from serverless_django.postgresql.cursors import run_statement
from serverless_django.tasks.models import FailedCall, Receipt, StoredResult
from serverless_django.tasks.receipts import WEEK_SECONDS, WEEKS, ReceiptKey, claim
from serverless_django.testing import LambdaContext
from tests import sample_tasks
from tests.sample_tasks import fail, note, set_options
from tests.tasks_in_batches import batch, failed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls():
    sample_tasks.calls.clear()
    return sample_tasks.calls


def key_of(moment):
    return ReceiptKey.of(f"message at {moment}", moment)


def test_purging_keeps_every_receipt_that_a_copy_may_still_need():
    now = timezone.now()
    young = [key_of(now - timedelta(days=days)) for days in range(36)]
    claim(young)

    purge_receipts.call()

    assert Receipt.objects.count() == len(young)
    assert claim(young) == set()


def test_purging_makes_room_before_the_ring_comes_round():
    this_week = int(datetime.now(UTC).timestamp()) // WEEK_SECONDS
    for ahead in (1, 2):
        Receipt.objects.create(week=(this_week + ahead) % WEEKS, id="01a20795-f084-79ab-806f-4dff5a779e01")

    purge_receipts.call()

    assert Receipt.objects.count() == 0


def test_the_role_of_the_functions_may_purge_though_it_owns_no_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosecdef, proconfig FROM pg_proc WHERE proname = 'serverless_purge_receipts'")

        assert cursor.fetchone() == (True, ["search_path=pg_catalog, public, pg_temp"])


def test_old_failures_and_results_go_with_the_receipts():
    FailedCall.objects.create(
        id="01a20795-f084-79ab-806f-4dff5a779e01", task="t", attempts=1, error="e",
        failed_at=timezone.now() - timedelta(days=36),
    )  # fmt: skip

    purge_receipts.call()

    assert not FailedCall.objects.exists()


def test_any_text_can_be_the_id_of_a_message():
    key = ReceiptKey.of("schedule/nightly/2026-11-23T02:00:00Z", datetime(2026, 11, 23, 2, tzinfo=UTC))

    assert claim([key, key]) == {key.id}


@pytest.fixture
def keeping(queues, monkeypatch):
    """Let the sample tasks keep their results."""
    for task in (note, fail):
        set_options(monkeypatch, task, keep_result=True, max_attempts=2)


def run(message, *, receives=1):
    return failed(handler(batch(message["Body"], receives=receives), LambdaContext()))


@pytest.mark.usefixtures("keeping")
def test_a_result_can_be_asked_for(receive):
    result = note.enqueue({"a": 1})
    before = note.get_result(result.id).status
    run(receive("default")[0])

    result.refresh()
    assert (before, result.status) == (TaskResultStatus.READY, TaskResultStatus.SUCCESSFUL)
    assert (result.return_value, result.attempts, result.args) == ({"a": 1}, 1, [{"a": 1}])


@pytest.mark.usefixtures("keeping")
def test_a_failure_can_be_asked_for_with_all_its_errors(receive):
    result = fail.enqueue()
    (message,) = receive("default")
    run(message)
    between = fail.get_result(result.id).status
    run(message, receives=2)

    result.refresh()
    assert (between, result.status) == (TaskResultStatus.READY, TaskResultStatus.FAILED)
    assert [error.exception_class for error in result.errors] == [LookupError, LookupError]
    assert result.attempts == 2


@pytest.mark.usefixtures("keeping")
def test_the_result_of_another_task_is_not_given(receive):
    with pytest.raises(TaskResultMismatch):
        fail.get_result(note.enqueue(1).id)


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("path", ["tests.sample_tasks.renamed", "gone.tasks.note", "tests.sample_tasks.calls"])
def test_the_result_of_a_task_that_was_renamed_or_removed_is_still_given(receive, path):
    result = note.enqueue({"a": 1})
    run(receive("default")[0])
    StoredResult.objects.update(task=path, queue="archive")

    found = default_task_backend.get_result(result.id)

    assert (found.status, found.return_value) == (TaskResultStatus.SUCCESSFUL, {"a": 1})
    assert (found.task.module_path, found.task.queue_name) == (path, "default")
    with pytest.raises(LookupError, match="does not exist any more"):
        found.task.call()
    with pytest.raises(TaskResultMismatch):
        note.get_result(result.id)


@pytest.mark.usefixtures("keeping")
def test_a_task_that_keeps_its_old_name_as_well_gives_its_old_results(receive, monkeypatch):
    result = note.enqueue(1)
    run(receive("default")[0])
    monkeypatch.setattr(sample_tasks, "old_name", note, raising=False)
    StoredResult.objects.update(task="tests.sample_tasks.old_name")

    assert note.get_result(result.id).return_value == 1


@pytest.mark.parametrize("result_id", ["01a20795-f084-79ab-806f-4dff5a779e01", "no id"])
def test_a_result_that_was_not_kept_does_not_exist(queues, result_id):
    with pytest.raises(TaskResultDoesNotExist):
        note.get_result(result_id)


def test_only_who_asks_has_rows_of_results(receive):
    note.enqueue(1)

    assert not StoredResult.objects.exists()


def from_schedule(name, moment):
    return TaskMessage(
        id=f"schedule/{name}/{moment.isoformat()}", task=note.module_path, enqueued_at=moment.isoformat()
    ).encode()


@pytest.fixture
def impatient(monkeypatch):
    declared = Schedule(name="hourly", expression="rate(1 hour)", task=note.module_path, skip_after=timedelta(hours=1))
    monkeypatch.setattr(settings, "SERVERLESS", {"TOPOLOGY": replace(TOPOLOGY, schedules=(declared,))})


def test_a_moment_of_a_schedule_has_one_effect_however_often_it_is_sent(calls):
    body = from_schedule("hourly", timezone.now())

    handler(batch(body, body), LambdaContext())
    handler(batch(body), LambdaContext())

    assert calls == [None]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("name", "runs"), [("hourly", 0), ("patient", 1)])
def test_a_late_moment_is_skipped_or_caught_up_as_declared(calls, name, runs):
    response = handler(batch(from_schedule(name, timezone.now() - timedelta(hours=2))), LambdaContext())

    assert (failed(response), len(calls)) == ([], runs)


def test_each_app_that_is_installed_purges_what_is_its_own():
    StoredAnswer.objects.create(
        key=b"k", fingerprint=b"f", status=200, headers=[], body=b"", created_at=timezone.now() - timedelta(days=2)
    )
    with override_settings(INSTALLED_APPS=["serverless_django"]):
        purge_receipts.call()
    assert run_statement("SELECT count(*) FROM serverless_answer") == [(1,)]

    purge_receipts.call()

    assert run_statement("SELECT count(*) FROM serverless_answer") == [(0,)]
