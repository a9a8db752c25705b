"""The results of tasks that keep them: a row from the enqueue on, finished in the transaction of the effect."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

from traceback import format_exception
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.tasks import Task, TaskResult, TaskResultStatus, task_backends
from django.tasks.base import DEFAULT_TASK_PRIORITY, TaskError
from django.tasks.exceptions import TaskResultDoesNotExist
from django.utils import timezone

from serverless_django.contract.task_message import InvalidTaskMessageError
from serverless_django.tasks.registry import load_task
from serverless_django.tasks.transient_errors import words_of

if TYPE_CHECKING:
    from django.db.models import Manager, QuerySet

    from serverless_django.tasks.models import StoredResult

MAX_TRACEBACK_CHARACTERS = 10_000


def open_result(result: TaskResult[Any, Any]) -> None:
    """Store that the task was enqueued, in the transaction that enqueued it."""
    _stored_results().create(
        id=result.id,
        task=result.task.module_path,
        queue=result.task.queue_name,
        priority=result.task.priority,
        status=result.status,
        args=result.args,
        kwargs=result.kwargs,
        enqueued_at=result.enqueued_at or timezone.now(),
    )


def finish_result(result: TaskResult[Any, Any]) -> None:
    """Store what a run came to; without effect if the result was not opened."""
    _rows_of(result.id).update(
        status=result.status,
        return_value=result.return_value if result.status == TaskResultStatus.SUCCESSFUL else None,
        worker_ids=result.worker_ids,
        started_at=result.started_at,
        last_attempted_at=result.last_attempted_at,
        finished_at=result.finished_at,
    )


def record_error(result_id: str, error: Exception, run: TaskResult[Any, Any] | None, *, is_final: bool) -> None:
    """Add `error` to the stored result `result_id`; `run` is Django's result of the failed run, None if nothing ran.

    The result becomes FAILED if `is_final`, else READY, because the task will be tried again.
    """
    with transaction.atomic():
        stored = _rows_of(result_id).first()
        if stored is None:
            return
        stored.errors += [_storable(item) for item in (run.errors if run else [task_error_of(error)])]
        stored.status = TaskResultStatus.FAILED if is_final else TaskResultStatus.READY
        if run:
            stored.worker_ids, stored.last_attempted_at = run.worker_ids, run.last_attempted_at
            stored.started_at = stored.started_at or run.started_at
        stored.finished_at = timezone.now() if is_final else None
        stored.save()


def read_result(result_id: str, *, backend: str) -> TaskResult[Any, Any]:
    """Return the stored result `result_id`, as a result of the task backend with the alias `backend`.

    Raise TaskResultDoesNotExist if it was never stored, or is purged.
    """
    try:
        stored = _stored_results().get(id=UUID(result_id))
    except (ObjectDoesNotExist, ValueError) as error:
        raise TaskResultDoesNotExist(result_id) from error
    return _result_of(stored, backend)


def task_error_of(error: BaseException) -> TaskError:
    """Return `error` as Django keeps it in a TaskResult."""
    kind = type(error)
    text = words_of(error, lambda error: "".join(format_exception(error)))
    return TaskError(exception_class_path=f"{kind.__module__}.{kind.__qualname__}", traceback=text)


def _storable(error: TaskError) -> dict[str, str]:
    """Return `error` without what PostgreSQL's jsonb refuses, and not longer than anyone reads."""
    texts = {
        "exception_class_path": error.exception_class_path,
        "traceback": error.traceback[-MAX_TRACEBACK_CHARACTERS:],
    }
    return {name: text.replace("\0", "\\x00").encode(errors="replace").decode() for name, text in texts.items()}


def _rows_of(result_id: str) -> QuerySet[StoredResult]:
    try:
        return _stored_results().filter(id=UUID(result_id))
    except ValueError:
        # Of a schedule, whose calls have no result to ask for.
        return _stored_results().none()


def _stored_results() -> Manager[StoredResult]:
    # Found when needed: handlers import this module before Django has started.
    return apps.get_model("serverless", "StoredResult").objects


def _result_of(stored: StoredResult, backend: str) -> TaskResult[Any, Any]:
    result: TaskResult[Any, Any] = TaskResult(
        task=_task_of(stored, backend),
        id=str(stored.id),
        status=TaskResultStatus(stored.status),
        enqueued_at=stored.enqueued_at,
        started_at=stored.started_at,
        last_attempted_at=stored.last_attempted_at,
        finished_at=stored.finished_at,
        args=stored.args,
        kwargs=stored.kwargs,
        backend=backend,
        errors=[TaskError(**error) for error in stored.errors],
        worker_ids=stored.worker_ids,
    )
    # A result is frozen; Django's own backends complete theirs in this way, too.
    object.__setattr__(result, "_return_value", stored.return_value)
    return result


def _task_of(stored: StoredResult, backend: str) -> Task[Any, Any]:
    queues = task_backends[backend].queues
    try:
        task = load_task(stored.task)
    except InvalidTaskMessageError:
        task = _stand_in(stored.task, backend, queue=min(queues))
    queue = stored.queue if stored.queue in queues else task.queue_name
    return task.using(queue_name=queue, priority=stored.priority)


def _stand_in(path: str, backend: str, *, queue: str) -> Task[Any, Any]:
    """Return a task that is called `path`: what a task that was renamed or removed has done can still be read."""

    def removed(*args: Any, **kwargs: Any) -> None:
        raise LookupError(f"task {path!r} does not exist any more")

    removed.__module__, _, removed.__qualname__ = path.rpartition(".")
    # Django 6.0 has no defaults for the last two.
    return Task(func=removed, backend=backend, queue_name=queue, priority=DEFAULT_TASK_PRIORITY, run_after=None)
