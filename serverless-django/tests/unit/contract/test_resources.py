"""A topology that cannot work is refused when it is written."""

from datetime import timedelta

import pytest

from serverless_django.contract.resources import (
    HOUSEKEEPING,
    Bucket,
    InvalidTopologyError,
    ObjectTrigger,
    Queue,
    Schedule,
    Topology,
)
from serverless_django.maintenance import SWEEP_SECONDS

TASK = "lambda_app.tasks.count_likes"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "Likes"}, "queue name 'Likes' should be"),
        ({"name": ""}, "queue name '' should be"),
        ({"name": "a" * 32}, "should be"),
        ({"name": "q", "batch_size": 0}, "Lambda takes 1 to 10,000"),
        ({"name": "q", "batch_size": 11}, "over 10 needs a batch_window"),
        (
            {
                "name": "q",
                "batch_size": 2000,
                "batch_window": timedelta(seconds=1),
                "batch_timeout": timedelta(seconds=10),
            },
            "less than 10 ms for each message",
        ),
        ({"name": "q", "max_attempts": 0}, "possible are 1 to 10"),
        ({"name": "q", "retry_after": timedelta(0)}, "more than 0, and up to 0:15:00"),
        ({"name": "q", "retry_after": timedelta(hours=1)}, "more than 0, and up to 0:15:00"),
        ({"name": "q", "fifo": True, "batch_window": timedelta(seconds=1)}, "Lambda takes at most 10 from one"),
        ({"name": "q", "max_concurrency": 1}, "Lambda takes 2 to 1,000"),
        ({"name": "q", "batch_timeout": timedelta(minutes=16)}, "Lambda takes 1 s to 15 min"),
    ],
)
def test_an_impossible_queue_is_refused(fields, message):
    with pytest.raises(InvalidTopologyError, match=message):
        Queue(**fields)


def test_what_an_edge_keeps_never_changes():
    with pytest.raises(InvalidTopologyError, match="set immutable=True, too"):
        Bucket(name="b", served_by_name=True)


def test_a_message_stays_invisible_for_six_timeouts_and_the_window():
    queue = Queue(name="q", batch_timeout=timedelta(seconds=30), batch_window=timedelta(seconds=5))

    assert queue.visibility_timeout == timedelta(seconds=185)


@pytest.mark.parametrize("expression", ["5 minutes", "rate()", "cron(0 0 31 2 ? *)", ""])
def test_a_schedule_without_an_expression_of_eventbridge_is_refused(expression):
    with pytest.raises(InvalidTopologyError, match="write"):
        Schedule(name="s", expression=expression, task=TASK)


def _triggers(*prefixes):
    return tuple(ObjectTrigger(bucket="b", prefix=prefix, task=TASK) for prefix in prefixes)


def test_triggers_of_prefixes_that_only_begin_alike_are_taken():
    topology = Topology(
        queues=(Queue(name="default"),),
        buckets=(Bucket(name="b"),),
        object_triggers=_triggers("pictures/", "portraits/"),
    )

    assert len(topology.object_triggers) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"queues": (Queue(name="q"), Queue(name="q"))}, "queue 'q' is declared twice"),
        ({"queues": (Queue(name="objects"),)}, "queue 'objects' is declared twice"),
        ({"buckets": (Bucket(name="b"), Bucket(name="b"))}, "bucket 'b' is declared twice"),
        (
            {"schedules": (Schedule(name="s", expression="rate(1 day)", task=TASK, queue="nowhere"),)},
            "schedule 's' names queue 'nowhere'; declared are default",
        ),
        (
            {"object_triggers": (ObjectTrigger(bucket="nowhere", prefix="p/", task=TASK),)},
            "object trigger 'p/' names bucket 'nowhere'",
        ),
        ({"queues": (Queue(name="q", writes=("nowhere",)),)}, "queue 'q' names bucket 'nowhere'"),
        ({"object_queue": Queue(name="objects", reads=("nowhere",))}, "queue 'objects' names bucket 'nowhere'"),
        (
            {
                "queues": (Queue(name="q", writes=("b",)),),
                "buckets": (Bucket(name="b"),),
                "object_triggers": _triggers("pictures/"),
            },
            "queue 'q' writes bucket 'b', whose new objects set off tasks",
        ),
        (
            {"buckets": (Bucket(name="b"),), "object_triggers": _triggers("pictures/", "pictures/raw/")},
            "object triggers 'pictures/' and 'pictures/raw/' of bucket 'b' overlap",
        ),
    ],
)
def test_declarations_that_contradict_each_other_are_refused(fields, message):
    with pytest.raises(InvalidTopologyError, match=message):
        Topology(**({"queues": (Queue(name="default"),)} | fields))


def test_every_topology_sweeps_its_outbox_and_purges_its_receipts():
    topology = Topology(queues=(Queue(name="first", fifo=True, batch_timeout=timedelta(seconds=1)),))

    assert [(schedule.name, schedule.queue) for schedule in topology.every_schedule] == [
        ("sweep-outbox", "housekeeping"), ("purge-receipts", "housekeeping"),
    ]  # fmt: skip
    assert HOUSEKEEPING in topology.task_queues
    assert timedelta(seconds=SWEEP_SECONDS) < HOUSEKEEPING.batch_timeout / 2


@pytest.mark.parametrize("role", ["queues", "object_queue"])
def test_the_queue_of_the_platform_cannot_be_declared_otherwise(role):
    mine = Queue(name="housekeeping", fifo=True)

    with pytest.raises(InvalidTopologyError, match="the platform's own"):
        Topology(**({"queues": (Queue(name="default"),)} | {role: (mine,) if role == "queues" else mine}))


def test_a_queue_of_objects_with_an_order_is_refused():
    with pytest.raises(InvalidTopologyError, match="tells no group of an event"):
        Topology(queues=(Queue(name="default"),), object_queue=Queue(name="objects", fifo=True))


def test_sqs_gives_up_long_after_the_worker():
    assert Queue(name="q", max_attempts=3).max_receives >= 3 + 10


def test_what_waits_in_a_group_behind_failures_outlives_them_all():
    """Nine that fail ten times each, and the tenth message of the batch is delivered with each of them."""
    assert Queue(name="q", fifo=True, batch_size=10).max_receives > 9 * 10
