"""An error → whose fault it is: the task's, which counts, or the infrastructure's, which passes.

A message is given up after so many failures of its task.  That the database was unavailable for a minute
is no failure of any task, and must not bring healthy messages among the dead letters.  The class of an error
does not tell: a task can cause any of them itself.  So the database is asked whether it works for others.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg
from django.db import InterfaceError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from serverless_django.contract.resources import MAX_RETRY_AFTER
from serverless_django.tasks import receipts
from serverless_django.tasks.receipts import ReceiptKey
from serverless_django.tasks.sqs import QueueFaultError, QueueUnavailableError

logger = logging.getLogger(__name__)

CONFLICTS = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: PostgreSQL rolled back one of two, and the same again will do."""

CANCELED = "57014"
"""A statement took too long, or was canceled by an operator: never the server's own state."""

LACK_OF_RESOURCES = frozenset({"53", "58"})
"""Classes of errors such as a full disk, which few rows may still fit on."""

PROBE_ROWS, MANY_PROBE_ROWS = 1, 1_000

ATTEMPTS_IN_PLACE = 4
FIRST_PAUSE_SECONDS = 0.02

FIRST_BACKOFF = timedelta(seconds=5)


class OutageError(Exception):
    """The database takes no writes: no task could run."""


class PassingError(Exception):
    """What a task met (`__cause__`) says nothing about it; it comes again, and is not counted."""


def is_conflict(error: BaseException) -> bool:
    """Return whether `error` is a deadlock or a serialization failure, which a second try may not meet again."""
    return any(_code(link) in CONFLICTS for link in _chain(error))


def is_infrastructure(error: BaseException) -> bool:
    """Return whether `error` says nothing about the task: its connection is lost, or would take no other task's writes.

    Asks the database if `error` could come from a server.  Also within a transaction.
    """
    links = list(_chain(error))
    if any(isinstance(link, QueueUnavailableError) and not isinstance(link, QueueFaultError) for link in links):
        return True
    connection = transaction.get_connection()
    if not any(map(_points_to_a_server, links)) and not _is_closed(connection):
        return False
    before = connection.connection
    codes = {(_code(link) or "")[:2] for link in links}
    rows = PROBE_ROWS if LACK_OF_RESOURCES.isdisjoint(codes) else MANY_PROBE_ROWS
    return before is None or not _takes_writes(rows) or connection.connection is not before


def is_outage() -> bool:
    """Return whether a new connection takes no writes either.  Not within a transaction."""
    transaction.get_connection().close()
    return not _takes_writes(PROBE_ROWS)


def backoff(attempt: int, *, first: timedelta = FIRST_BACKOFF) -> int:
    """Return the seconds to wait after failed attempt number `attempt`.

    They begin with `first` and double each time, up to `MAX_RETRY_AFTER`; up to half of it is taken off at random.
    """
    doubled: float = first.total_seconds() * 2 ** min(attempt - 1, 16)
    longest = min(doubled, MAX_RETRY_AFTER.total_seconds())
    return max(1, round(longest * random.uniform(0.5, 1.0)))  # noqa: S311


def run_despite_conflicts[Result](transaction: Callable[[], Result]) -> Result:
    """Run `transaction`, and again after a deadlock or a serialization failure.  Return what it returns."""
    for attempt in range(1, ATTEMPTS_IN_PLACE):
        try:
            return transaction()
        except Exception as error:
            if not is_conflict(error):
                raise
            logger.info("attempt %d met another transaction: %s", attempt, error)
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311
    return transaction()


def words_of(error: BaseException, form: Callable[[BaseException], str] = str) -> str:
    """Return `form(error)`, also of an error whose own words cannot be had."""
    try:
        return form(error)
    except Exception:  # noqa: BLE001 - it is of an error's own making
        return "its text cannot be read"


def _points_to_a_server(error: BaseException) -> bool:
    kinds = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
    return isinstance(error, kinds) and _code(error) != CANCELED


def _takes_writes(rows: int) -> bool:
    """Return whether receipts can be written, as every task needs; they are rolled back."""
    try:
        with transaction.atomic():
            receipts.claim([ReceiptKey(str(uuid4()), 0) for _ in range(rows)])
            transaction.set_rollback(True)
    except Exception:
        logger.warning("the database takes no writes", exc_info=True)
        return False
    return True


def _is_closed(connection: BaseDatabaseWrapper) -> bool:
    return connection.connection is not None and bool(connection.connection.closed)


def _code(error: BaseException) -> str | None:
    """Return the code of PostgreSQL's error behind Django's."""
    return getattr(error.__cause__, "sqlstate", None) or getattr(error, "sqlstate", None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what led to it, each once: also what was caught, or gathered in a group."""
    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        links += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            links += link.exceptions
