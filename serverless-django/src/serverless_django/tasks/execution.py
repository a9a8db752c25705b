"""A delivered call → its task, run once: receipt and effect commit together, or neither does."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.tasks import Task, TaskContext, TaskResult, TaskResultStatus
from django.tasks.signals import task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json

from serverless_django.conf import topology
from serverless_django.contract.resources import SCHEDULE_ID_PREFIX
from serverless_django.contract.task_message import InvalidTaskMessageError
from serverless_django.tasks import receipts, results
from serverless_django.tasks.arguments import check_storable
from serverless_django.tasks.commits import check_transaction, task_transaction, tell
from serverless_django.tasks.deliveries import DeliveredCall, task_failure
from serverless_django.tasks.failures import forget_failures
from serverless_django.tasks.options import options_of
from serverless_django.tasks.registry import load_task
from serverless_django.tasks.transient_errors import (
    OutageError,
    is_infrastructure,
    is_outage,
    run_despite_conflicts,
)
from serverless_django.tasks.wire import Envelope

logger = logging.getLogger(__name__)

WORKER_ID = f"{os.uname().nodename}:{os.getpid()}"


def run_call(call: DeliveredCall) -> None:
    """Run the task that `call` names, unless it has its receipt, and note in `call` what became of it.

    Neither done nor failed is a call that met the infrastructure's fault: it comes again.  Raise
    OutageError if the database takes no writes, so that no other call could run.
    """
    result: TaskResult[Any, Any] | None = None
    try:
        if is_skipped(call.envelope):
            _skip(call)
            return
        result = _running(call, load_task(call.envelope.task, message_id=call.envelope.id))
        run = _run_in_transaction if options_of(result.task)["transactional"] else _run_beside
        run_despite_conflicts(partial(run, call, result))
    except BaseException as error:  # noqa: BLE001 - CancelledError or SystemExit of one task must not end the others
        _fail(call, result, error)
    else:
        if result.status == TaskResultStatus.SUCCESSFUL:
            tell(task_finished, result)


def _run_in_transaction(call: DeliveredCall, result: TaskResult[Any, Any]) -> None:
    with task_transaction():
        is_new = bool(receipts.claim([call.key]))
        if is_new:
            value = _call_task(result)
            check_transaction()
            _complete(call, result, value)
        else:
            _repeat(call)
    call.is_done = True


def _run_beside(call: DeliveredCall, result: TaskResult[Any, Any]) -> None:
    """Run a task that is safe to repeat: its receipt comes last, and spares later copies of the message."""
    if receipts.is_claimed(call.key):
        _repeat(call)
    else:
        value = _call_task(result)
        with transaction.atomic():
            receipts.claim([call.key])
            _complete(call, result, value)
    call.is_done = True


def _call_task(result: TaskResult[Any, Any]) -> Any:
    task = result.task
    tell(task_started, result)
    context: list[TaskContext[Any, Any]] = [TaskContext(task_result=result)] if task.takes_context else []
    return normalize_json(task.call(*context, *result.args, **result.kwargs))


def _complete(call: DeliveredCall, result: TaskResult[Any, Any], value: Any) -> None:
    if call.receives > 1:
        forget_failures([call])
    is_kept = options_of(result.task)["keep_result"]
    if is_kept:
        check_storable(value, "the return value")
    _set(result, status=TaskResultStatus.SUCCESSFUL, finished_at=timezone.now(), _return_value=value)
    if is_kept:
        results.finish_result(result)


def _repeat(call: DeliveredCall) -> None:
    logger.info("call %s of %s was done before", call.envelope.id, call.envelope.task)
    _forget_note(call)


def _skip(call: DeliveredCall) -> None:
    logger.warning("%s is skipped, its time was %s", call.envelope.id, call.envelope.enqueued_at)
    _forget_note(call)
    call.is_done = True


def _forget_note(call: DeliveredCall) -> None:
    if call.is_noted:
        forget_failures([call])


def _fail(call: DeliveredCall, result: TaskResult[Any, Any] | None, error: BaseException) -> None:
    if is_infrastructure(error):
        if is_outage():
            raise OutageError("the database takes no writes") from error
        logger.warning("call %s of %s failed, not by its task", call.envelope.id, call.envelope.task, exc_info=True)
        # A task that breaks its connection each time looks the same: where the attempt is noted, it counts.
        if not call.is_noted:
            call.is_postponed = True
            return
    if isinstance(error, InvalidTaskMessageError):
        call.error = error
        return
    call.error = task_failure(call, error)
    if result is not None:
        call.result = result
        _set(result, status=TaskResultStatus.FAILED, finished_at=timezone.now(), _return_value=None)
        result.errors.append(results.task_error_of(error))
        tell(task_finished, result)


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


def _set(result: TaskResult[Any, Any], **values: Any) -> None:
    # A result is frozen; Django's own backends complete theirs in this way, too.
    for name, value in values.items():
        object.__setattr__(result, name, value)


def is_skipped(envelope: Envelope) -> bool:
    """Return whether the schedule that sent this skips a moment as late as this one is now."""
    if not envelope.id.startswith(SCHEDULE_ID_PREFIX):
        return False
    late = datetime.now(UTC) - envelope.enqueued_at
    patience = _skip_after(envelope.id.removeprefix(SCHEDULE_ID_PREFIX).partition("/")[0])
    return patience is not None and late > patience


def _skip_after(name: str) -> timedelta | None:
    return next((schedule.skip_after for schedule in topology().every_schedule if schedule.name == name), None)
