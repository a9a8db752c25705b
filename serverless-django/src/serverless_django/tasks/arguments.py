"""Arguments of a call → the body of its message, from which a worker reads the same; or an error that says where not.

What enqueue() accepts and no worker can read would be lost: it is read back before it is accepted.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import Any

import msgspec

from serverless_django.contract.task_message import TaskMessage
from serverless_django.tasks.wire import read_envelope

MAX_NESTING = 100
"""Lists and objects within each other; Python's own limit depends on what else runs."""

MAX_PATH_CHARACTERS = 80


class InvalidArgumentsError(ValueError):
    """A worker could not read a value, or would read another one."""


def encode_call(message: TaskMessage) -> str:
    """Return the body of `message`, whose arguments are lists, objects, text, numbers, true, false and null.

    Raise InvalidArgumentsError if a worker would not read equal arguments from it.
    """
    try:
        body = message.encode()
        args, kwargs = read_envelope(body).arguments()
        is_equal = args == message.args and kwargs == message.kwargs
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise _invalid(message, str(error)) from error
    if not is_equal or _is_deep(body, args) or _is_deep(body, kwargs):
        raise _invalid(message, "a worker would read other values")
    return body


def check_storable(value: Any, name: str) -> None:
    """Raise InvalidArgumentsError if PostgreSQL cannot store `value`, called `name` in the error, as JSON."""
    if fault := next(_faults(value, name, forbidden="\0"), ""):
        raise InvalidArgumentsError(f"{fault}; PostgreSQL stores no such value for a task that keeps its result")


def _is_deep(body: str, value: Any) -> bool:
    # Few brackets cannot nest deep, and most messages have few.
    if body.count("[") + body.count("{") <= MAX_NESTING:
        return False
    level = [value]
    for _ in range(MAX_NESTING + 1):
        level = list(chain.from_iterable(map(_children, level)))
    return bool(level)


def _children(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _invalid(message: TaskMessage, reason: str) -> InvalidArgumentsError:
    faults = chain(_faults(message.args, "args"), _faults(message.kwargs, "kwargs"))
    return InvalidArgumentsError(f"a call of {message.task} cannot be sent: {next(faults, reason)}")


def _faults(value: Any, path: str, *, forbidden: str = "", depth: int = 0) -> Iterator[str]:
    """Yield what does not survive within `value`, which stands at `path`."""
    if depth > MAX_NESTING:
        yield f"{path[:MAX_PATH_CHARACTERS]}… is nested more than {MAX_NESTING} levels deep"
    elif isinstance(value, float) and not isfinite(value):
        yield f"{path} is {value}, and JSON has no such number; pass None or text"
    elif isinstance(value, str):
        yield from _faults_in_text(value, path, forbidden)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, f"{path}[{index}]", forbidden=forbidden, depth=depth + 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _faults_in_key(key, path, forbidden)
            yield from _faults(item, f"{path}[{key!r}]", forbidden=forbidden, depth=depth + 1)


def _faults_in_key(key: Any, path: str, forbidden: str) -> Iterator[str]:
    if isinstance(key, str):
        yield from _faults_in_text(key, f"a key of {path}", forbidden)
    else:
        yield f"{path} has the key {key!r}, and JSON's keys are text; pass {str(key)!r}"


def _faults_in_text(text: str, path: str, forbidden: str) -> Iterator[str]:
    if text != text.encode(errors="replace").decode():
        yield f"{path} holds half of a surrogate pair; replace it, or pass the bytes that it stands for as hex"
    elif forbidden and forbidden in text:
        yield f"{path} holds {forbidden!r}"
