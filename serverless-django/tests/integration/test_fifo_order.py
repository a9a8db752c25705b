"""Within a FIFO group calls take effect in the order of commits, whatever fails and whatever process sends."""

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Barrier, Event, Lock

import pytest
from django.db import connection, transaction
from django.tasks.signals import task_enqueued
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uuid6 import uuid7

from serverless_django.tasks import outbox
from serverless_django.tasks.models import DeferredCall
from serverless_django.testing.threads import run_in_threads
from tests.integration.fifo import FAULTS, effects, failing, fifo_line, move, move_directly
from tests.tasks_in_batches import call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(endpoint, settings, monkeypatch):
    with fifo_line(settings, monkeypatch) as line:
        yield line


@pytest.fixture
def paused(line, monkeypatch):
    """Let nothing be sent after a commit, and return how to begin."""
    monkeypatch.setattr(outbox.Dispatch, "_paused_until", float("inf"))
    return lambda: monkeypatch.setattr(outbox.Dispatch, "_paused_until", 0.0)


def by_group(pairs):
    groups = {}
    for group, value in pairs:
        groups.setdefault(group, []).append(value)
    return groups


def once(*faults):
    """Return a source of these faults, and then none."""
    left = list(faults)
    return lambda: left.pop(0) if left else ""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_does_not_overtake_the_one_that_sqs_could_not_take(line, fault):
    line.sqs.next_fault = once(fault)
    for value in range(4):
        move.enqueue(group="a", value=value)

    assert line.run() == [("a", value) for value in range(4)]


def test_what_could_not_be_sent_goes_with_the_next_call_of_its_group(line, monkeypatch):
    line.sqs.next_fault = once("away")
    move.enqueue(group="a", value=1)
    DeferredCall.objects.update(send_after=timezone.now())
    move.enqueue(group="a", value=2)

    assert (line.arrived(), DeferredCall.objects.count()) == ([1, 2], 0)


def test_a_priority_does_not_overtake_in_a_group(line, paused):
    move.enqueue(group="a", value=1)
    move.using(priority=10).enqueue(group="a", value=2)

    assert line.run() == [("a", 1), ("a", 2)]


def test_of_many_calls_in_one_transaction_none_overtakes_one_that_was_refused(line):
    line.sqs.next_fault = iter(["refuse", *[""] * 8, "refuse", *[""] * 100]).__next__
    with transaction.atomic():
        for value in range(30):
            move.enqueue(group=f"group {value % 3}", value=value)

    assert by_group(line.run()) == {f"group {number}": list(range(number, 30, 3)) for number in range(3)}


def test_a_group_that_cannot_be_sent_holds_up_no_other(line, monkeypatch):
    real = outbox.send_messages
    refuse = lambda url, messages: {item.id: "InternalError" for item in messages if item.group == "a"}  # noqa: E731
    monkeypatch.setattr(
        outbox,
        "send_messages",
        lambda url, messages: refuse(url, messages) | real(url, [item for item in messages if item.group != "a"]),
    )
    with transaction.atomic():
        for value in range(6):
            move.enqueue(group="ab"[value % 2], value=value)
    line.sweep()

    assert line.arrived() == [1, 3, 5]
    assert DeferredCall.objects.count() == 3


def test_a_direct_call_keeps_its_place_as_well(line):
    line.sqs.next_fault = once("away")
    move.enqueue(group="a", value=1)
    move_directly.enqueue(group="a", value=2)
    move.enqueue(group="a", value=3)

    assert line.run() == [("a", 1), ("a", 2), ("a", 3)]


def test_a_call_for_later_takes_its_place_when_it_is_due(line):
    move.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(group="a", value="later")
    move.enqueue(group="a", value="now")
    before = line.arrived()
    DeferredCall.objects.update(run_after=timezone.now(), send_after=timezone.now())
    move.enqueue(group="a", value="after it")
    line.client.purge_queue(QueueUrl=line.url)

    assert before == ["now"]
    assert DeferredCall.objects.count() == 0


def test_a_receiver_that_raises_holds_up_no_call(line):
    def fail(**kwargs):
        raise LookupError("a receiver")

    task_enqueued.connect(fail)
    try:
        move.enqueue(group="a", value=1)
    finally:
        task_enqueued.disconnect(fail)

    assert (line.arrived(), DeferredCall.objects.count()) == ([1], 0)


