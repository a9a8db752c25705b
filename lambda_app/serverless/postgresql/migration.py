"""One migration at a time, that holds no traffic up for long, and goes on where another was killed."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from psycopg import errors, sql

from lambda_app.serverless.postgresql.pins import allow_pin

logger = logging.getLogger(__name__)

LOCK_ID = 0x646A616E676F
""""django" in hexadecimal: any number that nobody else locks."""

LOCK_TIMEOUT = "3s"
"""A statement that waits for a table makes everybody behind it wait too."""

ATTEMPTS = 10
"""Each goes on where the last one gave up: a migration is applied whole or not at all."""

PAUSE_SECONDS = 5.0
"""Between two attempts at most: time for whoever was made to wait."""

UNFINISHED_INDEXES = """
    SELECT namespace.nspname, class.relname
    FROM pg_index AS index
    JOIN pg_class AS class ON class.oid = index.indexrelid
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE NOT index.indisvalid AND namespace.nspname = 'public'
    AND index.indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)
"""


@contextmanager
def migration_session() -> Iterator[None]:
    """Hold the database's migration lock, with timeouts fit for changing tables.

    Needs a session of its own, so never goes through a pooler.  A killed holder frees the lock.
    """
    with allow_pin("a session of its own, which ends with the migration"):
        _take_lock()
        try:
            yield
        finally:
            # Closing ends lock and settings together, also after an error that has broken the session.
            connection.close()


def migrate_patiently(migrate: Callable[[], object]) -> None:
    """Call `migrate` until no table keeps it waiting.  Raise what the last of ATTEMPTS raises."""
    _drop_unfinished_indexes()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            migrate()
            break
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable) or attempt == ATTEMPTS:
                raise
            logger.warning("migration gave way to whoever uses the table, attempt %d of %d", attempt, ATTEMPTS)
            time.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311 - no secret


def _take_lock() -> None:
    with connection.cursor() as cursor:
        # Whoever comes second waits here as long as it takes, then finds nothing to do.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_ID])
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])


def _drop_unfinished_indexes() -> None:
    # What CREATE INDEX CONCURRENTLY leaves when it is killed serves no query, and the next attempt meets its name.
    with connection.cursor() as cursor:
        cursor.execute(UNFINISHED_INDEXES)
        for schema, name in cursor.fetchall():
            logger.warning("dropping index %s, which was never finished", name)
            cursor.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(schema, name)))
