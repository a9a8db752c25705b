"""Whatever one call does, the others of its batch run, and it alone is counted, kept waiting and buried."""

import string
from dataclasses import replace
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.tasks.signals import task_enqueued, task_finished, task_started
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import ObjectTrigger
from serverless_django.handlers.s3 import handler as s3_handler
from serverless_django.handlers.sqs import handler
from serverless_django.s3 import triggers
from serverless_django.tasks import backend, retries, sqs
from serverless_django.tasks.models import DeferredCall, FailedCall, Receipt, StoredResult
from serverless_django.testing import LambdaContext
from tests import sample_tasks
from tests.sample_tasks import ERRORS, LOSSES, fail_with, note, return_the_value, set_options
from tests.tasks_in_batches import batch, call, failed

pytestmark = pytest.mark.django_db(transaction=True)

WISHES = {"SystemExit", "KeyboardInterrupt"}
CAUGHT = sorted(set(ERRORS) - WISHES)


@pytest.fixture(autouse=True)
def calls():
    sample_tasks.calls.clear()
    return sample_tasks.calls


def run(*bodies, **fields):
    return failed(handler(batch(*bodies, **fields), LambdaContext()))


def counted():
    """Return how often each task has failed."""
    rows = FailedCall.objects.exclude(error="written by a task").values_list("task", "attempts")
    return {task.rpartition(".")[2]: attempts for task, attempts in rows}


# --- What a task raises -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CAUGHT)
def test_whatever_a_task_raises_it_fails_alone_and_is_counted(calls, name):
    body = call("fail_with", name)

    assert run(call("note", 1), body, call("note", 2)) == ["m1"]
    assert (calls, counted()) == ([1, 2], {"fail_with": 1})
    assert run(body, receives=2) == ["m0"]
    assert counted() == {"fail_with": 2}


@pytest.mark.parametrize("name", sorted(WISHES))
def test_a_wish_to_end_the_process_is_granted_after_all_others_have_run(calls, name):
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        run(call("note", 1), call("fail_with", name), call("note", 2))

    assert (calls, counted()) == ([1, 2], {"fail_with": 1})


@pytest.mark.parametrize("name", CAUGHT)
def test_whatever_a_bulk_task_raises_the_bad_call_is_found(calls, name):
    assert run(*(call("fail_all", [name if index == 3 else ""]) for index in range(8))) == ["m3"]
    assert (counted(), Receipt.objects.count()) == ({"fail_all": 1}, 7)


@pytest.mark.parametrize("name", CAUGHT)
def test_whatever_a_task_beside_the_transaction_raises_it_fails_alone(calls, name, monkeypatch):
    set_options(monkeypatch, fail_with, transactional=False)

    assert run(call("fail_with", name), call("note", 1)) == ["m0"]
    assert (calls, counted()) == ([1], {"fail_with": 1})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(string.digits + string.ascii_uppercase, min_size=5, max_size=5) | st.sampled_from(
    ["08000", "08006", "25006", "40001", "40P01", "53000", "53100", "53200", "53300", "53400", "55P03", "57014",
     "57P01", "57P02", "57P03", "58000", "58030", "XX000"]
))  # fmt: skip
def test_no_code_of_an_error_makes_it_another_calls(calls, code):
    # "00" is success, "01" and "02" are no errors.
    assume(code[:2] not in {"00", "01", "02"} and code[2:] != "000")
    calls.clear()
    FailedCall.objects.all().delete()

    assert run(call("note", 1), call("fail_in_postgresql", code), call("note", 2)) == ["m1"]
    assert (calls, counted()) == ([1, 2], {"fail_in_postgresql": 1})


def test_a_row_that_is_locked_is_the_failure_of_the_task_that_would_not_wait(calls, postgresql):
    body = call("fail_in_postgresql", "55P03")

    assert [run(body, call("note", receives), receives=receives) for receives in (1, 2, 3)] == [["m0"]] * 3
    assert (calls, counted()) == ([1, 2, 3], {"fail_in_postgresql": 3})


def test_a_read_only_transaction_of_a_task_is_its_own_failure(calls):
    assert run(call("fail_in_postgresql", "25006"), call("note", 1)) == ["m0"]
    assert calls == [1]


@pytest.mark.parametrize("how", LOSSES)
def test_a_task_that_loses_its_connection_leaves_the_others_a_new_one_and_is_counted_from_then_on(calls, how):
    body = call("lose_the_connection", how)

    failures = [run(call("note", n), body, call("note", -n), receives=n) for n in (1, 2, 3, 4)]

    assert failures == [["m1"]] * 4
    assert sorted(calls) == [-4, -3, -2, -1, 1, 2, 3, 4]
    assert counted()["lose_the_connection"] >= 3


