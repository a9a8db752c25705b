"""What a batch left undone → when each message comes again, or its burial among the dead letters."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from django.db import DatabaseError
from django.tasks import task_backends

from lambda_app.contract.resources import Queue
from lambda_app.contract.task_message import InvalidTaskMessageError
from lambda_app.serverless.tasks import dead_letters
from lambda_app.serverless.tasks.backend import SqsBackend
from lambda_app.serverless.tasks.deliveries import DeliveredCall, Delivery, policy_of
from lambda_app.serverless.tasks.failures import count_failures, forget_failures, store_error
from lambda_app.serverless.tasks.faults import FIRST_BACKOFF, backoff
from lambda_app.serverless.tasks.registry import load_task
from lambda_app.serverless.tasks.sqs import QueueUnavailableError, change_visibility, url_of
from lambda_app.topology import TOPOLOGY

logger = logging.getLogger(__name__)

UNREADABLE_ATTEMPTS = Queue(name="any").max_attempts


def settle(left: Sequence[Delivery], *, is_outage: bool) -> set[str]:
    """Count failures, bury what has failed often enough, and push the rest of what is `left` into the future.

    Return the ids of the messages that were buried, which are done with.
    """
    failed = [delivery for delivery in left if delivery.error]
    counts = _counted(failed)
    buried = {delivery.message_id for delivery in failed if _is_over(delivery, counts) and _bury(delivery, counts)}
    _forget(delivery for delivery in failed if delivery.message_id in buried)
    waits = {
        delivery.record["receiptHandle"]: _wait(delivery, counts, is_outage=is_outage)
        for delivery in left
        if delivery.message_id not in buried and "receiptHandle" in delivery.record
    }
    _postpone(left, waits)
    return buried


def _counted(failed: Sequence[Delivery]) -> Mapping[str, int]:
    calls = [call for delivery in failed for call in delivery.calls if call.error]
    try:
        counts = count_failures(calls)
        for call in calls:
            if policy_of(call).keep_result:
                store_error(call, is_final=counts[call.key.id] >= _max_attempts(call))
    except DatabaseError:
        # Counted when it has failed again: better once more than once too few.
        logger.warning("the failures of %d calls are not counted", len(calls), exc_info=True)
        return {}
    return counts


def _attempts(delivery: Delivery, counts: Mapping[str, int]) -> int:
    if delivery.refusal is not None:
        return delivery.receives
    return max((counts.get(call.key.id, 0) for call in delivery.calls), default=0)


def _is_over(delivery: Delivery, counts: Mapping[str, int]) -> bool:
    limits = [_max_attempts(call) for call in delivery.calls if call.error]
    return _attempts(delivery, counts) >= min(limits, default=UNREADABLE_ATTEMPTS)


def _max_attempts(call: DeliveredCall) -> int:
    try:
        queue = load_task(call.envelope.task).queue_name
    except InvalidTaskMessageError:
        return UNREADABLE_ATTEMPTS
    return TOPOLOGY.max_attempts_of(call.envelope.task, queue=queue)


def _bury(delivery: Delivery, counts: Mapping[str, int]) -> bool:
    if not _is_ours(delivery) or delivery.error is None:
        return False
    try:
        return dead_letters.bury(delivery.record, error=delivery.error, attempts=_attempts(delivery, counts))
    except QueueUnavailableError:
        logger.warning("message %s could not be buried and comes again", delivery.message_id, exc_info=True)
        return False


def _forget(buried: Iterable[Delivery]) -> None:
    """The count travels with the letter; whoever sends that again gives it all its attempts."""
    try:
        forget_failures([call for delivery in buried for call in delivery.calls])
    except DatabaseError:
        logger.warning("the failures of what was buried are kept", exc_info=True)


def _wait(delivery: Delivery, counts: Mapping[str, int], *, is_outage: bool) -> int:
    if delivery.error:
        first = min((policy_of(call).retry_after for call in delivery.calls), default=FIRST_BACKOFF)
        return backoff(max(1, _attempts(delivery, counts)), first=first)
    # What there was no time for is tried again at once.
    return backoff(delivery.receives) if is_outage else 0


def _postpone(left: Sequence[Delivery], waits: Mapping[str, int]) -> None:
    if not waits or not _is_ours(left[0]):
        return
    try:
        change_visibility(url_of(left[0].record["eventSourceARN"]), waits)
    except QueueUnavailableError:
        logger.warning("%d messages come again only after the visibility timeout", len(waits), exc_info=True)


def _is_ours(delivery: Delivery) -> bool:
    """Without SQS behind the tasks, as in tests of a handler alone, there is nothing to tell it."""
    return isinstance(task_backends["default"], SqsBackend) and "eventSourceARN" in delivery.record
