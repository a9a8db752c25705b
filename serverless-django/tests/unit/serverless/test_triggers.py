"""A created object calls the tasks that topology names for its bucket and prefix."""

import json
from dataclasses import replace

import pytest

from serverless_django.contract.resources import Bucket, ObjectTrigger, Queue, Topology
from serverless_django.s3 import triggers
from serverless_django.s3.events import CreatedObject, InvalidObjectEventError
from serverless_django.s3.triggers import task_messages

NOTE, FAIL = "tests.sample_tasks.note", "tests.sample_tasks.fail"
TOPOLOGY = Topology(
    queues=(Queue(name="default"),),
    buckets=(Bucket(name="uploads"), Bucket(name="media")),
    object_triggers=(
        ObjectTrigger(bucket="uploads", prefix="pictures/", task=NOTE),
        ObjectTrigger(bucket="uploads", prefix="raw/", task=FAIL),
        ObjectTrigger(bucket="media", prefix="", task=NOTE, pass_version=True),
    ),
)
NAMES = {"uploads": "dev-uploads-1x", "media": "dev-media-2y"}


def created(**fields):
    defaults = {"bucket": "dev-uploads-1x", "key": "pictures/a", "version": "v1", "sequencer": "0A"}
    return CreatedObject(**defaults | {"created_at": "2026-11-23T07:30:05Z"} | fields)


def calls(**fields):
    return [(message.task, dict(message.kwargs)) for message in task_messages(created(**fields), TOPOLOGY, NAMES)]


def test_the_task_is_told_the_name_in_topology_and_the_key():
    assert calls() == [(NOTE, {"bucket": "uploads", "key": "pictures/a"})]


def test_a_task_that_asks_for_it_is_told_the_version():
    assert calls(bucket="dev-media-2y") == [(NOTE, {"bucket": "media", "key": "pictures/a", "version": "v1"})]


def test_a_bulk_task_is_called_with_a_list_of_objects():
    (trigger, *_) = TOPOLOGY.object_triggers
    bulk = replace(TOPOLOGY, object_triggers=(replace(trigger, task="tests.sample_tasks.note_all"),))

    [message] = task_messages(created(), bulk, NAMES)

    assert (message.args, message.kwargs) == ([[{"bucket": "uploads", "key": "pictures/a"}]], {})


def test_only_the_trigger_of_its_prefix_is_called():
    assert [task for task, _ in calls(key="raw/a")] == [FAIL]


@pytest.mark.parametrize("fields", [{"key": "other/a"}, {"bucket": "someone-elses"}, {"bucket": "uploads"}])
def test_an_object_without_a_trigger_is_logged_and_left(caplog, fields):
    assert calls(**fields) == []
    assert "no trigger of lambda_app.topology" in caplog.text
    assert caplog.records[0].ObjectsWithoutTrigger == 1


def test_the_same_event_told_twice_has_the_same_id():
    (first,) = task_messages(created(), TOPOLOGY, NAMES)
    (second,) = task_messages(created(created_at="2026-11-23T07:31:00Z"), TOPOLOGY, NAMES)

    assert first.id == second.id


@pytest.mark.parametrize("fields", [{"version": "v2"}, {"sequencer": "0B"}, {"key": "pictures/b"}])
def test_another_event_has_another_id(fields):
    (first,) = task_messages(created(), TOPOLOGY, NAMES)
    (second,) = task_messages(created(**fields), TOPOLOGY, NAMES)

    assert first.id != second.id


@pytest.mark.parametrize("body", ["", "not json", "[", "null", "[" * 100_000, json.dumps({"task": "a.b"})])
def test_a_body_that_is_not_s3s_is_refused(body):
    with pytest.raises(InvalidObjectEventError, match="not an event of S3"):
        triggers.calls_in_body(body)
