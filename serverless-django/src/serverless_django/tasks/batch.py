"""SQS batch → partial batch response: whatever has not committed is delivered again, and nothing else."""

# Django's Task is generic for the type checker only.
from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext
from django.db import DatabaseError, close_old_connections

from serverless_django.contract.task_message import InvalidTaskMessageError
from serverless_django.observability.correlation import Correlation, continued
from serverless_django.sources import source_of, wrong_source
from serverless_django.tasks import suspects
from serverless_django.tasks.bulk import run_bulk
from serverless_django.tasks.deliveries import (
    BatchTime,
    DeliveredCall,
    Delivery,
    Reader,
    Suspicion,
    TaskFailedError,
    delivered,
    read_deliveries,
)
from serverless_django.tasks.execution import run_call
from serverless_django.tasks.options import options_of
from serverless_django.tasks.registry import load_task, loaded_task
from serverless_django.tasks.retries import acknowledge, retry_or_give_up
from serverless_django.tasks.transient_errors import OutageError
from serverless_django.tasks.wire import Envelope

logger = logging.getLogger(__name__)


class ItemFailure(TypedDict):
    itemIdentifier: str


class PartialBatchResponse(TypedDict):
    batchItemFailures: list[ItemFailure]


def run_batch(event: Any, read: Reader, context: LambdaContext, *, handler: str) -> PartialBatchResponse:
    """Run every call that `read` finds in the messages of `event`, and return the messages that SQS must deliver again.

    `handler` is the name of the calling handler, such as "sqs", for its log lines.

    Raise WrongEventSourceError if `event` is not an SQS batch; SystemExit or KeyboardInterrupt if a task raised it,
    after all other calls have run and SQS was told their outcome.
    """
    if source_of(event) != "sqs":
        raise wrong_source(event, wanted=handler)
    deliveries = read_deliveries(event["Records"], read)
    is_outage = not run_deliveries(deliveries, BatchTime(context))
    retry_or_give_up(deliveries, is_outage=is_outage)
    if wish := next(filter(None, map(_wish_of, deliveries)), None):
        acknowledge(deliveries)
        raise wish
    # All less done: an empty list means "all succeeded" to Lambda, so a message must earn its absence.
    again = [delivery.message_id for delivery in deliveries if not delivery.is_over]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def run_directly(found: Sequence[Envelope | Exception], *, receives: int = 1) -> None:
    """Run the calls in `found`, which did not come from SQS, as delivery number `receives`.

    Raise the errors in `found` and those of the tasks, after all calls were tried.
    """
    calls = [delivered(item, receives) for item in found if not isinstance(item, Exception)]
    close_old_connections()
    try:
        for call in calls:
            run_call(call)
    finally:
        close_old_connections()
    unreadable = [item for item in found if isinstance(item, Exception)]
    for error in (*filter(None, map(_wish_in, calls)), *unreadable, *(call.error for call in calls)):
        if error:
            raise error
    if any(not call.is_done for call in calls):
        raise OutageError("a call met a fault of the infrastructure; see the log")


def run_deliveries(deliveries: Sequence[Delivery], batch_time: BatchTime) -> bool:
    """Run `deliveries` until `batch_time` is over; return False if it ends early, as the database takes no writes."""
    # The environment may have been frozen since the last batch, and its connection closed by the proxy.
    close_old_connections()
    try:
        suspects.recall([call for delivery in deliveries for call in delivery.calls])
        blocked: set[str] = set()
        for turn in _turns(deliveries):
            _run_together(turn.together, batch_time)
            _run_singly(turn, blocked, batch_time, deliveries)
    except (OutageError, DatabaseError) as error:
        logger.exception("the batch ends early: %s", error)
        return False
    finally:
        # A transaction that a task left open must not take in the next batch.
        close_old_connections()
    return True


@dataclass(slots=True)
class _Turn:
    """The calls of a batch that are suspected of the same."""

    suspicion: Suspicion
    together: dict[str, list[DeliveredCall]] = field(default_factory=dict)
    """Those of each bulk task."""

    single: list[tuple[Delivery, DeliveredCall]] = field(default_factory=list)


