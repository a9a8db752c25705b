"""A call on a FIFO queue → the group within which order is kept."""

# Django's Task is generic for the type checker only.
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from inspect import Signature, signature
from typing import Any

from django.tasks import Task

from serverless_django.contract.task_message import InvalidTaskMessageError, message_group
from serverless_django.tasks.options import options_of
from serverless_django.tasks.registry import load_task
from serverless_django.tasks.wire import read_envelope


def group_of(task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return the FIFO group of a call of `task` with `args` and `kwargs`.

    It is the value of the parameter that the option `group_by` names, or else the path of the task.
    """
    group_by = options_of(task)["group_by"]
    named = _arguments(task, args, kwargs).get(group_by, "") if group_by else ""
    # Without its own group a task is one group: all its calls in order.
    return message_group(str(named) or task.module_path)


def group_in(body: str) -> str:
    """Return the FIFO group of the call in `body`, or a group for this body alone if no task can be read from it."""
    try:
        envelope = read_envelope(body)
        return group_of(load_task(envelope.task), *envelope.arguments())
    except InvalidTaskMessageError:
        return message_group(body)


def _arguments(task: Task[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    context = (None,) if task.takes_context else ()
    try:
        bound = _signature(task.func).bind_partial(*context, *args, **kwargs)
    except TypeError:
        # The worker will say so.
        return kwargs
    bound.apply_defaults()
    return {**bound.arguments, **kwargs}


@cache
def _signature(function: Callable[..., Any]) -> Signature:
    return signature(function)
