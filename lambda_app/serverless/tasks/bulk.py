"""Many calls of a bulk task → one call with all their items, in one transaction with all their receipts.

A call whose items are of another type fails alone, before the database sees it.  If the one call
fails, the calls are halved until the bad one is alone: among 1,000 that takes some 20 transactions.
"""

# Django's Task is generic for the type checker only.
from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache, partial
from inspect import signature
from typing import Any, get_type_hints

import msgspec
from django.db import transaction
from django.tasks import Task

from lambda_app.contract.task_message import InvalidTaskMessageError
from lambda_app.serverless.tasks import receipts
from lambda_app.serverless.tasks.deadline import Deadline
from lambda_app.serverless.tasks.deliveries import DeliveredCall, TaskFailedError
from lambda_app.serverless.tasks.failures import forget_failures
from lambda_app.serverless.tasks.faults import is_infrastructure, run_despite_conflicts
from lambda_app.serverless.tasks.wire import Envelope

logger = logging.getLogger(__name__)

type ItemReader = Callable[[Envelope], Sequence[Any]]


class InvalidBulkTaskError(TypeError):
    """A task that is declared bulk does not take one list."""


def run_bulk(task: Task[Any, Any], calls: Sequence[DeliveredCall], deadline: Deadline) -> None:
    """Run `calls`, all of `task`, as one, and note in each what became of it.

    Raise whatever is the infrastructure's fault; what had committed until then is noted.
    """
    _run(task, _readable(calls, item_reader(task.func)), deadline)


@cache
def item_reader(function: Callable[..., Any]) -> ItemReader:
    """Return the decoder of the one list that `function` takes, by its annotation.

    Raise InvalidBulkTaskError if it takes anything else.
    """
    name, kind = _list_parameter(function)
    positional = msgspec.json.Decoder(tuple[kind])  # type: ignore[valid-type]
    named = msgspec.json.Decoder(msgspec.defstruct("Items", [(name, kind)], forbid_unknown_fields=True))

    def read_items(envelope: Envelope) -> Sequence[Any]:
        if bytes(envelope.kwargs) == b"{}":
            items: Sequence[Any] = positional.decode(envelope.args)[0]
            return items
        return getattr(named.decode(envelope.kwargs), name)  # type: ignore[no-any-return]

    return read_items


def _list_parameter(function: Callable[..., Any]) -> tuple[str, Any]:
    parameters = list(signature(function).parameters)
    kind = get_type_hints(function).get(parameters[0]) if len(parameters) == 1 else None
    if getattr(kind, "__origin__", None) is not list:
        raise InvalidBulkTaskError(
            f"bulk task {function.__qualname__} takes ({', '.join(parameters)}); "
            "let it take one list whose items have a type, such as `likes: list[Like]`"
        )
    return parameters[0], kind


def _readable(calls: Sequence[DeliveredCall], read_items: ItemReader) -> list[DeliveredCall]:
    readable = []
    for call in calls:
        try:
            call.items = read_items(call.envelope)
        except (msgspec.DecodeError, RecursionError) as error:
            call.error = InvalidTaskMessageError(f"call {call.envelope.id} of {call.envelope.task}: {error}")
            logger.warning("%s", call.error)
        else:
            readable.append(call)
    # In one order everywhere: two workers with the same messages wait for each other instead of deadlocking.
    return sorted(readable, key=lambda call: call.key.id)


def _run(task: Task[Any, Any], calls: Sequence[DeliveredCall], deadline: Deadline) -> None:
    if not calls or not deadline.has_time():
        return
    try:
        with deadline.measured():
            run_despite_conflicts(partial(_commit, task, calls))
    except Exception as error:
        if is_infrastructure(error):
            raise
        _divide(task, calls, deadline, error)
    else:
        for call in calls:
            call.is_done = True


def _divide(task: Task[Any, Any], calls: Sequence[DeliveredCall], deadline: Deadline, error: Exception) -> None:
    if len(calls) == 1:
        logger.error("call %s of %s failed", calls[0].envelope.id, task.module_path, exc_info=error)
        calls[0].error = TaskFailedError(f"task {task.module_path} failed: {error!r}")
        calls[0].error.__cause__ = error
        return
    half = len(calls) // 2
    _run(task, calls[:half], deadline)
    _run(task, calls[half:], deadline)


def _commit(task: Task[Any, Any], calls: Sequence[DeliveredCall]) -> None:
    with transaction.atomic():
        fresh = receipts.claim([call.key for call in calls])
        items: list[Any] = []
        for call in calls:
            # Taken out, so that of two copies in one batch only one counts.
            if call.key.id in fresh:
                fresh.remove(call.key.id)
                items += call.items
        if items:
            task.call(items)
        forget_failures([call for call in calls if call.receives > 1])
    # All who asked for it: an id given to a client finds this line, too.
    asked = sorted({call.envelope.request_id for call in calls} - {""})
    logger.info(
        "%d calls of %s ran as one, with %d items", len(calls), task.module_path, len(items),
        extra={"correlation_ids": asked},
    )  # fmt: skip
