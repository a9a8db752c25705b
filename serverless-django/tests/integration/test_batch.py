"""Whatever has not committed goes back to the queue, and nothing else."""

from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_django.handlers.sqs import handler
from serverless_django.sources import WrongEventSourceError
from serverless_django.tasks import batch as batch_module
from serverless_django.tasks import bulk
from serverless_django.tasks.models import FailedCall, Receipt
from serverless_django.testing import LambdaContext
from tests import sample_tasks
from tests.tasks_in_batches import batch, call, failed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls():
    sample_tasks.calls.clear()
    return sample_tasks.calls


def note_all(*texts, id=""):
    return call("note_all", [{"id": str(uuid4()), "text": text} for text in texts], id=id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(st.sampled_from(["note", "fail", "not json", "not_a_task"]), min_size=1, max_size=8))
def test_exactly_the_bad_ones_are_reported(names):
    bodies = [name if name == "not json" else call(name) for name in names]

    response = handler(batch(*bodies), LambdaContext())

    assert failed(response) == [f"m{index}" for index, name in enumerate(names) if name != "note"]


def test_without_time_left_nothing_starts_and_everything_goes_back(calls):
    response = handler(batch(call("note"), note_all("a")), LambdaContext(remaining_ms=400))

    assert (failed(response), calls) == (["m0", "m1"], [])


def test_a_batch_stops_when_another_call_like_the_slowest_would_not_fit(calls, monkeypatch):
    context, clock = LambdaContext(remaining_ms=5_000), [0.0]
    monkeypatch.setattr("serverless_django.tasks.deliveries.time.monotonic", lambda: clock[0])

    def work_a_second(*args):
        clock[0] += 1
        context.remaining_ms -= 1_000

    monkeypatch.setattr("serverless_django.tasks.execution._complete", work_a_second)
    response = handler(batch(*[call("note") for _ in range(10)]), context)

    assert failed(response) == [f"m{index}" for index in range(4, 10)]
    assert context.remaining_ms == 1_000


def test_a_call_that_ends_the_process_ends_it():
    with pytest.raises(SystemExit):
        handler(batch(call("leave")), LambdaContext())


def test_an_event_of_another_source_is_an_error(event):
    with pytest.raises(WrongEventSourceError, match=r"invoke the function of handlers/api_gateway.py"):
        handler(event("api_gateway/healthz"), LambdaContext())


def test_a_call_of_higher_priority_runs_first(calls):
    handler(batch(call("note", "low"), call("note", "high", priority=5)), LambdaContext())

    assert calls == ["high", "low"]


def test_an_infrastructure_that_fails_ends_the_batch_and_counts_for_no_call(calls, monkeypatch):
    def be_unavailable(keys):
        raise OperationalError("connection refused")

    monkeypatch.setattr("serverless_django.tasks.receipts.claim", be_unavailable)
    response = handler(batch(call("note"), call("note")), LambdaContext())

    assert (failed(response), calls, FailedCall.objects.count()) == (["m0", "m1"], [], 0)


def test_a_failure_is_counted_by_call_with_its_reason():
    body = call("fail")
    for receives in range(1, 4):
        handler(batch(body, receives=receives), LambdaContext())

    failure = FailedCall.objects.get()
    assert (failure.attempts, failure.error) == (3, "builtins.LookupError: no such row")


def test_the_count_goes_with_the_success(calls):
    body = call("meet_conflicts", "22000", 1)
    handler(batch(body), LambdaContext())
    before = FailedCall.objects.count()

    handler(batch(body, receives=2), LambdaContext())

    assert (before, FailedCall.objects.count(), calls) == (1, 0, ["22000"])


def test_after_a_failure_the_rest_of_its_group_waits_and_other_groups_do_not(calls):
    records = batch(call("note", 1), call("fail"), call("note", 2), MessageGroupId="a")["Records"]
    other = batch(call("note", 3), MessageGroupId="b")["Records"][0] | {"messageId": "other"}

    response = handler({"Records": [*records, other]}, LambdaContext())

    assert (failed(response), calls) == (["m1", "m2"], [1, 3])


def test_calls_of_a_bulk_task_run_as_one(calls):
    response = handler(batch(note_all("a", "b"), note_all("c"), call("note", "single")), LambdaContext())

    assert (failed(response), calls) == ([], [3, "single"])
    assert Receipt.objects.count() == 3


