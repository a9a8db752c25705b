"""Batches as SQS delivers them to a worker, made of calls of tasks."""

from collections.abc import Mapping
from typing import Any

from django.tasks import Task
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
