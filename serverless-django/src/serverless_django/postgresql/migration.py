"""One migration at a time, that holds no traffic up for long, and goes on where another was killed."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors

from serverless_django.postgresql.concurrently import (
    is_concurrent,
    is_done,
    lock_timeout,
    remove_leftovers,
)
from serverless_django.postgresql.pins import allow_pin

logger = logging.getLogger(__name__)

LOCK_ID = 0x646A616E676F
""""django" in hexadecimal: any number that no other program locks."""

LOCK_TIMEOUT = "3s"
"""A statement that waits for a table makes every session behind it wait, too."""

ATTEMPTS = 10
"""Of a transaction, or of a statement outside of one: either is applied whole or not at all."""

PAUSE_SECONDS = 5.0
"""Between two attempts at most: time for the sessions that had to wait."""

PATIENCE_SECONDS = 600
"""How long a statement with CONCURRENTLY may wait; the function that migrates may run for 14 minutes."""

LEFTOVER_SECONDS = 60
"""How long a migration that has perhaps nothing to do waits to remove what another has left."""

POLL_SECONDS = 0.5
"""Between two looks at the lock of another migration."""

PIN_REASON = "its own session, which ends with the migration"

_TEMPORARY = (errors.LockNotAvailable, errors.DeadlockDetected)


@contextmanager
def migration_session(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Hold the migration lock of the database with the alias `using`, with timeouts fit for changing tables.

    Needs its own session, so it must not go through a pooler.  PostgreSQL releases the lock of a process that is
    killed.
    """
    with allow_pin(PIN_REASON):
        _take_lock(connections[using])
        try:
            yield
        finally:
            # Closing ends lock and settings together, also after an error that has broken the session.
            connections[using].close()


def migrate_patiently(migrate: Callable[[], object], using: str = DEFAULT_DB_ALIAS) -> None:
    """Call `migrate`, and again after each time that it waited too long for a lock in the database `using`.

    Raise what the last of ATTEMPTS raises.
    """
    connection, patience = connections[using], _Patience(connections[using])
    with allow_pin(PIN_REASON), connection.execute_wrapper(_PatientStatements(patience)):
        _remove_leftovers(connection, f"{LEFTOVER_SECONDS}s")
        patience.keep_trying(migrate)


class _Patience:
    """The attempts of one run, of its transactions and its statements together."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.failures = 0
        self.deadline = time.monotonic() + PATIENCE_SECONDS

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def keep_trying[T](self, attempt: Callable[[], T]) -> T:
        while True:
            try:
                return attempt()
            except OperationalError as error:
                self.failures += 1
                is_hopeless = self.failures >= ATTEMPTS or self.seconds_left <= 0
                if is_hopeless or not isinstance(error.__cause__, _TEMPORARY):
                    raise
                logger.warning("migration gave way to another session, attempt %d of %d", self.failures, ATTEMPTS)
                time.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311 - no secret


class _PatientStatements:
    """An execute wrapper of Django's, for statements outside of a transaction: each is tried again by itself.

    Whatever the migration did before is applied, and would fail the second time.
    """

    def __init__(self, patience: _Patience) -> None:
        self.patience = patience
        self._is_busy = False

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        connection = context["connection"]
        if self._is_busy or connection.in_atomic_block:
            return execute(sql, params, many, context)
        self._is_busy = True
        try:
            if isinstance(sql, str) and is_concurrent(sql):
                return self._run_concurrently(connection, sql, lambda: execute(sql, params, many, context))
            return self.patience.keep_trying(lambda: execute(sql, params, many, context))
        finally:
            self._is_busy = False

    def _run_concurrently(self, connection: BaseDatabaseWrapper, sql: str, execute: Callable[[], Any]) -> Any:
        def attempt() -> Any:
            with lock_timeout(connection, f"{max(1, self.patience.seconds_left):.0f}s"):
                remove_leftovers(connection, before=sql)
                if is_done(connection, sql):
                    logger.warning("already there, from a migration that was killed: %s", sql)
                    return None
                return execute()

        _report_open_transactions(connection, sql)
        try:
            return self.patience.keep_trying(attempt)
        except DatabaseError:
            # A unique index that could not be finished would still refuse rows, of the code that goes on running.
            _remove_leftovers(connection, LOCK_TIMEOUT)
            raise


def _remove_leftovers(connection: BaseDatabaseWrapper, timeout: str) -> None:
    """Remove what can be removed in time.  A statement with CONCURRENTLY removes the rest before each attempt."""
    with suppress(OperationalError), lock_timeout(connection, timeout):
        remove_leftovers(connection)


def _report_open_transactions(connection: BaseDatabaseWrapper, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_TRANSACTIONS)
        for pid, user, application, state, age in cursor.fetchall():
            logger.warning(
                "%s may wait for session %d of %s (%s), %s, whose transaction is %s old",
                *(" ".join(sql.split()[:4]), pid, user, application or "no name", state, age),
            )


_OPEN_TRANSACTIONS = """
    SELECT pid, usename, application_name, state, date_trunc('second', now() - xact_start)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < now() - interval '2 seconds'
    AND backend_type = 'client backend' ORDER BY xact_start LIMIT 3
"""


def _take_lock(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        # Asked again and again: CREATE INDEX CONCURRENTLY of the holder waits for each statement that is running,
        # so also for one that would wait for the holder.
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_ID])
            if cursor.fetchone() == (True,):
                return
            time.sleep(POLL_SECONDS)
