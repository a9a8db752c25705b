"""A call that cannot be sent is set aside, counted and shown, and no other call waits for it."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.tasks import task_backends
from django.utils import timezone
from uuid6 import uuid7

from serverless_django.maintenance import sweep_outbox
from serverless_django.tasks import outbox
from serverless_django.tasks.models import DeferredCall
from tests.tasks_in_batches import call

pytestmark = pytest.mark.django_db(transaction=True)


def promise(*queues):
    """Write a call for each queue, due now."""
    outbox.write([outbox.Call(id=str(uuid7()), queue=name, body=call("note")) for name in queues])
    DeferredCall.objects.update(send_after=timezone.now() - timedelta(seconds=1))


def waiting():
    return sorted(DeferredCall.objects.values_list("queue", flat=True))


def stats():
    output = StringIO()
    call_command("tasks", "stats", "--json", stdout=output)
    return json.loads(output.getvalue())


def unsent(caplog):
    return {record.queue: record.UnsentCalls for record in caplog.records if hasattr(record, "UnsentCalls")}


def test_the_calls_of_a_removed_queue_are_set_aside_and_all_others_are_sent(receive, caplog):
    promise("archive", "default", "zebra")

    assert sweep_outbox.call() == 1
    assert (len(receive("default")), waiting()) == (1, ["archive", "zebra"])
    assert unsent(caplog) == {"archive": 1, "zebra": 1}


def test_any_number_of_set_aside_calls_leaves_the_sweep_its_room(receive):
    promise(*["archive"] * (outbox.ROWS_PER_SWEEP + 1), "default")

    assert sweep_outbox.call() == 1
    assert len(receive("default")) == 1


def test_a_queue_that_is_declared_again_gets_its_calls(receive, queues):
    urls = dict(queues)
    promise("archive")
    task_backends["default"].queue_urls = urls | {"archive": urls["default"]}

    assert sweep_outbox.call() == 1
    assert (len(receive("default")), waiting()) == (1, [])


def test_a_transaction_with_a_call_for_an_undeclared_queue_sends_its_other_calls(receive, queues):
    calls = [outbox.Call(id=str(uuid7()), queue=name, body=call("note")) for name in ("archive", "default")]
    outbox.write(calls)

    assert outbox.deliver(calls, queues) == 1
    assert (len(receive("default")), waiting()) == (1, ["archive"])


def test_a_queue_that_was_deleted_by_hand_holds_up_no_other(receive, queues, caplog):
    task_backends["default"].queue_urls["default"] = queues["default"].replace("/default", "/gone")
    promise("default", "likes")
    DeferredCall.objects.update(created_at=timezone.now() - 2 * outbox.OVERDUE_AFTER)

    assert sweep_outbox.call() == 1
    assert (len(receive("likes")), waiting()) == (1, ["default"])
    assert unsent(caplog) == {"default": 1}


def test_what_is_sent_in_time_is_not_reported(receive, caplog):
    promise("default")
    sweep_outbox.call()

    assert unsent(caplog) == {}


def test_the_stats_show_the_calls_of_a_removed_queue_even_before_they_are_due(queues):
    later = timezone.now() + timedelta(days=3)
    outbox.write([outbox.Call(id=str(uuid7()), queue="archive", body=call("note"), run_after=later)])
    output = StringIO()

    call_command("tasks", "stats", stdout=output)

    assert (stats()["queues"]["archive"]["unsent"], stats()["undeclared"]) == (1, ["archive"])
    assert "archive is not declared in lambda_app.topology" in output.getvalue()


def test_the_age_of_a_call_for_later_begins_when_it_is_due(queues):
    promise("default")
    DeferredCall.objects.update(created_at=timezone.now() - timedelta(days=30), run_after=timezone.now())

    assert stats()["queues"]["default"]["oldest_unsent_s"] < 3600


def test_the_calls_of_a_renamed_queue_can_be_moved(receive):
    promise("archive", "archive")

    call_command("tasks", "move", "archive", "likes", stdout=StringIO())

    assert sweep_outbox.call() == 2
    assert len(receive("likes")) == 2


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize(("names", "reason"), [(["a"], "name two queues"), (["a", "b"], "there is no queue 'b'")])
def test_a_move_to_nowhere_is_refused(names, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("tasks", "move", *names)