def test_a_bulk_task_whose_module_is_not_imported_yet_runs_call_by_call(calls, monkeypatch):
    monkeypatch.setattr(batch_module, "loaded_task", lambda path: None)

    response = handler(batch(note_all("a", "b"), note_all("c")), LambdaContext())

    assert (failed(response), calls, Receipt.objects.count()) == ([], [2, 1], 2)


def test_of_two_copies_in_one_batch_one_counts(calls):
    body = note_all("a", id="01a20795-f084-79ab-806f-4dff5a779e01")

    response = handler(batch(body, body), LambdaContext())

    assert (failed(response), calls) == ([], [1])


@pytest.mark.parametrize("items", [["text"], [{"id": "x", "text": "a"}], [{"text": "a"}], "abc", {}])
def test_a_payload_of_another_type_fails_alone(calls, items):
    response = handler(batch(note_all("a"), call("note_all", items), note_all("b")), LambdaContext())

    assert (failed(response), calls) == (["m1"], [2])


@pytest.mark.parametrize("bad", [0, 37, 99])
def test_one_bad_call_among_a_hundred_is_found_by_halves(calls, bad, monkeypatch):
    tries = []
    try_part = bulk._try_part
    monkeypatch.setattr(bulk, "_try_part", lambda *arguments: (tries.append(1), try_part(*arguments))[1])
    # In the order of their ids, which decides how the batch is halved.
    bodies = [note_all("x" * (2_000 if index == bad else 5)) for index in range(100)]

    response = handler(batch(*bodies), LambdaContext())

    assert (failed(response), sum(calls)) == ([f"m{bad}"], 99)
    assert len(tries) <= 2 * 7 + 1
    assert FailedCall.objects.exclude(task="note_all").count() == 1


def test_the_copy_of_a_bad_call_comes_again_too(calls):
    body = note_all("x" * 2_000, id="01a20795-f084-79ab-806f-4dff5a779e01")

    response = handler(batch(note_all("a"), body, body, note_all("b")), LambdaContext())

    assert (failed(response), sum(calls)) == (["m1", "m2"], 2)
    assert Receipt.objects.count() == 2


def test_what_only_the_commit_finds_is_found_by_halves_too(calls):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE serverless_failed_call ADD CONSTRAINT late UNIQUE (error) INITIALLY DEFERRED")
    try:
        response = handler(batch(note_all("same"), note_all("a"), note_all("same")), LambdaContext())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE serverless_failed_call DROP CONSTRAINT late")

    assert len(failed(response)) == 1
    assert Receipt.objects.count() == 2


IMPORT_ERRORS = {
    "ValueError": "raise ValueError('no number')",
    "ImproperlyConfigured": "from django.core.exceptions import ImproperlyConfigured; raise ImproperlyConfigured",
    "SystemExit": "import sys; sys.exit(1)",
    "CancelledError": "import asyncio; raise asyncio.CancelledError",
    "RecursionError": "def again(): again()\nagain()",
    "SyntaxError": "this is no Python",
    "OperationalError": "from django.db import OperationalError; raise OperationalError('at another server')",
    "ModuleNotFoundError": "import nowhere_to_be_found",
}


@pytest.mark.parametrize("name", IMPORT_ERRORS)
def test_a_module_that_cannot_be_imported_fails_its_own_calls_alone(calls, tmp_path, monkeypatch, settings, name):
    (tmp_path / f"broken_{name}").mkdir()
    (tmp_path / f"broken_{name}" / "__init__.py").touch()
    (tmp_path / f"broken_{name}" / "tasks.py").write_text(IMPORT_ERRORS[name])
    monkeypatch.syspath_prepend(tmp_path)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, f"broken_{name}"]

    response = handler(batch(call("x", task=f"broken_{name}.tasks.x"), call("note", 1)), LambdaContext())

    assert (failed(response), calls) == (["m0"], [1])


def test_a_call_beyond_a_megabyte_of_brackets_is_refused_alone(calls):
    assert failed(handler(batch("[" * 1_000_000, call("note", 1)), LambdaContext())) == ["m0"]
    assert calls == [1]
