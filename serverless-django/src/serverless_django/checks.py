"""System checks that compare the project's topology with its code and its settings."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import signature
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.tasks import Task
from django.utils.module_loading import autodiscover_modules, import_string

from serverless_django.conf import bucket_names, topology
from serverless_django.contract.resources import ObjectTrigger, Schedule, Topology
from serverless_django.http import checks as _http_checks  # noqa: F401 - registers them
from serverless_django.postgresql import checks as _database_checks  # noqa: F401 - registers them
from serverless_django.tasks.options import options_of

S3_STORAGE = "serverless_django.s3.storage.S3Storage"

CONNECTIONS = 80
"""Connections that PostgreSQL allows with 1 GB of memory, less a reserve for operators."""


@checks.register
def check_topology(**kwargs: Any) -> list[checks.CheckMessage]:
    declared = topology()
    return [
        *missing_tasks(declared),
        *missing_storages(declared),
        *storages_that_loop(declared),
        *tasks_of_other_queues(declared),
        *schedules_without_arguments(declared),
        *groups_without_order(declared),
        *crowded_workers(declared),
    ]


def missing_tasks(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield E001 for each trigger or schedule whose path names no task."""
    for declaration in _declarations(topology):
        if _task_at(declaration.task) is None:
            yield checks.Error(
                f"topology names {declaration.task!r}, which is not a task",
                hint="Define it with @task in the app's tasks.py, or correct the path.",
                obj=declaration,
                id="serverless.E001",
            )


def missing_storages(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield E002 for each bucket that Django cannot reach as `storages[name]`."""
    for bucket in topology.buckets:
        if bucket.name not in settings.STORAGES or bucket.name not in bucket_names():
            yield checks.Error(
                f"topology declares bucket {bucket.name!r}, which STORAGES or BUCKET_NAMES lacks",
                hint="Build both settings from TOPOLOGY.buckets; when deployed, BUCKET_NAMES lists every bucket.",
                obj=bucket,
                id="serverless.E002",
            )


def storages_that_loop(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield E005 for each bucket whose storage would save an object that sets off a task."""
    for bucket in topology.buckets:
        storage, prefixes = settings.STORAGES.get(bucket.name, {}), topology.trigger_prefixes(bucket.name)
        refused = storage.get("OPTIONS", {}).get("trigger_prefixes", ())
        if storage.get("BACKEND") == S3_STORAGE and (missing := sorted(set(prefixes) - set(refused))):
            yield checks.Error(
                f"STORAGES[{bucket.name!r}] saves objects under {missing[0]!r}, which set off a task again",
                hint="Build its OPTIONS with serverless_django.settings.storage_options.",
                obj=bucket,
                id="serverless.E005",
            )


def tasks_of_other_queues(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield W003 for each schedule that sends its task to another queue than @task declares."""
    for schedule in topology.schedules:
        task = _task_at(schedule.task)
        if task is not None and task.queue_name != schedule.queue:
            yield checks.Warning(
                f"schedule {schedule.name!r} uses queue {schedule.queue!r}, its task declares {task.queue_name!r}",
                hint="Name the same queue in the schedule and in @task(queue_name=...).",
                obj=schedule,
                id="serverless.W003",
            )


def schedules_without_arguments(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield E020 for each schedule whose task needs an argument, as each bulk task does: a schedule passes none."""
    for schedule in topology.every_schedule:
        task = _task_at(schedule.task)
        if task is None:
            continue
        try:
            if options_of(task)["bulk"]:
                raise TypeError("it is bulk and takes a list")
            signature(task.func).bind(*[None] * task.takes_context)
        except TypeError as error:
            yield checks.Error(
                f"schedule {schedule.name!r} calls {schedule.task!r} without arguments: {error}",
                hint="Give the arguments defaults, or schedule a task that enqueues this one with arguments.",
                obj=schedule,
                id="serverless.E020",
            )


def groups_without_order(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield W021 for each task in the `tasks` module of an app that has `group_by` and a queue that is not FIFO."""
    autodiscover_modules("tasks")
    names = [f"{config.name}.tasks" for config in apps.get_app_configs()]
    found = [value for name in names if name in sys.modules for value in vars(sys.modules[name]).values()]
    for task in found:
        if isinstance(task, Task) and options_of(task)["group_by"] and task.queue_name not in topology.fifo_queues:
            yield checks.Warning(
                f"task {task.module_path} has group_by, and its queue {task.queue_name!r} keeps no order",
                hint="Declare that queue with fifo=True, or take group_by off.",
                obj=task,
                id="serverless.W021",
            )


def crowded_workers(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield W006 if all workers at once hold more connections than the smallest database has."""
    wanted = sum(queue.max_concurrency for queue in topology.every_queue)
    if wanted > CONNECTIONS:
        yield checks.Warning(
            f"workers may hold {wanted} connections at once, a database of class t4g.micro gives {CONNECTIONS}",
            hint="Lower max_concurrency of queues that can wait, or choose a larger database_instance_class.",
            obj=topology,
            id="serverless.W006",
        )


def _declarations(topology: Topology) -> tuple[ObjectTrigger | Schedule, ...]:
    return (*topology.object_triggers, *topology.every_schedule)


def _task_at(path: str) -> Task[Any, Any] | None:
    try:
        found = import_string(path)
    except ImportError:
        return None
    return found if isinstance(found, Task) else None
