"""A call of a bulk task → its items, each of the type that the task declares."""

from collections.abc import Callable, Sequence
from functools import cache
from inspect import signature
from typing import Any, get_type_hints

import msgspec
from django.tasks.exceptions import InvalidTask

from serverless_django.tasks.wire import Envelope

type ItemReader = Callable[[Envelope], Sequence[Any]]


@cache
def item_reader(function: Callable[..., Any]) -> ItemReader:
    """Return the decoder of the one list that the bulk task `function` takes, by its annotation.

    Raise InvalidTask if it takes anything else, or if its annotation cannot be read.
    """
    name, kind = _list_parameter(function)
    try:
        positional = msgspec.json.Decoder(tuple[kind])  # type: ignore[valid-type]
        named = msgspec.json.Decoder(msgspec.defstruct("Items", [(name, kind)], forbid_unknown_fields=True))
    except TypeError as error:
        raise InvalidTask(f"bulk task {function.__qualname__} takes {kind}, which JSON cannot hold: {error}") from error

    def read_items(envelope: Envelope) -> Sequence[Any]:
        if bytes(envelope.kwargs) == b"{}":
            items: Sequence[Any] = positional.decode(envelope.args)[0]
            return items
        return getattr(named.decode(envelope.kwargs), name)  # type: ignore[no-any-return]

    return read_items


def convert_items(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return the items that `function(*args, **kwargs)` would get, each as the type that `function` declares.

    Items that have that type already are kept.  Raise TypeError if there is more than the one list, or
    msgspec.ValidationError if an item is of another type.
    """
    name, kind = _list_parameter(function)
    items: list[Any] = msgspec.convert(signature(function).bind(*args, **kwargs).arguments[name], kind)
    return items


@cache
def _list_parameter(function: Callable[..., Any]) -> tuple[str, Any]:
    """Return the name and the annotation of the one parameter of `function`.  Raise InvalidTask if that is no list."""
    parameters = list(signature(function).parameters)
    try:
        kind = get_type_hints(function).get(parameters[0]) if len(parameters) == 1 else None
    except (NameError, AttributeError, TypeError) as error:
        raise InvalidTask(
            f"annotations of bulk task {function.__qualname__} cannot be read: {error}; "
            "define or import the type of its items above the task"
        ) from error
    if getattr(kind, "__origin__", None) is not list:
        raise InvalidTask(
            f"bulk task {function.__qualname__} takes ({', '.join(parameters)}); "
            "let it take one list whose items have a type, such as `likes: list[Like]`"
        )
    return parameters[0], kind
