"""A topology that cannot work is refused when it is written."""

from datetime import timedelta

import pytest

from lambda_app.contract.resources import (
    Bucket,
    InvalidTopologyError,
    ObjectTrigger,
    Queue,
    Schedule,
    Topology,
)

TASK = "lambda_app.apps.feed.tasks.record_likes"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "Likes"}, "queue name 'Likes' should be"),
        ({"name": ""}, "queue name '' should be"),
        ({"name": "a" * 32}, "should be"),
        ({"name": "q", "batch_size": 0}, "Lambda takes 1 to 10,000"),
        ({"name": "q", "batch_size": 11}, "over 10 needs a batch_window"),
        ({"name": "q", "max_concurrency": 1}, "Lambda takes 2 to 1,000"),
        ({"name": "q", "batch_timeout": timedelta(minutes=16)}, "Lambda takes 1 s to 15 min"),
    ],
)
def test_an_impossible_queue_is_refused(fields, message):
    with pytest.raises(InvalidTopologyError, match=message):
        Queue(**fields)


def test_a_message_stays_invisible_for_six_timeouts_and_the_window():
    queue = Queue(name="q", batch_timeout=timedelta(seconds=30), batch_window=timedelta(seconds=5))

    assert queue.visibility_timeout == timedelta(seconds=185)


@pytest.mark.parametrize("expression", ["5 minutes", "rate()", "every(5 minutes)", ""])
def test_a_schedule_without_an_expression_of_eventbridge_is_refused(expression):
    with pytest.raises(InvalidTopologyError, match="write"):
        Schedule(name="s", expression=expression, task=TASK)


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
    ],
)
def test_declarations_that_contradict_each_other_are_refused(fields, message):
    with pytest.raises(InvalidTopologyError, match=message):
        Topology(**({"queues": (Queue(name="default"),)} | fields))
