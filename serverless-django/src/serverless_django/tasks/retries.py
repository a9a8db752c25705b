"""The messages that a batch left undone → when each comes again, or its way to the dead-letter queue."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import DatabaseError
from django.tasks import task_backends

from serverless_django.tasks import dead_letters, results
from serverless_django.tasks.backend import SqsBackend
from serverless_django.tasks.deliveries import DeliveredCall, Delivery
from serverless_django.tasks.failures import count_failures, forget_failures
from serverless_django.tasks.options import TaskOptions, options_of
from serverless_django.tasks.registry import loaded_task
from serverless_django.tasks.sqs import QueueUnavailableError, change_visibility, delete_messages, url_of
from serverless_django.tasks.transient_errors import backoff

logger = logging.getLogger(__name__)


def retry_or_give_up(deliveries: Sequence[Delivery], *, is_outage: bool) -> None:
    """Count the failures of `deliveries`, send those without attempts left to the dead-letter queue, delay the rest.

    With `is_outage` the database takes no writes: nothing is counted.  An error with one message changes nothing for
    the others.
    """
    left = [delivery for delivery in deliveries if not delivery.is_done and not delivery.is_settled]
    failed = [delivery for delivery in left if delivery.error]
    counts = _count(failed)
    for delivery in failed:
        _store_errors(delivery, counts)
        delivery.is_given_up = _is_over(delivery, counts) and _give_up(delivery, counts)
    _forget(delivery for delivery in failed if delivery.is_given_up)
    waits = {
        delivery.receipt_handle: _wait(delivery, counts, is_outage=is_outage)
        for delivery in left
        if not delivery.is_given_up
    }
    _tell(left, lambda url, handles: change_visibility(url, {item: waits[item] for item in handles if item in waits}))
    for delivery in left:
        delivery.is_settled = True


def acknowledge(deliveries: Sequence[Delivery]) -> None:
    """Delete the messages of `deliveries` that are finished, for a worker that may end before it answers Lambda."""
    over = [delivery for delivery in deliveries if delivery.is_over and not delivery.is_acknowledged]
    _tell(over, delete_messages)
    for delivery in over:
        delivery.is_acknowledged = True


def max_attempts_of(call: DeliveredCall) -> int:
    """Return after how many failures `call` is given up."""
    return _options_of(call)["max_attempts"]


def _options_of(call: DeliveredCall) -> TaskOptions:
    """Return the options of its task, or the defaults.  Imports nothing: that alone could end this worker."""
    return options_of(loaded_task(call.envelope.task))


def _count(failed: Sequence[Delivery]) -> Mapping[str, int]:
    calls = [call for delivery in failed for call in delivery.calls if call.error]
    try:
        return count_failures(calls)
    except DatabaseError:
        # The database is unavailable: one extra attempt is better than one too few.
        logger.warning("the failures of %d calls are not counted", len(calls), exc_info=True)
        return {}


def _store_errors(delivery: Delivery, counts: Mapping[str, int]) -> None:
    for call in delivery.calls:
        # The result of a task that is gone may have been opened while it was there.
        is_kept = _options_of(call)["keep_result"] or loaded_task(call.envelope.task) is None
        if call.error is None or not is_kept:
            continue
        is_final = counts.get(call.key.id, 0) >= max_attempts_of(call)
        try:
            results.record_error(call.envelope.id, call.error, call.result, is_final=is_final)
        except Exception:
            logger.exception("the error of call %s is not stored with its result", call.envelope.id)


def _attempts(delivery: Delivery, counts: Mapping[str, int]) -> int:
    if delivery.refusal is not None:
        return delivery.receives
    return max((counts.get(call.key.id, 0) for call in delivery.calls), default=0)


def _is_over(delivery: Delivery, counts: Mapping[str, int]) -> bool:
    limits = [max_attempts_of(call) for call in delivery.calls if call.error]
    return _attempts(delivery, counts) >= min(limits, default=options_of(None)["max_attempts"])


def _give_up(delivery: Delivery, counts: Mapping[str, int]) -> bool:
    if not _is_ours(delivery) or delivery.error is None:
        return False
    try:
        return dead_letters.send_to_dead_letters(
            delivery.record, error=delivery.error, attempts=_attempts(delivery, counts)
        )
    except Exception:
        logger.exception("message %s could not be sent to the dead-letter queue, and comes again", delivery.message_id)
        return False


def _forget(given_up: Iterable[Delivery]) -> None:
    """Forget the failures of messages in the dead-letter queue: a redriven message has all its attempts again."""
    try:
        forget_failures([call for delivery in given_up for call in delivery.calls])
    except DatabaseError:
        logger.warning("the failures of messages in the dead-letter queue are kept", exc_info=True)


def _wait(delivery: Delivery, counts: Mapping[str, int], *, is_outage: bool) -> int:
    if delivery.error:
        waits = [_options_of(call)["retry_after"] for call in delivery.calls]
        first = min(waits, default=options_of(None)["retry_after"])
        return backoff(max(1, _attempts(delivery, counts)), first=first)
    is_postponed = is_outage or any(call.is_postponed for call in delivery.calls)
    # What there was no time for is tried again at once.
    return backoff(delivery.receives) if is_postponed else 0


def _tell(deliveries: Sequence[Delivery], tell: Callable[[str, Sequence[str]], Any]) -> None:
    """Call `tell` with the URL of each queue and the receipt handles of its `deliveries`."""
    ours = [delivery for delivery in deliveries if _is_ours(delivery) and delivery.receipt_handle]
    ours.sort(key=attrgetter("queue_arn"))
    for arn, group in groupby(ours, key=attrgetter("queue_arn")):
        handles = [delivery.receipt_handle for delivery in group]
        try:
            tell(url_of(arn), handles)
        except QueueUnavailableError:
            logger.warning("%d messages come again only after the visibility timeout", len(handles), exc_info=True)


def _is_ours(delivery: Delivery) -> bool:
    """Without SQS behind the tasks, as in tests of a handler alone, there is nothing to tell it."""
    return isinstance(task_backends["default"], SqsBackend) and bool(delivery.queue_arn)
