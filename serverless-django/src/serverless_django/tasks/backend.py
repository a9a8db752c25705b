"""`task.enqueue()` → a row of the outbox in the caller's transaction → an SQS message once that has committed."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from django.core import checks
from django.db import transaction
from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.exceptions import InvalidTask
from django.tasks.signals import task_enqueued
from django.utils import timezone
from uuid6 import uuid7

from serverless_django.conf import topology
from serverless_django.contract.task_message import TaskMessage
from serverless_django.observability.correlation import current_correlation
from serverless_django.tasks import outbox, results
from serverless_django.tasks.arguments import MAX_NESTING, InvalidArgumentsError, check_storable, encode_call
from serverless_django.tasks.commits import is_promised, tell
from serverless_django.tasks.groups import group_of
from serverless_django.tasks.items import item_reader
from serverless_django.tasks.options import ServerlessTask, TaskOptions, options_of
from serverless_django.tasks.rows import MAX_DELAY, Call
from serverless_django.tasks.sqs import MAX_MESSAGE_BYTES, QueueUnavailableError, send_messages
from serverless_django.tasks.wire import read_envelope

type Arguments = tuple[Sequence[Any], Mapping[str, Any]]
"""Positional and keyword arguments of one call."""


class TaskTooLargeError(ValueError):
    """The arguments of a task do not fit into one SQS message."""


class SqsBackend(BaseTaskBackend):
    """Enqueue tasks on the SQS queue that bears their queue's name.

    `OPTIONS["queue_urls"]` maps each name in `QUEUES` to the URL of its queue; with `OPTIONS["queue_prefix"]`
    begin the names in SQS of these and of the queues that the deploy kept.  Its tasks take `TaskOptions`.
    """

    task_class = ServerlessTask

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True
    """Within a batch of a worker and within a sweep; SQS itself knows none.  What must never wait gets a queue."""

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.queue_urls: Mapping[str, str] = self.options.get("queue_urls", {})
        self.queue_prefix: str = self.options.get("queue_prefix", "")

    def validate_task(self, task: Task[Any, Any]) -> None:
        """Check that `task` can be enqueued.

        Raise InvalidTask as Django does, and if a direct task shall wait longer than SQS can delay a message.
        """
        super().validate_task(task)
        if task.run_after is None or _is_ordered(task) or not options_of(task)["direct"]:
            return
        if task.run_after - timezone.now() > MAX_DELAY:
            raise InvalidTask(
                f"run_after is {task.run_after:%Y-%m-%d %H:%M:%S%z}, SQS delays a message by at most 15 minutes; "
                f"take direct=True off {task.module_path}, and the call waits as a row"
            )

    def enqueue(self, task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[Any, Any]:
        """Enqueue a call of `task` with the positional `args` and the keyword arguments `kwargs`.  Return its result.

        The call is written as a row of the outbox in the transaction that is open, and sent after its commit; without a
        transaction it is written and sent at once.  A task that is `direct` has no row.

        Raise TaskTooLargeError if the call does not fit into a message, TypeError or InvalidArgumentsError if a worker
        could not read equal arguments, and, for a direct task, QueueUnavailableError if SQS does not accept the
        message. After a commit that error is raised by the `atomic()` block that committed.
        """
        return self.enqueue_many(task, [(args, kwargs)])[0]

    def enqueue_many(self, task: Task[Any, Any], calls: Iterable[Arguments]) -> list[TaskResult[Any, Any]]:
        """Enqueue `calls` of `task` as `enqueue` does, with one statement and one request to SQS for ten of them."""
        self.validate_task(task)
        options = options_of(task)
        ready = [self._ready(task, args, kwargs) for args, kwargs in calls]
        rows = [_call_of(result, options) for result in ready]
        if options["direct"] and not is_promised() and not _is_ordered(task):
            _after_commit(partial(self._send, rows, ready))
        elif rows:
            self._promise(rows, ready, options)
        return ready

    def get_result(self, result_id: str) -> TaskResult[Any, Any]:
        """Return the stored result with the id `result_id`, of a task that keeps results.

        Raise TaskResultDoesNotExist if there is none.
        """
        return results.read_result(result_id, backend=self.alias)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Report E004 for each queue without a URL."""
        return [
            checks.Error(
                f"queue {name!r} of TASKS[{self.alias!r}] has no URL",
                hint="The deploy writes one for each queue of lambda_app.topology into SERVERLESS_TASK_QUEUE_URLS.",
                obj=self,
                id="serverless.E004",
            )
            for name in sorted(self.queues - set(self.queue_urls))
        ]

    def _ready(self, task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[Any, Any]:
        try:
            return self._result(task, args, kwargs)
        except RecursionError as error:
            raise InvalidArgumentsError(
                f"the arguments of {task.module_path} are nested more than {MAX_NESTING} levels deep, or in themselves"
            ) from error

    def _result(self, task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[Any, Any]:
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

    def _promise(self, rows: list[Call], ready: list[TaskResult[Any, Any]], options: TaskOptions) -> None:
        outbox.write(rows)
        if options["keep_result"]:
            for result in ready:
                results.open_result(result)
        outbox.send_after_commit(rows, ready, self.queue_urls)

    def _send(self, calls: list[Call], ready: list[TaskResult[Any, Any]]) -> None:
        if not calls:
            return
        url = self.queue_urls[calls[0].queue]
        if refused := send_messages(url, [call.outgoing() for call in calls]):
            raise QueueUnavailableError(
                f"queue {url} refused {len(refused)} of {len(calls)} messages: {next(iter(refused.values()))}"
            )
        for result in ready:
            tell(task_enqueued, result)


def message_of(result: TaskResult[Any, Any]) -> TaskMessage:
    """Return the message of a call; one for later bears the moment that it is for."""
    # Of the client's making, and no reason to refuse what it asks for.
    correlation = current_correlation()
    moment = max(filter(None, (result.enqueued_at, result.task.run_after)))
    return TaskMessage(
        id=result.id,
        task=result.task.module_path,
        enqueued_at=moment.isoformat(),
        args=result.args,
        kwargs=result.kwargs,
        priority=result.task.priority,
        request_id=_readable(correlation.request_id),
        trace=_readable(correlation.trace),
    )


def _call_of(result: TaskResult[Any, Any], options: TaskOptions) -> Call:
    body = encode_call(message_of(result))
    _check_size(result.task, body)
    if options["bulk"]:
        _check_items(result.task, body)
    if options["keep_result"]:
        check_storable([result.args, result.kwargs], "arguments")
    return Call(
        id=result.id,
        queue=result.task.queue_name,
        body=body,
        group=group_of(result.task, result.args, result.kwargs) if _is_ordered(result.task) else "",
        priority=result.task.priority,
        run_after=result.task.run_after,
    )


def _is_ordered(task: Task[Any, Any]) -> bool:
    """Whether calls of `task` leave in the order of commits, for which each must be a row."""
    return task.queue_name in topology().fifo_queues


def _readable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _check_items(task: Task[Any, Any], body: str) -> None:
    try:
        item_reader(task.func)(read_envelope(body))
    except msgspec.DecodeError as error:
        raise InvalidArgumentsError(f"a call of {task.module_path} cannot be sent: {error}") from error


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
