"""One migration at a time, that waits for no lock long enough to stop the traffic behind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from lambda_app.serverless.postgresql.pins import allow_pin

LOCK_ID = 0x646A616E676F
""""django" in hexadecimal: any number that nobody else locks."""

LOCK_TIMEOUT = "5s"
"""A statement that waits for a table makes everybody behind it wait too."""


@contextmanager
def migration_session() -> Iterator[None]:
    """Hold the database's migration lock, with timeouts fit for changing tables.

    Needs a session of its own, so never goes through a pooler.  A killed holder frees the lock.
    """
    with allow_pin("a session of its own, which ends with the migration"), connection.cursor() as cursor:
        # Whoever comes second waits here as long as it takes, then finds nothing to do.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_ID])
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    try:
        yield
    finally:
        # Closing ends lock and settings together, also after an error that has broken the session.
        connection.close()
