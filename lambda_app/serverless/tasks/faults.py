"""An error → whose fault it is: the task's, which counts, or the infrastructure's, which passes.

A message is given up after so many failures of its task.  That the database was away for a minute,
or SQS throttled, is no failure of any task, and must not bring healthy messages among the dead.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import InterfaceError, OperationalError

from lambda_app.serverless.tasks.sqs import QueueUnavailableError

logger = logging.getLogger(__name__)

CONFLICTS = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: PostgreSQL rolled back one of two, and the same again will do."""

# By the code of PostgreSQL; errors without one are libpq's own: no connection, or no more.
PASSING_CLASSES = frozenset({"08", "53", "58"})
PASSING_CODES = frozenset({"25006", "55P03"})
"""A standby that is being promoted takes no writes; a lock was not to be had in time."""

ATTEMPTS_IN_PLACE = 4
FIRST_PAUSE_SECONDS = 0.02

FIRST_BACKOFF = timedelta(seconds=5)
MAX_BACKOFF = timedelta(minutes=15)


def is_conflict(error: BaseException) -> bool:
    """Return whether the same transaction, run again at once, is likely to succeed."""
    return any(_code(link) in CONFLICTS for link in _chain(error))


def is_infrastructure(error: BaseException) -> bool:
    """Return whether `error` says nothing about the task: it will pass, and would hit any other task too."""
    return any(_passes(link) for link in _chain(error))


def backoff(attempt: int, *, first: timedelta = FIRST_BACKOFF) -> int:
    """Return after how many seconds attempt `attempt` + 1 should come: doubled each time, give or take a half."""
    doubled: float = first.total_seconds() * 2 ** min(attempt - 1, 16)
    longest = min(doubled, MAX_BACKOFF.total_seconds())
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


def _passes(error: BaseException) -> bool:
    if isinstance(error, QueueUnavailableError | InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    code = _code(error)
    if code is None or code in PASSING_CODES | CONFLICTS:
        return True
    # Not all of class 57: 57014 is a statement that took too long, which is the task's own doing.
    return code[:2] in PASSING_CLASSES or code.startswith("57P")


def _code(error: BaseException) -> str | None:
    """Return the code of PostgreSQL's error behind Django's."""
    return getattr(error.__cause__, "sqlstate", None) or getattr(error, "sqlstate", None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__
