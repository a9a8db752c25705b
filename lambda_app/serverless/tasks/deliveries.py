"""An SQS record → the calls it carries, and what became of each: done is only what has committed."""

# Django's TaskResult is generic for the type checker only.
from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.tasks import TaskResult

from lambda_app.contract.resources import TaskPolicy
from lambda_app.serverless.tasks.receipts import ReceiptKey
from lambda_app.serverless.tasks.wire import Envelope
from lambda_app.topology import TOPOLOGY

logger = logging.getLogger(__name__)

type Reader = Callable[[str], Sequence[Envelope]]
"""Takes the body of a message apart, or raises what is wrong with it."""


class TaskFailedError(Exception):
    """A task raised its `__cause__`, which Django has logged."""


@dataclass(slots=True, eq=False)
class DeliveredCall:
    """One call of a delivery, and what became of it."""

    envelope: Envelope
    key: ReceiptKey
    receives: int
    sent_at: datetime | None = None
    """When its message came into the queue: what failed before that was another message."""

    is_done: bool = False
    error: Exception | None = None
    result: TaskResult[Any, Any] | None = None
    """Of a run that failed."""

    items: Sequence[Any] = ()
    """The arguments of a bulk task, decoded."""


@dataclass(slots=True, eq=False)
class Delivery:
    """One record of a batch."""

    record: Mapping[str, Any]
    receives: int
    """How often SQS has delivered it, this time included."""

    calls: list[DeliveredCall] = field(default_factory=list)
    refusal: Exception | None = None
    """Why it could not be read."""

    @property
    def message_id(self) -> str:
        return str(self.record["messageId"])

    @property
    def group(self) -> str:
        """The group whose order a FIFO queue keeps; "" on any other queue."""
        return str(self.record.get("attributes", {}).get("MessageGroupId", ""))

    @property
    def is_done(self) -> bool:
        for call in self.calls:
            if not call.is_done:
                return False
        return self.refusal is None

    @property
    def error(self) -> Exception | None:
        """Why it failed, if it did; neither done nor failed is what was not tried."""
        return self.refusal or next((call.error for call in self.calls if call.error), None)


def read_delivery(record: Mapping[str, Any], read: Reader) -> Delivery:
    """Take `record` apart.  What cannot be read is refused alone, with its reason."""
    delivery = Delivery(record, int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)))
    try:
        delivery.calls = [delivered(item, delivery.receives, _sent_at(record)) for item in read(record["body"])]
    except Exception as error:
        logger.exception("message %s goes back at attempt %d", delivery.message_id, delivery.receives)
        delivery.refusal = error
    return delivery


def policy_of(call: DeliveredCall) -> TaskPolicy:
    return policy_of_task(call.envelope.task)


def policy_of_task(path: str) -> TaskPolicy:
    return TOPOLOGY.policy_of(path)


def delivered(envelope: Envelope, receives: int, sent_at: datetime | None = None) -> DeliveredCall:
    return DeliveredCall(envelope, ReceiptKey.of(envelope.id, envelope.enqueued_at), receives, sent_at)


def _sent_at(record: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
