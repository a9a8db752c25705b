"""Batches as SQS delivers them to a worker, made of calls of tasks."""

from collections.abc import Mapping
from typing import Any

from django.tasks import Task, TaskResult, task_backends
from uuid6 import uuid7

from serverless_django.contract.task_message import TaskMessage

ENQUEUED_AT = "2026-11-23T07:30:00+00:00"


def task_body(task: "Task[Any, Any]", *args: Any, **kwargs: Any) -> str:
    """Return the body of the SQS message that calls `task` with these arguments, under a new id.

    Raise TypeError or ValueError if JSON has no form for an argument.
    """
    path = task.module_path
    return TaskMessage(id=str(uuid7()), task=path, enqueued_at=ENQUEUED_AT, args=args, kwargs=kwargs).encode()


def sqs_event(*bodies: str, receives: int = 1, **attributes: str) -> dict[str, Any]:
    """Return the event of one batch, whose messages are called "m0", "m1" and so on.

    `receives` is the number of this delivery; `attributes` are further ones of SQS, such as MessageGroupId.
    """
    return {"Records": [_record(index, body, receives, attributes) for index, body in enumerate(bodies)]}


def failed_messages(response: Mapping[str, Any]) -> list[str]:
    """Return the ids of the messages that SQS delivers again, from `response`, which the handler returned."""
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]


def _record(index: int, body: str, receives: int, attributes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "eventSource": "aws:sqs",
        "messageId": f"m{index}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), **attributes},
    }


BACKEND = "serverless_django.tasks.in_process.DummyBackend"


class TaskQueue:
    """What `enqueue()` was called with; nothing runs before `run()`."""

    def __init__(self) -> None:
        # Django keeps a backend for each context: a handler's context is a copy of the test's, and finds this one there
        # if it is made first.
        self._backend: Any = task_backends["default"]

    @property
    def calls(self) -> "list[TaskResult[Any, Any]]":
        """The calls that wait, oldest first: each has `task`, `args` and `kwargs`."""
        return self._backend.results  # type: ignore[no-any-return]

    def run(self, *, times: int = 1) -> None:
        """Deliver every call that waits, in order, each `times` times: SQS may deliver a message more than once.

        Raise what a task raises; the calls behind it are gone.
        """
        calls = list(self.calls)
        self.calls.clear()
        for call in calls:
            for _ in range(times):
                call.task.call(*call.args, **call.kwargs)
