"""Backends for tests and commands without SQS: with the same options, one runs a task at once, one keeps its calls."""

# Django's Task and TaskResult are generic for the type checker only.
from __future__ import annotations

from typing import Any

from django.db import transaction
from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.backends import dummy, immediate
from django.tasks.exceptions import TaskResultDoesNotExist

from serverless_django.tasks.commits import check_transaction
from serverless_django.tasks.options import ServerlessTask, options_of


class DummyBackend(dummy.DummyBackend):
    """Keep every call in `results` and run none, as Django's own backend of this name does."""

    task_class = ServerlessTask


class ImmediateBackend(immediate.ImmediateBackend):
    """Run a task in `enqueue()`, once, with what a worker gives it: a transaction, and typed items if it is bulk.

    There are no retries; `direct`, `group_by`, `max_attempts` and `retry_after` change nothing.  The result of a
    task with `keep_result` can be had by `get_result` as long as this process lives.
    """

    task_class = ServerlessTask

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self._kept: dict[str, TaskResult[Any, Any]] = {}

    def enqueue(self, task: Task[Any, Any], args: list[Any], kwargs: dict[str, Any]) -> TaskResult[Any, Any]:
        """Run `task` with `args` and `kwargs`, and return its result, which holds the return value or the error.

        Raise RolledBackError if the task caught an error of the database and went on: its transaction cannot commit.
        """
        options = options_of(task)
        if options["transactional"]:
            with transaction.atomic():
                result: TaskResult[Any, Any] = super().enqueue(task, args, kwargs)
                if result.status == TaskResultStatus.FAILED:
                    transaction.set_rollback(True)
                else:
                    check_transaction()
        else:
            result = super().enqueue(task, args, kwargs)
        if options["keep_result"]:
            self._kept[result.id] = result
        return result

    def get_result(self, result_id: str) -> TaskResult[Any, Any]:
        """Return the result with the id `result_id`, of a task that keeps results.

        Raise TaskResultDoesNotExist if there is none.
        """
        try:
            return self._kept[result_id]
        except KeyError:
            raise TaskResultDoesNotExist(result_id) from None
