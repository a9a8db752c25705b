"""`task.enqueue()` → an SQS message, once the transaction around it has committed."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.core import checks
from django.db import transaction
from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.exceptions import InvalidTask
from django.tasks.signals import task_enqueued
from django.utils import timezone
from uuid6 import uuid7

from lambda_app.contract.task_message import TaskMessage
from lambda_app.serverless.tasks.sqs import send_message

MAX_MESSAGE_BYTES = 1024 * 1024
"""SQS takes no larger message."""

MAX_DELAY = timedelta(minutes=15)
"""SQS delays no message for longer."""


class TaskTooLargeError(ValueError):
    """The arguments of a task do not fit into one SQS message."""


class SqsBackend(BaseTaskBackend):
    """Enqueue tasks on the SQS queue that bears their queue's name.

    `OPTIONS["queue_urls"]` maps each name in `QUEUES` to the URL of its queue.  There is no
    result to get: what a task finds out belongs into the database.
    """

    supports_defer = True
    supports_async_task = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.queue_urls: Mapping[str, str] = self.options.get("queue_urls", {})

    def validate_task(self, task: Task[Any, Any]) -> None:
        """Raise InvalidTask also if `run_after` is later than SQS can delay a message."""
        super().validate_task(task)
        if task.run_after is not None and task.run_after - timezone.now() > MAX_DELAY:
            raise InvalidTask(
                f"run_after is {task.run_after:%Y-%m-%d %H:%M:%S%z}, SQS delays a message by at most 15 minutes; "
                "keep the time in a row and let a schedule of lambda_app.topology enqueue what is due"
            )

    def enqueue(self, task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[Any, Any]:
        """Send a call of `task` after the commit, or at once where no transaction is open.

        Raise TaskTooLargeError if it does not fit, and QueueUnavailableError if SQS does not
        accept it; after a commit that error leaves the block that committed.
        """
        self.validate_task(task)
        result = self._ready(task, args, kwargs)
        body = message_of(result).encode()
        _check_size(task, body)
        _after_commit(partial(self._send, result, body))
        return result

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Report E004 for each queue without a URL."""
        return [
            checks.Error(
                f"queue {name!r} of TASKS[{self.alias!r}] has no URL",
                hint="The deploy writes one for each queue of lambda_app.topology into TASK_QUEUE_URLS.",
                obj=self,
                id="serverless.E004",
            )
            for name in sorted(self.queues - set(self.queue_urls))
        ]

    def _ready(self, task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[Any, Any]:
        return TaskResult(
            task=task,
            id=str(uuid7()),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )

    def _send(self, result: TaskResult[Any, Any], body: str) -> None:
        send_message(self.queue_urls[result.task.queue_name], body, delay_seconds=_delay_seconds(result.task))
        task_enqueued.send(type(self), task_result=result)


def message_of(result: TaskResult[Any, Any]) -> TaskMessage:
    return TaskMessage(
        id=result.id,
        task=result.task.module_path,
        enqueued_at=(result.enqueued_at or timezone.now()).isoformat(),
        args=result.args,
        kwargs=result.kwargs,
    )


def _check_size(task: Task[Any, Any], body: str) -> None:
    size = len(body.encode())
    if size > MAX_MESSAGE_BYTES:
        raise TaskTooLargeError(
            f"a call of {task.module_path} has {size:,} bytes, SQS takes at most {MAX_MESSAGE_BYTES:,}; "
            "store the data in a row or an object and pass its id"
        )


def _after_commit(send: partial[None]) -> None:
    connection = transaction.get_connection()
    # Without a connection there is no transaction, and on_commit() would connect only to find that out.
    if connection.connection is None and not connection.in_atomic_block:
        send()
    else:
        connection.on_commit(send)


def _delay_seconds(task: Task[Any, Any]) -> int:
    if task.run_after is None:
        return 0
    return max(0, math.ceil((task.run_after - timezone.now()).total_seconds()))
