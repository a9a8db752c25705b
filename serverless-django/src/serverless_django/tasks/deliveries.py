"""An SQS record → the calls it carries, and what became of each: done is only what has committed."""

# Django's TaskResult is generic for the type checker only.
from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from django.tasks import TaskResult

from serverless_django.tasks.receipts import ReceiptKey
from serverless_django.tasks.transient_errors import words_of
from serverless_django.tasks.wire import Envelope

MARGIN = timedelta(milliseconds=750)
"""Left over for the response and for what SQS is told when a batch is stopped before its deadline."""


class BatchTime:
    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._slowest = timedelta(0)

    @property
    def remaining(self) -> timedelta:
        """What work may use."""
        return timedelta(milliseconds=self._context.get_remaining_time_in_millis()) - MARGIN

    def has_time(self) -> bool:
        return self.remaining > self._slowest

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Let the work inside count for what comes next."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._slowest = max(self._slowest, timedelta(seconds=time.monotonic() - started))


logger = logging.getLogger(__name__)

type Reader = Callable[[str], Iterable[Envelope | Exception]]
"""Takes the body of a message apart: the calls in it, and why a part of it is none.  May raise that as well."""


class Suspicion(IntEnum):
    """What a call may do to its worker, as `suspects` finds out.  The higher, the later it runs."""

    NONE = 0
    """Each delivery before has left a word, or there was none."""

    VAGUE = 1
    """It was in a batch whose worker ended, or that met an outage, or that had no time left."""

    ALONE = 2
    """As VAGUE, and its worker ended again: of a bulk task, and not to be tried with others any more."""

    STRONG = 3
    """Its worker ended while it ran alone."""


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

    attempts: int = 0
    """Failures that were counted before this delivery."""

    suspicion: Suspicion = Suspicion.NONE
    is_noted: bool = False
    """Whether this attempt was counted before it ran."""

    is_postponed: bool = False
    """Whether it met a fault of the infrastructure: neither done nor failed."""

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

    group: str = ""
    """The group whose order a FIFO queue keeps; "" on any other queue."""

    calls: list[DeliveredCall] = field(default_factory=list)
    refusal: Exception | None = None
    """Why it could not be read, or not all of it."""

    is_settled: bool = False
    """Whether its failure is counted, and SQS knows when it is to come again."""

    is_given_up: bool = False
    is_acknowledged: bool = False

    @property
    def message_id(self) -> str:
        return str(self.record["messageId"])

    @property
    def receipt_handle(self) -> str:
        """By which SQS knows this delivery; "" in an event that was made by hand."""
        return _text_in(self.record, "receiptHandle")

    @property
    def queue_arn(self) -> str:
        """Of the queue that it came from; "" in an event that was made by hand."""
        arn = _text_in(self.record, "eventSourceARN")
        return arn if arn.count(":") == 5 else ""

    @property
    def is_done(self) -> bool:
        for call in self.calls:
            if not call.is_done:
                return False
        return self.refusal is None

    @property
    def is_over(self) -> bool:
        """Whether SQS must not deliver it again."""
        return self.is_given_up or self.is_done

    @property
    def is_tried(self) -> bool:
        """Whether nothing more will become of it in this batch."""
        return all(call.is_done or call.error for call in self.calls)

    @property
    def error(self) -> Exception | None:
        """Why it failed, if it did; neither done nor failed is what was not tried."""
        return self.refusal or next((call.error for call in self.calls if call.error), None)


def read_deliveries(records: Iterable[Any], read: Reader) -> list[Delivery]:
    """Take `records` apart.  What cannot be read is refused alone, with its reason."""
    deliveries = []
    for record in records:
        if isinstance(record, Mapping) and _text_in(record, "messageId"):
            deliveries.append(_read_delivery(record, read))
        else:
            # It cannot be reported: SQS gives every message an id, so this is none of its messages.
            logger.error("a record is no message of SQS, and is passed over: %s", type(record).__name__)
    return deliveries


def task_failure(call: DeliveredCall, error: BaseException) -> TaskFailedError:
    """Return `error`, which the task of `call` raised, as an error of this module."""
    failure = TaskFailedError(f"task {call.envelope.task} failed: {words_of(error, repr)}")
    failure.__cause__ = error
    return failure


def delivered(envelope: Envelope, receives: int, sent_at: datetime | None = None) -> DeliveredCall:
    """Return the call of `envelope` as delivered for the time number `receives`; `sent_at` is when SQS accepted it."""
    return DeliveredCall(envelope, ReceiptKey.of(envelope.id, envelope.enqueued_at), receives, sent_at)


def _read_delivery(record: Mapping[str, Any], read: Reader) -> Delivery:
    told = record.get("attributes")
    attributes = told if isinstance(told, Mapping) else {}
    delivery = Delivery(record, _receives_in(attributes))
    # A standard queue may have groups, too, which are for fairness and have no order.
    if not delivery.queue_arn or delivery.queue_arn.endswith(".fifo"):
        delivery.group = str(attributes.get("MessageGroupId") or "")
    try:
        sent_at = _sent_at(attributes)
        for found in read(record["body"]):
            if isinstance(found, Exception):
                logger.error("a part of message %s is refused: %s", delivery.message_id, found)
                delivery.refusal = delivery.refusal or found
            else:
                delivery.calls.append(delivered(found, delivery.receives, sent_at))
    except Exception as error:
        logger.exception("message %s goes back at attempt %d", delivery.message_id, delivery.receives)
        delivery.refusal = error
    return delivery


def _text_in(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _receives_in(attributes: Mapping[str, Any]) -> int:
    try:
        return max(1, int(attributes["ApproximateReceiveCount"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return 1


def _sent_at(attributes: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
