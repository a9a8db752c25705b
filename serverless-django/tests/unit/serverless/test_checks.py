"""`manage check` holds topology against the code and the settings."""

import pytest
from django.core.checks import run_checks
from django.tasks import task_backends
from django.utils.module_loading import import_string

from serverless_django.checks import (
    crowded_workers,
    groups_without_order,
    missing_storages,
    missing_tasks,
    schedules_without_arguments,
    tasks_of_other_queues,
)
from serverless_django.contract.resources import Bucket, ObjectTrigger, Queue, Schedule, Topology
from tests.sample_tasks import set_options


def topology(**fields):
    return Topology(**{"queues": (Queue(name="default"), Queue(name="likes"))} | fields)


def trigger(task):
    return topology(
        buckets=(Bucket(name="uploads"),), object_triggers=(ObjectTrigger(bucket="uploads", prefix="", task=task),)
    )


def schedule(task, **fields):
    return topology(schedules=(Schedule(name="s", expression="rate(1 day)", task=task, **fields),))


def test_what_is_in_the_repository_passes():
    assert run_checks() == []


@pytest.mark.parametrize("declare", [trigger, schedule])
@pytest.mark.parametrize("path", ["tests.sample_tasks.missing", "tests.sample_tasks.not_a_task", "nowhere", ""])
def test_a_path_that_names_no_task_is_an_error(declare, path):
    (error,) = missing_tasks(declare(path))

    assert error.id == "serverless.E001"
    assert error.msg == f"topology names {path!r}, which is not a task"


def test_a_path_that_names_a_task_passes():
    assert list(missing_tasks(trigger("tests.sample_tasks.note"))) == []


def test_a_bucket_without_a_storage_is_an_error():
    (error,) = missing_storages(topology(buckets=(Bucket(name="uploads"), Bucket(name="exports"))))

    assert (error.id, "'exports'" in error.msg) == ("serverless.E002", True)


def test_a_bucket_without_a_name_in_s3_is_an_error(settings):
    settings.BUCKET_NAMES = {}

    (error,) = missing_storages(topology(buckets=(Bucket(name="uploads"),)))

    assert error.id == "serverless.E002"


def test_a_schedule_to_another_queue_than_its_task_declares_is_a_warning():
    (warning,) = tasks_of_other_queues(schedule("tests.sample_tasks.note", queue="likes"))

    assert (warning.id, "'likes'" in warning.msg) == ("serverless.W003", True)
    assert list(tasks_of_other_queues(schedule("tests.sample_tasks.note"))) == []


@pytest.mark.parametrize("task", ["note_async", "note_attempt", "note_object"])
def test_a_schedule_of_a_task_that_needs_an_argument_is_an_error(task):
    (error,) = schedules_without_arguments(schedule(f"tests.sample_tasks.{task}"))

    assert (error.id, "missing a required argument" in error.msg) == ("serverless.E020", True)


def test_a_schedule_of_a_bulk_task_is_an_error():
    (error,) = schedules_without_arguments(schedule("tests.sample_tasks.note_all"))

    assert (error.id, "it is bulk and takes a list" in error.msg) == ("serverless.E020", True)


def test_a_schedule_of_a_task_that_has_defaults_passes():
    assert list(schedules_without_arguments(schedule("tests.sample_tasks.note"))) == []


def test_a_queue_without_a_url_is_an_error(settings):
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": ["default", "likes"],
            "OPTIONS": {"queue_urls": {"default": "https://sqs.example.com/1/default"}},
        }
    }

    (error,) = task_backends["default"].check()

    assert (error.id, "'likes'" in error.msg) == ("serverless.E004", True)


def test_a_group_on_a_queue_without_order_is_a_warning(monkeypatch):
    name = "lambda_app.tasks.greet"
    set_options(monkeypatch, import_string(name), group_by="name")

    (warning,) = groups_without_order(topology())

    assert warning.id == "serverless.W021"
    assert warning.msg == f"task {name} has group_by, and its queue 'default' keeps no order"
    assert list(groups_without_order(topology(queues=(Queue(name="default", fifo=True),)))) == []


def test_more_workers_than_connections_are_a_warning():
    crowd = topology(queues=(Queue(name="default", max_concurrency=200),))

    (warning,) = crowded_workers(crowd)

    assert (warning.id, "may hold 207 connections" in warning.msg) == ("serverless.W006", True)
