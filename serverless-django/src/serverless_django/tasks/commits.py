"""A transaction of a task → committed or not, and nothing that is raised after the commit changes that."""

# Django's TaskResult is generic for the type checker only.
from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from threading import Event
from typing import Any

from django.db import OperationalError, transaction
from django.dispatch import Signal
from django.tasks import TaskResult
from psycopg.pq import TransactionStatus

from serverless_django.observability.budgets import BudgetExceededError

_is_promised: ContextVar[bool] = ContextVar("calls are promised", default=False)


@contextmanager
def promised() -> Iterator[None]:
    """Write every call that is enqueued within as a row of the outbox, also of a task that is `direct`."""
    token = _is_promised.set(True)
    try:
        yield
    finally:
        _is_promised.reset(token)


def is_promised() -> bool:
    return _is_promised.get()


logger = logging.getLogger(__name__)


class RolledBackError(Exception):
    """A task ended as if it had succeeded, and what it wrote is lost."""


@contextmanager
def task_transaction() -> Iterator[None]:
    """Commit what is written inside, or raise.  Callbacks of on_commit() raise nothing: their errors are logged."""
    committed = Event()
    try:
        with transaction.atomic():
            # The first to be called.
            transaction.on_commit(committed.set)
            # A call that was sent after the commit could be lost, and the receipt would hide it.
            with promised():
                yield
            _keep_callbacks_quiet()
    except BaseException:
        if not committed.is_set():
            raise
        logger.exception("raised after the commit, which stays")


def check_transaction() -> None:
    """Raise RolledBackError, or OperationalError if the connection is closed, if COMMIT would keep nothing.

    A task that catches an error of the database and goes on would seem to have succeeded.
    """
    connection = transaction.get_connection()
    if connection.connection is None or connection.connection.closed:
        raise OperationalError("the connection to the database was closed while the task ran")
    if connection.needs_rollback or connection.connection.info.transaction_status == TransactionStatus.INERROR:
        raise RolledBackError(
            "the task caught an error of the database, after which its transaction can only be rolled back; "
            "run the statements that may fail in another transaction.atomic()"
        )


def tell(signal: Signal, result: TaskResult[Any, Any]) -> None:
    """Send one of Django's signals of a task.  What a receiver raises is logged: it is told what has happened."""
    try:
        responses = signal.send_robust(sender=type(result.task.get_backend()), task_result=result)
    except BaseException:
        logger.exception("a receiver of a signal of task %s failed", result.task.module_path)
        return
    for _, response in responses:
        # Only where the settings say "refuse": a test has to fail.
        if isinstance(response, BudgetExceededError):
            raise response


def _keep_callbacks_quiet() -> None:
    connection = transaction.get_connection()
    connection.run_on_commit = [
        (savepoints, partial(_call_quietly, callback), True) for savepoints, callback, _ in connection.run_on_commit
    ]


def _call_quietly(callback: Callable[[], Any]) -> None:
    try:
        callback()
    except BaseException:
        # Not only Exception, as Django's own robust=True: the callbacks behind it are called, too.
        logger.exception("a callback of on_commit() failed; the task is done all the same")
