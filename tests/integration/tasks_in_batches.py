"""Batches as Lambda hands them over, made of calls of `tests.sample_tasks`."""

from collections.abc import Mapping, Sequence
from typing import Any

from uuid6 import uuid7

from serverless_django.contract.task_message import TaskMessage

MOMENT = "2026-11-23T07:30:00+00:00"


def call(name: str, *args: Any, id: str = "", **fields: Any) -> str:
    message = TaskMessage(id=id or str(uuid7()), task=f"tests.sample_tasks.{name}", enqueued_at=MOMENT, args=args)
    return TaskMessage(**{**{slot: getattr(message, slot) for slot in message.__slots__}, **fields}).encode()


def batch(*bodies: str, receives: int = 1, **attributes: str) -> dict[str, Any]:
    return {"Records": [record(index, body, receives, attributes) for index, body in enumerate(bodies)]}


def record(index: int, body: str, receives: int, attributes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "eventSource": "aws:sqs",
        "messageId": f"m{index}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), **attributes},
    }


def failed(response: Any) -> Sequence[str]:
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]
