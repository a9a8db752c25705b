"""Many calls of a bulk task → one call with all their items, in one transaction with all their receipts.

A call whose items are of another type fails alone, before the database sees it.  If the one call
fails, the calls are halved until the bad one is alone, within one transaction: among 1,000 that takes
some 20 statements of the task, and a savepoint for each.
"""

# Django's Task is generic for the type checker only.
from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.tasks import Task

from serverless_django.contract.task_message import InvalidTaskMessageError
from serverless_django.tasks import receipts
from serverless_django.tasks.commits import check_transaction, task_transaction
from serverless_django.tasks.deliveries import BatchTime, DeliveredCall, task_failure
from serverless_django.tasks.failures import forget_failures
from serverless_django.tasks.items import ItemReader, item_reader
from serverless_django.tasks.transient_errors import (
    OutageError,
    PassingError,
    is_infrastructure,
    is_outage,
    run_despite_conflicts,
    words_of,
)

logger = logging.getLogger(__name__)

MAX_IDS = 100
"""Of the calls in one line: CloudWatch takes 1 MB of it, and a batch may have 10,000."""


def run_bulk(task: Task[Any, Any], calls: Sequence[DeliveredCall], batch_time: BatchTime) -> None:
    """Run `calls`, all of `task`, as one, and note in each what became of it.

    Neither done nor failed is what met the infrastructure's fault, or had no time: it comes again.
    Raise OutageError if the database takes no writes; what had committed until then is noted.
    """
    try:
        _run(task, _readable(calls, item_reader(task.func)), batch_time)
    except PassingError as error:
        if is_outage():
            raise OutageError("the database takes no writes") from error
        logger.warning("%d calls of %s failed, not by their task: %s", len(calls), task.module_path, error)
        # As for a single call: one that breaks its connection each time, alone, is counted.
        for call in calls:
            if call.is_noted:
                call.error = task_failure(call, error)
            call.is_postponed = not call.is_done


def _readable(calls: Sequence[DeliveredCall], read_items: ItemReader) -> list[DeliveredCall]:
    readable = []
    for call in calls:
        try:
            call.items = read_items(call.envelope)
        except Exception as error:
            # Of msgspec, or of an item's own __post_init__.
            call.error = InvalidTaskMessageError(f"call {call.envelope.id} of {call.envelope.task}: {words_of(error)}")
            logger.warning("%s", call.error, exc_info=True)
        else:
            readable.append(call)
    # In one order everywhere: two workers with the same messages wait for each other instead of deadlocking.
    return sorted(readable, key=lambda call: call.key.id)


def _run(task: Task[Any, Any], calls: Sequence[DeliveredCall], batch_time: BatchTime) -> None:
    if not calls or not batch_time.has_time():
        return
    parts = _Parts()
    with batch_time.measured():
        error = _error_in(partial(run_despite_conflicts, partial(_commit, task, calls, batch_time, parts)))
    if error is None:
        _note(calls, parts)
    elif len(calls) == 1:
        _fail(calls[0], error)
    else:
        # Every part worked and COMMIT did not, as with a deferred constraint: a transaction for each half.
        half = len(calls) // 2
        _run(task, calls[:half], batch_time)
        _run(task, calls[half:], batch_time)


@dataclass(slots=True)
class _Parts:
    """What became of calls that fail together, by the ids of their receipts; the rest is done."""

    failures: dict[str, BaseException] = field(default_factory=dict)
    untried: set[str] = field(default_factory=set)

    def clear(self) -> None:
        self.failures.clear()
        self.untried.clear()

    def is_done(self, call: DeliveredCall) -> bool:
        return call.key.id not in self.failures and call.key.id not in self.untried


def _commit(task: Task[Any, Any], calls: Sequence[DeliveredCall], batch_time: BatchTime, parts: _Parts) -> None:
    # Again after a conflict: what the attempt before has found is forgotten with it.
    parts.clear()
    with task_transaction():
        new = _claim(calls)
        _try_part(task, new, batch_time, parts)
        if undone := [call.key for call in new if not parts.is_done(call)]:
            receipts.release(undone)
        forget_failures([call for call in calls if call.receives > 1 and parts.is_done(call)])
    done = [call for call in new if parts.is_done(call)]
    _log(task, done, len(_items_of(done)))


def _note(calls: Sequence[DeliveredCall], parts: _Parts) -> None:
    for call in calls:
        call.is_done = parts.is_done(call)
        if call.key.id in parts.failures:
            _fail(call, parts.failures[call.key.id])


def _halve(task: Task[Any, Any], calls: Sequence[DeliveredCall], batch_time: BatchTime, parts: _Parts) -> None:
    """Find the bad ones among `calls`, which fail together."""
    half = len(calls) // 2
    is_innocent = _try_part(task, calls[:half], batch_time, parts)
    if is_innocent and len(calls) - half > 1:
        # It must be in the other half, and to see that fail as a whole would tell nothing new.
        _halve(task, calls[half:], batch_time, parts)
    else:
        _try_part(task, calls[half:], batch_time, parts)


def _try_part(task: Task[Any, Any], calls: Sequence[DeliveredCall], batch_time: BatchTime, parts: _Parts) -> bool:
    """Return whether `calls` work; otherwise note which of them do not."""
    if not batch_time.has_time():
        parts.untried.update(call.key.id for call in calls)
        return False
    items = _items_of(calls)
    with batch_time.measured():
        error = _error_in(transaction.atomic(partial(_call, task, items))) if items else None
    if error is not None and len(calls) == 1:
        parts.failures[calls[0].key.id] = error
    elif error is not None:
        # Not where it was caught: an error of a half would drag those of its wholes along, traceback by traceback.
        _halve(task, calls, batch_time, parts)
    return error is None


def _call(task: Task[Any, Any], items: list[Any]) -> None:
    # Not task.call(), which converts items: these have their type.
    Task.call(task, items)
    # Else the savepoint would be rolled back without a word, and the receipts be kept.
    check_transaction()


def _error_in(work: Callable[[], Any]) -> BaseException | None:
    """Run `work`, and return what it raised.  Raise PassingError from it if that is the infrastructure's fault."""
    try:
        work()
    except PassingError:
        raise
    except BaseException as error:
        if is_infrastructure(error):
            raise PassingError(words_of(error)) from error
        return error
    return None


def _claim(calls: Sequence[DeliveredCall]) -> list[DeliveredCall]:
    """Return those of `calls` that had no receipt, of two copies in one batch the first."""
    fresh = receipts.claim([call.key for call in calls])
    new = []
    for call in calls:
        if call.key.id in fresh:
            fresh.remove(call.key.id)
            new.append(call)
    return new


def _items_of(calls: Sequence[DeliveredCall]) -> list[Any]:
    return [item for call in calls for item in call.items]


def _fail(call: DeliveredCall, error: BaseException) -> None:
    logger.error("call %s of %s failed", call.envelope.id, call.envelope.task, exc_info=error)
    call.error = task_failure(call, error)


def _log(task: Task[Any, Any], calls: Sequence[DeliveredCall], items: int) -> None:
    # All who asked for it: an id given to a client finds this line, too.
    asked = sorted({call.envelope.request_id for call in calls} - {""})
    ids = [call.envelope.id for call in calls]
    logger.info(
        "%d calls of %s ran as one, with %d items", len(calls), task.module_path, items,
        extra={"correlation_ids": asked, "task": task.module_path, "calls": ids[:MAX_IDS]},
    )  # fmt: skip