def test_a_connection_that_an_operator_closed_is_not_counted(calls):
    assert run(call("lose_the_connection", "terminated by the server")) == ["m0"]

    assert counted() == {}


def test_sqs_that_does_not_answer_is_not_counted_and_others_go_on(calls, monkeypatch):
    monkeypatch.setitem(ERRORS, "away", sample_tasks._raise(sqs.QueueUnavailableError("connect timeout")))

    assert run(call("fail_with", "away"), call("note", 1)) == ["m0"]
    assert (calls, counted()) == ([1], {})


def test_a_message_that_nests_deep_fails_alone(calls):
    deep = call("note", "x").replace('"x"', "[" * 5_000 + "]" * 5_000)

    assert run(deep, call("note", 1), deep.replace('"args"', '"id"', 0)) == ["m0", "m2"]
    assert calls == [1]


def test_an_item_whose_own_check_raises_anything_fails_alone(calls):
    assert run(call("take_all", [{"text": "a"}]), call("note", 1)) == ["m0"]
    assert (calls, counted()) == ([1], {"take_all": 1})


# --- What is lost without an error ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["write_and_swallow", "swallow_an_integrity_error"])
def test_a_task_that_goes_on_after_an_error_of_the_database_has_failed(body):
    """Its transaction can only be rolled back: acknowledged, its effect would be lost."""
    arguments = ("22012",) if body == "write_and_swallow" else ()

    assert run(call(body, *arguments)) == ["m0"]
    assert (Receipt.objects.count(), counted()) == (0, {body: 1})


def test_a_bulk_task_that_goes_on_after_an_error_keeps_no_receipt_without_its_effect():
    texts = ["a", "bad", "b", "c"]
    bodies = [call("swallow_all", [{"id": str(uuid4()), "text": text}]) for text in texts]

    assert run(*bodies) == ["m1"]
    assert sorted(FailedCall.objects.filter(task="t").values_list("error", flat=True)) == ["a", "b", "c"]


# --- After the commit -------------------------------------------------------------------------------------------------


@pytest.fixture
def broken_receivers():
    def break_(**kwargs):
        raise LookupError("of a receiver")

    def break_badly(**kwargs):
        raise sample_tasks.CustomBaseError

    signals = [
        (signal, receiver)
        for signal in (task_enqueued, task_started, task_finished)
        for receiver in (break_, break_badly)
    ]
    for signal, receiver in signals:
        signal.connect(receiver)
    yield
    for signal, receiver in signals:
        signal.disconnect(receiver)


@pytest.mark.usefixtures("broken_receivers")
def test_receivers_that_raise_change_nothing(calls):
    assert run(call("note", 1), call("fail"), call("note", 2)) == ["m1"]
    assert (calls, counted(), Receipt.objects.count()) == ([1, 2], {"fail": 1}, 2)


@pytest.mark.parametrize("words", [("!", "a"), ("!!", "a"), ("a", "!"), ("!", "!!", "a")])
def test_callbacks_that_raise_after_the_commit_change_nothing_and_hide_no_others(calls, words):
    assert run(call("call_back", *words), call("note", 1)) == []
    assert (sorted(map(str, calls)), counted(), Receipt.objects.count()) == (["1", "a"], {}, 2)


@pytest.mark.usefixtures("broken_receivers")
def test_a_result_is_successful_whatever_is_raised_after_its_commit(queues, receive, monkeypatch):
    set_options(monkeypatch, note, keep_result=True)
    result = note.enqueue(1)
    (message,) = receive("default")

    assert run(message["Body"]) == []
    result.refresh()
    assert str(result.status) == "SUCCESSFUL"


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.usefixtures("broken_receivers")
def test_a_call_is_sent_at_once_whatever_a_receiver_raises(receive, monkeypatch, direct):
    set_options(monkeypatch, note, direct=direct)

    note.enqueue(1)

    assert (len(receive("default")), DeferredCall.objects.count()) == (1, 0)


def test_what_a_task_sends_directly_is_not_lost_with_the_answer_of_sqs(queues, monkeypatch):
    set_options(monkeypatch, note, direct=True)
    monkeypatch.setattr("serverless_django.tasks.outbox.send_messages", _away)
    monkeypatch.setattr(backend, "send_messages", _away)

    assert run(call("enqueue_another", "kept")) == []
    assert DeferredCall.objects.count() == 1


def _away(*arguments):
    raise sqs.QueueUnavailableError("connect timeout")


