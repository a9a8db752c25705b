"""Batches as Lambda hands them over, made of calls of `tests.sample_tasks`."""

from typing import Any

from uuid6 import uuid7

from serverless_django.contract.task_message import TaskMessage
from serverless_django.testing.sqs_events import ENQUEUED_AT
from serverless_django.testing.sqs_events import failed_messages as failed
from serverless_django.testing.sqs_events import sqs_event as batch

__all__ = ["MOMENT", "batch", "call", "failed"]

MOMENT = ENQUEUED_AT


def call(name: str, *args: Any, id: str = "", **fields: Any) -> str:
    message = TaskMessage(id=id or str(uuid7()), task=f"tests.sample_tasks.{name}", enqueued_at=MOMENT, args=args)
    return TaskMessage(**{**{slot: getattr(message, slot) for slot in message.__slots__}, **fields}).encode()