def commit_in_the_other_order():
    enqueued, committed = Event(), Event()

    @transaction.atomic
    def first_to_enqueue():
        move.enqueue(group="a", value="enqueued first")
        enqueued.set()
        assert committed.wait(30)

    def first_to_commit():
        assert enqueued.wait(30)
        try:
            move.enqueue(group="a", value="committed first")
        finally:
            committed.set()

    assert run_in_threads(first_to_enqueue, first_to_commit) == []


def test_the_last_to_commit_is_the_last_to_run(line):
    commit_in_the_other_order()

    assert line.run() == [("a", "committed first"), ("a", "enqueued first")]


def test_the_last_to_commit_is_the_last_to_run_also_when_a_sweep_sends_both(line, paused):
    commit_in_the_other_order()

    assert line.run() == [("a", "committed first"), ("a", "enqueued first")]


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_commits_of_several_groups_wait_for_each_other_in_one_order(line, paused, level):
    barrier, values = Barrier(2), iter(range(160))

    def commit_often(groups):
        for _ in range(10):
            barrier.wait(30)
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
                for group in groups:
                    move.enqueue(group=group, value=next(values))

    failures = run_in_threads(lambda: commit_often("abcdefgh"), lambda: commit_often("hgfedcba"))

    assert (failures, DeferredCall.objects.filter(position__gt=0).count()) == ([], 160)