# --- Bookkeeping ------------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(text=st.text(st.characters(), max_size=20))
def test_no_text_of_an_error_keeps_another_from_being_counted(monkeypatch, text):
    monkeypatch.setitem(ERRORS, "any", sample_tasks._raise(ValueError(text)))
    set_options(monkeypatch, fail_with, keep_result=True)
    FailedCall.objects.all().delete()
    StoredResult.objects.all().delete()
    ident = str(uuid4())
    StoredResult.objects.create(
        id=ident, task=fail_with.module_path, queue="default", priority=0, status="READY", args=[], kwargs={},
        enqueued_at="2026-11-23T07:30:00+00:00",
    )  # fmt: skip

    for receives in (1, 2, 3):
        run(call("fail_with", "any", id=ident), call("fail"), receives=receives)

    assert StoredResult.objects.get().status == "FAILED"
    assert counted() == {"fail_with": 3, "fail": 1}
    assert len(StoredResult.objects.get().errors) == 3


@pytest.mark.parametrize("path", ["tests.sample_tasks.gone", "tests.sample_tasks.calls", "a\0b.c", "x" * 1_000])
def test_the_result_of_a_call_that_cannot_be_run_is_failed(path):
    ident = str(uuid4())
    StoredResult.objects.create(
        id=ident, task="t", queue="default", priority=0, status="READY", args=[], kwargs={},
        enqueued_at="2026-11-23T07:30:00+00:00",
    )  # fmt: skip

    for receives in (1, 2, 3):
        run(call("note", task=path, id=ident), receives=receives)

    stored = StoredResult.objects.get()
    assert (stored.status, len(stored.errors)) == ("FAILED", 3)


def test_a_schedule_of_a_task_that_keeps_its_result_runs(calls, monkeypatch):
    set_options(monkeypatch, note, keep_result=True)

    assert run(call("note", 1, id="schedule/nightly/2026-11-23T02:00:00Z")) == []
    assert calls == [1]


@pytest.mark.parametrize("value", ["a\0b", float("nan"), "\ud800"])
def test_a_return_value_that_cannot_be_stored_is_a_failure_with_its_reason(monkeypatch, value):
    monkeypatch.setattr(sample_tasks, "note_value", value, raising=False)
    set_options(monkeypatch, return_the_value, keep_result=True)

    assert run(call("return_the_value"), call("note", 1)) == ["m0"]
    assert "PostgreSQL stores no such value" in FailedCall.objects.get().error


# --- Records that are none --------------------------------------------------------------------------------------------

ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
    | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=4), st.integers(), max_size=2)
)  # fmt: skip
FIELDS = ("messageId", "body", "attributes", "receiptHandle", "eventSourceARN", "eventSource", "messageAttributes")
ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "MessageGroupId")


@pytest.fixture
def nothing_sent(monkeypatch):
    """Let the code of retries find SQS behind the tasks, and note what it would have been told."""
    told = []
    monkeypatch.setattr(retries, "_is_ours", lambda delivery: bool(delivery.queue_arn))
    monkeypatch.setattr(retries, "url_of", lambda arn: arn)
    monkeypatch.setattr(retries, "change_visibility", lambda url, waits: told.append(waits))
    monkeypatch.setattr(
        retries.dead_letters, "send_to_dead_letters", lambda record, **fields: told.append(record) or True
    )
    return told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    changed=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3),
    removed=st.sets(st.sampled_from(FIELDS), max_size=2),
    told=st.dictionaries(st.sampled_from(ATTRIBUTES), ODD, max_size=2),
)
def test_a_record_with_odd_fields_disturbs_no_other(calls, nothing_sent, changed, removed, told):
    calls.clear()
    good, odd, behind = batch(call("note", 1), call("fail"), call("note", 2))["Records"]
    odd["attributes"] |= told
    odd = {name: value for name, value in (odd | changed).items() if name not in removed}

    response = handler({"Records": [good, odd, behind]}, LambdaContext())

    assert calls[:1] == [1]
    assert 2 in calls
    assert set(failed(response)) <= {str(odd.get("messageId"))}


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "odd",
    [
        None, 1, "text", [], {}, {"eventSource": "aws:sqs"},
        {"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": "text"}},
        {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a"}}},
    ],
    ids=ascii,
)  # fmt: skip
def test_a_record_that_is_no_message_is_passed_over(calls, odd, position):
    records = batch(call("note", 1), call("note", 2))["Records"]
    records.insert(position, odd)

    assert failed(handler({"Records": records}, LambdaContext())) == []
    assert calls == [1, 2]


@pytest.mark.parametrize(
    "attributes", [None, [], "text", {"ApproximateReceiveCount": None}, {"ApproximateReceiveCount": "many"},
                   {"ApproximateReceiveCount": "-5"}, {"ApproximateReceiveCount": "9" * 5_000}]
)  # fmt: skip
def test_a_count_that_is_no_number_is_taken_for_the_first(calls, attributes):
    records = batch(call("note", 1), call("fail"))["Records"]
    for record in records:
        record["attributes"] = attributes

    assert failed(handler({"Records": records}, LambdaContext())) == ["m1"]
    assert (calls, counted()) == ([1], {"fail": 1})


