"""System checks that hold `lambda_app.topology` against the code and the settings."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.tasks import Task
from django.utils.module_loading import import_string

from lambda_app.contract.resources import ObjectTrigger, Schedule, Topology
from lambda_app.serverless.objects import checks as _object_checks  # noqa: F401 - registers them
from lambda_app.serverless.postgresql import checks as _database_checks  # noqa: F401 - registers them
from lambda_app.topology import TOPOLOGY


@checks.register
def check_topology(**kwargs: Any) -> list[checks.CheckMessage]:
    return [*missing_tasks(TOPOLOGY), *missing_storages(TOPOLOGY), *tasks_of_other_queues(TOPOLOGY)]


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
        if bucket.name not in settings.STORAGES or bucket.name not in settings.BUCKET_NAMES:
            yield checks.Error(
                f"topology declares bucket {bucket.name!r}, which STORAGES or BUCKET_NAMES lacks",
                hint="Build both settings from TOPOLOGY.buckets; when deployed, BUCKET_NAMES lists every bucket.",
                obj=bucket,
                id="serverless.E002",
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


def _declarations(topology: Topology) -> tuple[ObjectTrigger | Schedule, ...]:
    return (*topology.object_triggers, *topology.schedules)


def _task_at(path: str) -> Task[Any, Any] | None:
    try:
        found = import_string(path)
    except ImportError:
        return None
    return found if isinstance(found, Task) else None
