"""SQS batch → partial batch response: whatever has not committed is delivered again, and nothing else."""

# Django's Task is generic for the type checker only.
from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext
from django.db import close_old_connections

from lambda_app.contract.task_message import InvalidTaskMessageError
from lambda_app.serverless.observability.origins import Origin, continued
from lambda_app.serverless.sources import source_of, wrong_source
from lambda_app.serverless.tasks.bulk import InvalidBulkTaskError, run_bulk
from lambda_app.serverless.tasks.deadline import Deadline
from lambda_app.serverless.tasks.deliveries import (
    DeliveredCall,
    Delivery,
    Reader,
    delivered,
    policy_of_task,
    read_delivery,
)
from lambda_app.serverless.tasks.execution import run_call
from lambda_app.serverless.tasks.faults import is_infrastructure
from lambda_app.serverless.tasks.registry import load_task
from lambda_app.serverless.tasks.settlement import settle
from lambda_app.serverless.tasks.wire import Envelope

logger = logging.getLogger(__name__)


class ItemFailure(TypedDict):
    itemIdentifier: str


class PartialBatchResponse(TypedDict):
    batchItemFailures: list[ItemFailure]


def run_batch(event: Any, read: Reader, context: LambdaContext, *, handler: str) -> PartialBatchResponse:
    """Run every call that `read` finds in the messages of `event`, and report each message that did not finish.

    Raise WrongEventSourceError if `event` is no SQS batch.
    """
    if source_of(event) != "sqs":
        raise wrong_source(event, wanted=handler)
    deliveries = [read_delivery(record, read) for record in event["Records"]]
    is_outage = not run_deliveries(deliveries, Deadline(context))
    # All less done: an empty list means "all succeeded" to Lambda, so a message must earn its absence.
    left = [delivery for delivery in deliveries if not delivery.is_done]
    buried = settle(left, is_outage=is_outage)
    again = [delivery.message_id for delivery in left if delivery.message_id not in buried]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def run_directly(envelopes: Sequence[Envelope], *, receives: int = 1) -> None:
    """Run calls that came in no batch.  Raise what one of them failed with, after all were tried."""
    deliveries = [Delivery({"messageId": item.id}, receives, [delivered(item, receives)]) for item in envelopes]
    close_old_connections()
    try:
        for delivery in deliveries:
            run_call(delivery.calls[0])
    finally:
        close_old_connections()
    for delivery in deliveries:
        if delivery.error:
            raise delivery.error


def run_deliveries(deliveries: Sequence[Delivery], deadline: Deadline) -> bool:
    """Run what was read until the time is over; return False if the infrastructure failed, which ends it early."""
    # The environment may have been frozen since the last batch, and its connection closed by the proxy.
    close_old_connections()
    try:
        groups, single = _sorted_out(deliveries)
        _run_bulk_calls(groups, deadline)
        _run_single_calls(single, deadline)
    except Exception as error:
        if not is_infrastructure(error):
            raise
        # Its traceback says where it struck, which could have been anywhere.
        logger.error("the batch ends early, the infrastructure failed: %r", error)
        return False
    finally:
        # A transaction that a task left open must not take in the next batch.
        close_old_connections()
    return True


def _sorted_out(
    deliveries: Sequence[Delivery],
) -> tuple[dict[str, list[DeliveredCall]], list[tuple[Delivery, DeliveredCall]]]:
    """Return the calls of each bulk task, and all others."""
    groups: dict[str, list[DeliveredCall]] = {}
    single: list[tuple[Delivery, DeliveredCall]] = []
    is_bulk = cache(lambda task: policy_of_task(task).bulk)
    for delivery in deliveries:
        # A FIFO queue promises an order, which a set has not.
        is_ordered = bool(delivery.group)
        for call in delivery.calls:
            if is_ordered or not is_bulk(call.envelope.task):
                single.append((delivery, call))
            else:
                groups.setdefault(call.envelope.task, []).append(call)
    return groups, single


def _run_bulk_calls(groups: Mapping[str, list[DeliveredCall]], deadline: Deadline) -> None:
    for path, calls in groups.items():
        try:
            run_bulk(load_task(path), calls, deadline)
        except (InvalidTaskMessageError, InvalidBulkTaskError) as error:
            logger.exception("%d calls of %s go back", len(calls), path)
            for call in calls:
                call.error = error


def _run_single_calls(waiting: Sequence[tuple[Delivery, DeliveredCall]], deadline: Deadline) -> None:
    blocked: set[str] = set()
    # Sorting keeps the order of equals, and a FIFO queue's own order where it matters.
    for delivery, call in sorted(waiting, key=lambda pair: 0 if pair[0].group else -pair[1].envelope.priority):
        if delivery.group in blocked:
            continue
        if not deadline.has_time():
            logger.warning("stopped before the deadline: %d calls go back", sum(not c.is_done for _, c in waiting))
            return
        _run_single_call(delivery, call, deadline)
        if delivery.group and not call.is_done:
            blocked.add(delivery.group)


def _run_single_call(delivery: Delivery, call: DeliveredCall, deadline: Deadline) -> None:
    origin = Origin(call.envelope.request_id, call.envelope.trace)
    with continued(origin, message_id=delivery.message_id), deadline.measured():
        try:
            run_call(call)
        except InvalidTaskMessageError as error:
            delivery.refusal = error
        if delivery.error:
            # Django has logged the traceback of what a task raised.
            reason = delivery.error
            logger.warning("message %s goes back at attempt %d: %s", delivery.message_id, delivery.receives, reason)