def test_a_bad_record_within_a_message_of_s3_lets_the_good_ones_run(event, calls, monkeypatch):
    declared = (ObjectTrigger(bucket="uploads", prefix="pictures/", task="tests.sample_tasks.note_object"),)
    monkeypatch.setattr(django_settings, "SERVERLESS", {"TOPOLOGY": replace(TOPOLOGY, object_triggers=declared)})
    direct = event("s3/native")
    direct["Records"].insert(0, {"eventSource": "aws:s3", "s3": None})

    with pytest.raises(triggers.InvalidObjectEventError):
        s3_handler(direct, LambdaContext())

    assert len(calls) == 1


# --- Order ------------------------------------------------------------------------------------------------------------

KINDS = ("note", "fail", "not json", "gone", "lose_the_connection", "note_bulk")


def fifo_message(index, group, kind):
    bodies = {
        "note": lambda: call("note", (group, index)),
        "fail": lambda: call("fail"),
        "not json": lambda: "not json",
        "gone": lambda: call("gone"),
        "lose_the_connection": lambda: call("lose_the_connection", "terminated by the server"),
        "note_bulk": lambda: call("fail_all", [""]),
    }
    record = batch(bodies[kind]())["Records"][0]
    return record | {"messageId": f"m{index}", "attributes": {"MessageGroupId": group}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    messages=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(KINDS)), min_size=1, max_size=8),
    receives=st.lists(st.integers(1, 4), min_size=8, max_size=8),
)
def test_behind_what_is_not_done_its_group_waits_whatever_it_is(calls, messages, receives):
    calls.clear()
    FailedCall.objects.all().delete()
    records = [fifo_message(index, group, kind) for index, (group, kind) in enumerate(messages)]
    for record, count in zip(records, receives, strict=False):
        record["attributes"]["ApproximateReceiveCount"] = str(count)

    response = handler({"Records": records}, LambdaContext())

    blocked, expected = set(), []
    for index, (group, kind) in enumerate(messages):
        if kind not in ("note", "note_bulk"):
            blocked.add(group)
        if group in blocked:
            expected.append(f"m{index}")
    assert failed(response) == expected
    ran = [tuple(item) for item in calls if isinstance(item, list)]
    for group in "abc":
        done = [index for name, index in ran if name == group]
        assert done == [
            index for index, (name, kind) in enumerate(messages)
            if name == group and kind == "note" and f"m{index}" not in expected
        ]  # fmt: skip


def test_a_fair_group_of_a_standard_queue_has_no_order(calls):
    records = batch(call("fail"), call("note", 1), MessageGroupId="tenant")["Records"]
    for record in records:
        record["eventSourceARN"] = "arn:aws:sqs:eu-central-1:1:default"

    assert failed(handler({"Records": records}, LambdaContext())) == ["m0"]
    assert calls == [1]


def test_an_outage_ends_the_batch_and_no_group_is_overtaken(calls, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")

    assert run(call("note", 1), call("note", 2), MessageGroupId="a") == ["m0", "m1"]
    assert calls == []


# --- What topology no longer declares ---------------------------------------------------------------------------------


def test_a_call_of_a_removed_schedule_runs_and_one_of_a_removed_task_fails_alone(calls):
    removed_schedule = call("note", 1, id="schedule/removed/2026-11-23T02:00:00Z")

    assert run(removed_schedule, call("removed"), call("note", 2)) == ["m1"]
    assert (calls, counted()) == ([1, 2], {"removed": 1})


@pytest.mark.parametrize("part", ["bucket", "prefix"])
def test_an_object_of_a_removed_bucket_or_trigger_is_counted_and_its_neighbours_run(
    event, calls, monkeypatch, caplog, part
):
    declared = (ObjectTrigger(bucket="uploads", prefix="pictures/", task="tests.sample_tasks.note_object"),)
    monkeypatch.setattr(django_settings, "SERVERLESS", {"TOPOLOGY": replace(TOPOLOGY, object_triggers=declared)})
    records = event("s3/eventbridge_in_sqs")["Records"]
    removed = {"bucket": ('"uploads"', '"removed"'), "prefix": ("pictures/", "removed/")}[part]
    records.insert(0, records[0] | {"messageId": "stray", "body": records[0]["body"].replace(*removed)})

    assert failed(s3_handler({"Records": records}, LambdaContext())) == []
    assert len(calls) == 1
    [counts] = [
        record._aws["CloudWatchMetrics"] for record in caplog.records if hasattr(record, "ObjectsWithoutTrigger")
    ]
    assert [] in counts[0]["Dimensions"]
