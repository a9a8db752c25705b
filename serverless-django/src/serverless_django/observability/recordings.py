"""What a request or a task asked of the database: each statement, its time and, where wanted, the line that sent it.

A recording belongs to a context, so a nested task or an asynchronous view adds to its own.  The module needs
Django and nothing of this project.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from time import perf_counter_ns
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from serverless_django.postgresql.call_sites import Site, site_of_caller

MAX_STATEMENTS = 1_000
"""Kept in full; what comes after is only counted."""

SLOW_NS = 20_000_000
"""A statement that takes longer is worth finding its line for, also in production."""

MANY = 10
"""After this many statements in a request, also record the call site of each further one."""

_NOT_A_QUERY = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO")


class Statement(NamedTuple):
    sql: str
    """Without its values: the same at every repetition."""

    params: Any
    nanoseconds: int
    site: Site | None
    """Where it was sent; None if that was not looked up."""

    @property
    def ms(self) -> float:
        return self.nanoseconds / 1e6


class Recording:
    """The statements between `start` and `stop`."""

    __slots__ = ("_parent", "count", "finds_sites", "includes_nested", "name", "started_ns", "statements", "total_ns")

    def __init__(self, name: str = "", *, finds_sites: bool = False, includes_nested: bool = False) -> None:
        self.name = name
        self.finds_sites = finds_sites
        self.statements: list[Statement] = []
        self.count = 0
        """Of all statements, also of those beyond MAX_STATEMENTS."""

        self.total_ns = 0
        self.started_ns = perf_counter_ns()
        self.includes_nested = includes_nested
        """Whether what a recording within this one records is added to it when that stops."""

        self._parent = _current.get()
        _current.set(self)

    def stop(self) -> None:
        """Make the recording that was current before this one current again."""
        _current.set(self._parent)
        if self._parent is not None and self._parent.includes_nested:
            self._parent.count += self.count
            self._parent.total_ns += self.total_ns
            self._parent.statements += self.statements

    @property
    def elapsed_ms(self) -> float:
        return (perf_counter_ns() - self.started_ns) / 1e6

    @property
    def sql_ms(self) -> float:
        return self.total_ns / 1e6

    def add(self, sql: Any, params: Any, nanoseconds: int) -> None:
        """Add the statement `sql` with `params`, which took `nanoseconds`."""
        text = sql if isinstance(sql, str) else str(sql)
        # A savepoint is a question of how a test isolates itself, not of what the code asks.
        if text.startswith(_NOT_A_QUERY):
            return
        self.count += 1
        self.total_ns += nanoseconds
        if self.count <= MAX_STATEMENTS:
            wants_site = self.finds_sites or self.count > MANY or nanoseconds > SLOW_NS
            self.statements.append(Statement(text, params, nanoseconds, site_of_caller() if wants_site else None))


_current: ContextVar[Recording | None] = ContextVar("recording of statements", default=None)
counter: ContextVar[Callable[[Any, int], None] | None] = ContextVar("counter of statements", default=None)
"""Is called with the text of each statement and its nanoseconds."""


def current_recording() -> Recording | None:
    """Return the recording of the request or task that runs now, None if there is none."""
    return _current.get()


@contextmanager
def recorded(name: str = "") -> Iterator[Recording]:
    """Record every statement inside the block, of requests and tasks too, with its call site.  For tests and tools.

    `name` is what the recording is called.
    """
    recording = Recording(name, finds_sites=True, includes_nested=True)
    try:
        yield recording
    finally:
        recording.stop()


def observe_statement(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement, add it to the current recording, if there is one, and count it for the invocation.

    This is an execute wrapper of Django's: `execute` runs `sql` with `params`, or with each of them if `many`;
    `context` holds the connection.
    """
    recording, count = _current.get(), counter.get()
    if recording is None and count is None:
        return execute(sql, params, many, context)
    started = perf_counter_ns()
    try:
        return execute(sql, params, many, context)
    finally:
        nanoseconds = perf_counter_ns() - started
        if count is not None:
            count(sql, nanoseconds)
        if recording is not None:
            recording.add(sql, params, nanoseconds)


def _wrap(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # The wrapper outlives its connection and opens others.
    if observe_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(observe_statement)


connection_created.connect(_wrap, dispatch_uid="serverless.recordings")


_LISTS = re.compile(r"\(\s*%s(?:\s*,\s*%s)*\s*\)(?:\s*,\s*\(\s*%s(?:\s*,\s*%s)*\s*\))*")
_LITERALS = re.compile(r"'(?:[^']|'')*'(?:::\w+)?|\b\d+\b")
_SPACE = re.compile(r"\s+")
_COLUMNS = re.compile(r"(?<=\bSELECT )(?!DISTINCT|EXISTS|COUNT|1\b).{200,}?(?= FROM )", re.IGNORECASE)


@lru_cache(maxsize=512)
def shape_of(sql: str) -> str:
    """Return `sql` without values, without the length of its lists and without long lists of columns."""
    shape = _SPACE.sub(" ", _LISTS.sub("(…)", _LITERALS.sub("%s", sql))).strip()
    return _COLUMNS.sub("…", shape)


def advice_for(shape: str, site: Site | None) -> str:
    """Return what to do about a statement of this `shape` that is repeated at `site`."""
    verb = shape.partition(" ")[0].upper()
    if verb in ("SELECT", "WITH"):
        return f"N+1: {site.advice if site and site.advice else 'read all rows at once, with __in or a join'}"
    way = {
        "INSERT": "insert all rows at once, with bulk_create()",
        "UPDATE": "update all rows at once, with update() or bulk_update()",
        "DELETE": "delete all rows at once, with filter(...).delete()",
    }
    return f"row by row: {way.get(verb, 'send it once')}"
