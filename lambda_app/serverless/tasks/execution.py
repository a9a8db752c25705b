"""A delivered call → its task, run once: receipt and effect commit together, or neither does."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

import logging
import os
from functools import partial
from traceback import format_exception
from typing import Any

from django.db import transaction
from django.tasks import Task, TaskContext, TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.signals import task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json

from lambda_app.serverless.tasks import receipts, results
from lambda_app.serverless.tasks.deliveries import DeliveredCall, TaskFailedError, policy_of
from lambda_app.serverless.tasks.failures import forget_failures
from lambda_app.serverless.tasks.faults import is_infrastructure, run_despite_conflicts
from lambda_app.serverless.tasks.registry import load_task
from lambda_app.serverless.tasks.schedules import is_skipped

logger = logging.getLogger(__name__)

WORKER_ID = f"{os.uname().nodename}:{os.getpid()}"


def run_call(call: DeliveredCall) -> None:
    """Run the task that `call` names, unless it has its receipt, and note in `call` what became of it.

    Raise InvalidTaskMessageError if it names no task, and whatever is the infrastructure's fault.
    """
    if is_skipped(call.envelope):
        logger.warning("%s is skipped, its time was %s", call.envelope.id, call.envelope.enqueued_at)
        call.is_done = True
        return
    result = _running(call, load_task(call.envelope.task, message_id=call.envelope.id))
    run = _run_in_transaction if policy_of(call).transactional else _run_beside
    try:
        run_despite_conflicts(partial(run, call, result))
    except Exception as error:
        if is_infrastructure(error):
            raise
        _finish(result, TaskResultStatus.FAILED, error=error)
        failure = TaskFailedError(f"task {call.envelope.task} failed: {error!r}")
        failure.__cause__ = error
        call.error, call.result = failure, result
    else:
        call.is_done = True


def _run_in_transaction(call: DeliveredCall, result: TaskResult[Any, Any]) -> None:
    with transaction.atomic():
        if not receipts.claim([call.key]):
            _log_repetition(call)
            return
        value = _call_task(result)
        _complete(call, result, value)
    _finish(result, TaskResultStatus.SUCCESSFUL, value=value)


def _run_beside(call: DeliveredCall, result: TaskResult[Any, Any]) -> None:
    """Run a task that is safe to repeat: its receipt comes last, and spares later copies of the message."""
    if receipts.is_claimed(call.key):
        _log_repetition(call)
        return
    value = _call_task(result)
    with transaction.atomic():
        receipts.claim([call.key])
        _complete(call, result, value)
    _finish(result, TaskResultStatus.SUCCESSFUL, value=value)


def _call_task(result: TaskResult[Any, Any]) -> Any:
    task = result.task
    task_started.send(sender=type(task.get_backend()), task_result=result)
    context: list[TaskContext[Any, Any]] = [TaskContext(task_result=result)] if task.takes_context else []
    return normalize_json(task.call(*context, *result.args, **result.kwargs))


def _complete(call: DeliveredCall, result: TaskResult[Any, Any], value: Any) -> None:
    if call.receives > 1:
        forget_failures([call])
    if policy_of(call).keep_result:
        _set(result, status=TaskResultStatus.SUCCESSFUL, finished_at=timezone.now(), _return_value=value)
        results.finish_result(result)


def _running(call: DeliveredCall, task: Task[Any, Any]) -> TaskResult[Any, Any]:
    now = timezone.now()
    args, kwargs = call.envelope.arguments()
    return TaskResult(
        task=task,
        id=call.envelope.id,
        status=TaskResultStatus.RUNNING,
        enqueued_at=call.envelope.enqueued_at,
        started_at=now,
        last_attempted_at=now,
        finished_at=None,
        args=args,
        kwargs=kwargs,
        backend=task.backend,
        errors=[],
        # Django counts attempts by their workers; who made the earlier ones is not known.
        worker_ids=["unknown"] * (call.receives - 1) + [WORKER_ID],
    )


def _finish(
    result: TaskResult[Any, Any],
    status: TaskResultStatus,
    *,
    value: Any = None,
    error: Exception | None = None,
) -> None:
    _set(result, status=status, finished_at=timezone.now(), _return_value=value)
    if error is not None:
        result.errors.append(_task_error(error))
    task_finished.send(sender=type(result.task.get_backend()), task_result=result)


def _set(result: TaskResult[Any, Any], **values: Any) -> None:
    # Frozen for everybody else: Django's own backends complete their results in this way.
    for name, value in values.items():
        object.__setattr__(result, name, value)


def _task_error(error: Exception) -> TaskError:
    kind = type(error)
    return TaskError(
        exception_class_path=f"{kind.__module__}.{kind.__qualname__}", traceback="".join(format_exception(error))
    )


def _log_repetition(call: DeliveredCall) -> None:
    logger.info("call %s of %s was done before", call.envelope.id, call.envelope.task)
