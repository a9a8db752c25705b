"""Batches of readings, as calls of our task or as plain bodies."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from uuid6 import uuid7

from serverless_django.contract.task_message import TaskMessage

TASK = "tests.benchmarks.tasks.tasks.insert_readings"
TOO_LARGE = 70_000
"""For the column, not for the type: only the database sees that it is bad."""


def make_batch(size: int, *, as_calls: bool, bad: int | None = None) -> dict[str, Any]:
    """Return an event with `size` new readings; the one at `bad` does not fit its column."""
    records = [_record(index, as_calls, is_bad=index == bad) for index in range(size)]
    return {"Records": records}


def _record(index: int, as_calls: bool, *, is_bad: bool) -> dict[str, Any]:
    reading = {
        "id": str(uuid7()),
        "device_id": str(uuid4()),
        "position": TOO_LARGE if is_bad else index % 1000,
        "value": index / 7,
        "read_at": datetime.now(UTC).isoformat(),
    }
    return {
        "eventSource": "aws:sqs",
        "messageId": f"m{index}",
        "body": _call(reading) if as_calls else json.dumps(reading),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "receiptHandle": f"r{index}",
        "md5OfBody": "",
        "awsRegion": "eu-central-1",
    }


def _call(reading: dict[str, Any]) -> str:
    return TaskMessage(id=str(uuid7()), task=TASK, enqueued_at=datetime.now(UTC).isoformat(), args=[[reading]]).encode()