def _turns(deliveries: Sequence[Delivery]) -> Sequence[_Turn]:
    """Return the calls by suspicion, the most dangerous last; behind one of them the rest of its group waits."""
    turns = [_Turn(suspicion) for suspicion in Suspicion]
    groups: dict[str, Suspicion] = {}
    unreadable: set[str] = set()
    is_bulk = cache(_is_bulk)
    for delivery in deliveries:
        if delivery.group in unreadable:
            continue
        for call in delivery.calls:
            suspicion = call.suspicion
            # A FIFO queue promises an order, which a set has not.
            if delivery.group:
                suspicion = groups[delivery.group] = max(suspicion, groups.get(delivery.group, suspicion))
            if delivery.group or suspicion >= Suspicion.ALONE or not is_bulk(call.envelope.task):
                turns[suspicion].single.append((delivery, call))
            else:
                turns[suspicion].together.setdefault(call.envelope.task, []).append(call)
        if delivery.group and delivery.refusal:
            unreadable.add(delivery.group)
    return turns


def _is_bulk(path: str) -> bool:
    """Return whether calls of the task at `path` may be joined; not if its module is not imported yet.

    Importing it could end this worker, so the call that needs it does so, by itself; the next batch is joined.
    """
    return options_of(loaded_task(path))["bulk"]


def _run_together(calls_by_task: Mapping[str, list[DeliveredCall]], batch_time: BatchTime) -> None:
    for path, calls in calls_by_task.items():
        if batch_time.has_time() and suspects.begin_together(calls):
            _run_bulk_calls(path, calls, batch_time)


def _run_bulk_calls(path: str, calls: Sequence[DeliveredCall], batch_time: BatchTime) -> None:
    try:
        run_bulk(load_task(path), calls, batch_time)
    except InvalidTaskMessageError as error:
        logger.exception("%d calls of %s go back", len(calls), path)
        for call in calls:
            call.error = error


def _run_singly(turn: _Turn, blocked: set[str], batch_time: BatchTime, deliveries: Sequence[Delivery]) -> None:
    # Sorting keeps the order of equals, and a FIFO queue's own order where it matters.
    for delivery, call in sorted(turn.single, key=lambda pair: 0 if pair[0].group else -pair[1].envelope.priority):
        if delivery.group in blocked:
            continue
        if not batch_time.has_time():
            left = sum(not call.is_done for _, call in turn.single)
            logger.warning("stopped before its time is over: %d calls go back", left)
            return
        if turn.suspicion == Suspicion.STRONG:
            # It may well end this worker: SQS is told of all others before.
            retry_or_give_up([other for other in deliveries if other.is_tried], is_outage=False)
            acknowledge(deliveries)
        _run_single_call(delivery, call, batch_time)
        if delivery.group and not call.is_done:
            blocked.add(delivery.group)


def _run_single_call(delivery: Delivery, call: DeliveredCall, batch_time: BatchTime) -> None:
    correlation = Correlation(call.envelope.request_id, call.envelope.trace)
    with continued(correlation, message_id=delivery.message_id):
        if suspects.begin(call):
            if not delivery.group and _is_bulk(call.envelope.task):
                _run_bulk_calls(call.envelope.task, [call], batch_time)
            else:
                with batch_time.measured():
                    run_call(call)
        if call.error:
            # Django has logged the traceback of what a task raised.
            logger.warning("message %s goes back at attempt %d: %s", delivery.message_id, call.receives, call.error)


def _wish_of(delivery: Delivery) -> BaseException | None:
    return next(filter(None, map(_wish_in, delivery.calls)), None)


def _wish_in(call: DeliveredCall) -> BaseException | None:
    """Return the wish to end this process that the task of `call` raised, if it did."""
    cause = call.error.__cause__ if isinstance(call.error, TaskFailedError) else None
    return cause if isinstance(cause, SystemExit | KeyboardInterrupt) else None