def test_a_commit_in_a_group_does_not_deadlock_with_a_foreign_key_that_it_checks(line, paused):
    """The one that waits for the other's row has no group yet, though its call was enqueued first."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE account (id int PRIMARY KEY)")
        cursor.execute("CREATE TABLE payment (account int REFERENCES account DEFERRABLE INITIALLY DEFERRED)")
        cursor.execute("INSERT INTO account VALUES (1)")
    locked, inserted = Event(), Event()

    @transaction.atomic
    def lock_the_account():
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM account WHERE id = 1 FOR UPDATE")
        move.enqueue(group="1", value="account")
        locked.set()
        assert inserted.wait(30)
        time.sleep(0.3)

    @transaction.atomic
    def pay():
        assert locked.wait(30)
        move.enqueue(group="1", value="payment")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO payment VALUES (1)")
        inserted.set()

    try:
        assert run_in_threads(lock_the_account, pay) == []
        assert line.run() == [("1", "account"), ("1", "payment")]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE payment, account")


def test_what_a_killed_sender_left_is_sent_by_the_next(line, paused):
    move.enqueue(group="a", value="left")
    DeferredCall.objects.update(send_after=timezone.now())
    paused()

    move.enqueue(group="a", value="next")

    assert line.arrived() == ["left", "next"]


def test_what_another_sender_has_is_left_to_it_and_taken_by_it(line, paused, monkeypatch):
    move.enqueue(group="a", value="theirs")
    row = DeferredCall.objects.get()
    paused()
    move.enqueue(group="a", value="ours")
    left = (line.arrived(), DeferredCall.objects.count())

    theirs = outbox.Call(id=str(row.id), queue="default", body=row.body, group="a")
    outbox.deliver([theirs], {"default": line.url})

    assert (left, line.arrived(), DeferredCall.objects.count()) == (([], 2), ["theirs", "ours"], 0)


def test_a_request_does_not_send_for_longer_than_its_time_and_leaves_the_rest_to_the_next(line, monkeypatch):
    monkeypatch.setattr(outbox, "DISPATCH_SECONDS", 0.0)
    with transaction.atomic():
        for value in range(12):
            move.enqueue(group="a", value=value)
    left = DeferredCall.objects.count()
    monkeypatch.setattr(outbox, "DISPATCH_SECONDS", 60.0)

    move.enqueue(group="a", value=12)

    assert (left, DeferredCall.objects.count()) == (12, 0)
    assert line.run() == [("a", value) for value in range(13)]


def test_calls_from_before_their_queue_became_fifo_are_sent_in_their_groups(line):
    rows = [outbox.Call(id=str(uuid7()), queue="default", body=call("note", value)) for value in range(3)]
    outbox.write(rows)

    line.sweep()

    answer = line.client.receive_message(
        QueueUrl=line.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    )
    assert [item["Attributes"]["MessageGroupId"] for item in answer["Messages"]] == ["tests.sample_tasks.note"] * 3


def test_calls_from_before_their_queue_ceased_to_be_fifo_are_sent(line, paused, queues, settings, receive):
    with_group = [outbox.Call(id=str(uuid7()), queue="likes", body=call("note"), group="a") for _ in range(3)]
    outbox.write(with_group)

    line.sweep()

    assert (len(receive("likes")), DeferredCall.objects.count()) == (3, 0)


def test_a_group_is_named_by_the_argument_however_it_is_passed(line, paused):
    move.enqueue("a", 1)
    move.enqueue("a", value=2)
    move.enqueue(group="a", value=3)

    assert set(DeferredCall.objects.values_list("message_group", flat=True)) == {"a"}


STEP = st.one_of(
    st.tuples(
        st.just("commit"),
        st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0, 0, 9])), min_size=1, max_size=4),
        st.sampled_from([move, move_directly]),
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["sweep", "work", "roll back"])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(STEP, min_size=2, max_size=12),
    st.lists(st.sampled_from(["", "", *FAULTS]), max_size=40),
    st.sets(st.integers(0, 30), max_size=6),
)
def test_the_order_of_effects_is_that_of_commits(line, monkeypatch, steps, faults, fails):
    """Sends fail, answers are lost, tasks fail, messages come again, sweeps come between."""
    effects.clear()
    failing.update(fails)
    line.sqs.next_fault = once(*faults)
    committed = []
    for kind, *step in steps:
        if kind == "commit":
            calls, task, is_paused = step
            monkeypatch.setattr(outbox.Dispatch, "_paused_until", float("inf") if is_paused else 0.0)
            with transaction.atomic():
                for group, priority in calls:
                    committed.append((group, len(committed)))
                    task.using(priority=priority).enqueue(group=group, value=committed[-1][1])
        elif kind == "roll back":
            with transaction.atomic():
                move.enqueue(group="a", value="never")
                transaction.set_rollback(True)
        else:
            line.sweep() if kind == "sweep" else line.work()

    assert by_group(line.run()) == by_group(committed)


@dataclass
class Producers:
    """Environments that commit in groups at once, and the order in which they did.

    Each transaction counts up its groups as its last act: so the count tells the true order.
    """

    chance: random.Random
    lock: Lock = field(default_factory=Lock)
    orders: dict[tuple[str, str], int] = field(default_factory=dict)

    def produce(self, name, commits=15):
        for number in range(commits):
            with self.lock:
                groups, pause = sorted(self.chance.sample("abc", self.chance.randint(1, 3))), self.chance.random() / 50
            value = f"{name}-{number}"
            with transaction.atomic():
                for group in reversed(groups):
                    move.enqueue(group=group, value=value)
                time.sleep(pause)
                counts = {group: self._count(group) for group in groups}
            self.orders |= {(group, value): count for group, count in counts.items()}

    def committed(self):
        return sorted(self.orders, key=lambda pair: (pair[0], self.orders[pair]))

    def _count(self, group):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE commit_count SET count = count + 1 WHERE name = %s RETURNING count", [group])
            return cursor.fetchone()[0]


@pytest.fixture
def commit_counts():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE commit_count (name text PRIMARY KEY, count int NOT NULL)")
        cursor.execute("INSERT INTO commit_count VALUES ('a', 0), ('b', 0), ('c', 0)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE commit_count")


@pytest.mark.usefixtures("commit_counts")
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_effects_is_that_of_commits_with_many_environments_at_once(line, seed):
    producers, over = Producers(random.Random(seed)), Event()

    def until_over(act):
        while not over.wait(0.01):
            act()

    def produce():
        failed = run_in_threads(*[partial(producers.produce, name) for name in range(4)])
        over.set()
        assert failed == []

    chance = random.Random(seed)
    line.sqs.next_fault = lambda: chance.choice(FAULTS) if chance.random() < 0.3 else ""
    failures = run_in_threads(produce, *[partial(until_over, act) for act in (line.sweep, line.sweep, line.work)])

    assert failures == []
    assert by_group(line.run()) == by_group(producers.committed())
