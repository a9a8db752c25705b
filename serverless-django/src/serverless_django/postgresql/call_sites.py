"""A running statement → the line of the application that sent it, and the habit of the ORM that made it, if known."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

_NOT_THE_CALLER = ("django.", "psycopg", "contextlib", "functools", "serverless_django.")


@dataclass(frozen=True, slots=True)
class Site:
    """A line of code."""

    file: str
    line: int
    function: str
    advice: str = ""
    """What to change if the statement is repeated; empty if only the statement itself can tell."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


def site_of_caller() -> Site:
    """Return the innermost line that is neither Django's nor the platform's."""
    advice, frame = "", sys._getframe(1)
    for caller in _frames(frame):
        frame, module = caller, caller.f_globals.get("__name__", "")
        if module.startswith("django.db.models"):
            advice = advice or _advice_of(frame)
        if not module.startswith(_NOT_THE_CALLER):
            break
    return Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname, advice)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _advice_of(frame: FrameType) -> str:
    """Recognise what the ORM does by itself when one reads an attribute of a row."""
    kind, owner = frame.f_code.co_qualname, frame.f_locals.get("self")
    if kind == "ForwardManyToOneDescriptor.__get__":
        return _select_related(owner, owner.field.name)  # type: ignore[union-attr]
    if kind == "ReverseOneToOneDescriptor.__get__":
        return _select_related(owner, owner.related.get_accessor_name())  # type: ignore[union-attr]
    if kind == "DeferredAttribute.__get__":
        return f"{owner.field} was left out by only() or defer(): name it there"  # type: ignore[union-attr]
    if kind.startswith("QuerySet.") and getattr(owner, "_known_related_objects", None):
        return f"{_accessors_of(owner)} is read for each row: add prefetch_related() to the query of the rows"
    return ""


def _select_related(owner: Any, name: str) -> str:
    return f'{name!r} is read for each row: add select_related("{name}") to the query of the rows'


def _accessors_of(queryset: Any) -> str:
    relations = [field.remote_field for field in queryset._known_related_objects]
    return ", ".join(f"{relation.model.__name__}.{relation.get_accessor_name()}" for relation in relations)
