"""A task message → its task, run once; a failure is an error, so that SQS delivers the message again."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

import os
from traceback import format_exception
from typing import Any

from django.db import close_old_connections
from django.tasks import Task, TaskContext, TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.signals import task_finished, task_started
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.json import normalize_json
from django.utils.module_loading import import_string

from lambda_app.contract.task_message import InvalidTaskMessageError, TaskMessage

WORKER_ID = f"{os.uname().nodename}:{os.getpid()}"


class TaskFailedError(Exception):
    """A task raised its `__cause__`, which Django has logged."""


def run_body(body: str, *, attempt: int = 1) -> TaskResult[Any, Any]:
    """Run the task that the SQS message `body` calls.

    Raise as `run_message`.
    """
    return run_message(TaskMessage.decode(body), attempt=attempt)


def run_message(message: TaskMessage, *, attempt: int = 1) -> TaskResult[Any, Any]:
    """Run the task that `message` calls and return its result; `attempt` counts deliveries from 1.

    Raise InvalidTaskMessageError if it calls no task, and TaskFailedError from what the task raised.
    """
    result = _running(message, load_task(message), attempt)
    # The environment may have been frozen since the last message, and its connection closed by the proxy.
    close_old_connections()
    task_started.send(sender=type(result.task.get_backend()), task_result=result)
    try:
        value = normalize_json(_call(result))
    except Exception as error:
        _finish(result, TaskResultStatus.FAILED, error=error)
        raise TaskFailedError(f"task {message.task} failed: {error!r}") from error
    _finish(result, TaskResultStatus.SUCCESSFUL, value=value)
    return result


def load_task(message: TaskMessage) -> Task[Any, Any]:
    """Raise InvalidTaskMessageError if the path in `message` names no task."""
    try:
        task = import_string(message.task)
    except ImportError as error:
        raise InvalidTaskMessageError(f"message {message.id} calls {message.task!r}, which does not exist") from error
    if not isinstance(task, Task):
        # Only tasks may be called from a queue: a message must never be able to name any function.
        raise InvalidTaskMessageError(f"message {message.id} calls {message.task!r}, which is not a task")
    return task


def _call(result: TaskResult[Any, Any]) -> Any:
    task = result.task
    context: list[TaskContext[Any, Any]] = [TaskContext(task_result=result)] if task.takes_context else []
    try:
        return task.call(*context, *result.args, **result.kwargs)
    finally:
        # A transaction that the task left open must not take in the next message.
        close_old_connections()


def _running(message: TaskMessage, task: Task[Any, Any], attempt: int) -> TaskResult[Any, Any]:
    now = timezone.now()
    return TaskResult(
        task=task,
        id=message.id,
        status=TaskResultStatus.RUNNING,
        enqueued_at=_parse_time(message),
        started_at=now,
        last_attempted_at=now,
        finished_at=None,
        args=list(message.args),
        kwargs=dict(message.kwargs),
        backend=task.backend,
        errors=[],
        # Django counts attempts by their workers; who made the earlier ones is not known.
        worker_ids=["unknown"] * (attempt - 1) + [WORKER_ID],
    )


def _parse_time(message: TaskMessage) -> Any:
    try:
        time = parse_datetime(message.enqueued_at)
    except ValueError:
        time = None
    if time is None:
        raise InvalidTaskMessageError(
            f"message {message.id} has enqueued_at {message.enqueued_at!r}, which is no ISO 8601 time"
        )
    return time


def _finish(
    result: TaskResult[Any, Any],
    status: TaskResultStatus,
    *,
    value: Any = None,
    error: Exception | None = None,
) -> None:
    # Frozen for everybody else: Django's own backends complete their results in this way.
    object.__setattr__(result, "status", status)
    object.__setattr__(result, "finished_at", timezone.now())
    object.__setattr__(result, "_return_value", value)
    if error is not None:
        result.errors.append(_task_error(error))
    task_finished.send(sender=type(result.task.get_backend()), task_result=result)


def _task_error(error: Exception) -> TaskError:
    kind = type(error)
    return TaskError(
        exception_class_path=f"{kind.__module__}.{kind.__qualname__}", traceback="".join(format_exception(error))
    )
