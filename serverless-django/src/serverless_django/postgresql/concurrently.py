"""Statements with CONCURRENTLY: they wait for every open transaction, and leave something behind when they fail.

While one waits it holds up no other session, so it may wait long.  What it leaves is an index that is written to but
never read, or a partition that is neither attached nor detached; a second attempt would meet it and fail.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

logger = logging.getLogger(__name__)

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?'
_COMMENTS = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_CONCURRENT = re.compile(
    rf"{_COMMENTS}(?:(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY|REINDEX\b[^;]*\bCONCURRENTLY"
    rf"|ALTER\s+TABLE\s[^;]*\sDETACH\s+PARTITION\s+{_NAME}\s+CONCURRENTLY)\b",
    re.IGNORECASE | re.DOTALL,
)
_CREATE = re.compile(
    rf"{_COMMENTS}(CREATE\s+(?:UNIQUE\s+)?INDEX\s+)CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"({_NAME})\s+ON\s+(?:ONLY\s+)?({_NAME})(.*)",
    re.IGNORECASE | re.DOTALL,
)
_DETACH = re.compile(
    rf"{_COMMENTS}ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?({_NAME})\s+DETACH\s+PARTITION\s+({_NAME})",
    re.IGNORECASE | re.DOTALL,
)
_DROP = re.compile(rf"{_COMMENTS}DROP\b", re.IGNORECASE | re.DOTALL)


class Leftover(NamedTuple):
    what: str
    removal: sql.Composed


def is_concurrent(statement: str) -> bool:
    """Return whether `statement` builds or drops something CONCURRENTLY, which no transaction allows."""
    return bool(_CONCURRENT.match(statement))


def leftovers(connection: BaseDatabaseWrapper) -> list[Leftover]:
    """Return what failed statements left in any schema of the database of `connection`.

    Each comes with the statement that removes it without blocking a session.
    """
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED_INDEXES)
        for schema, name in cursor.fetchall():
            removal = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(schema, name))
            found.append(Leftover(f"index {name}, which was never finished", removal))
        cursor.execute(_PENDING_PARTITIONS)
        for schema, name, partition_schema, partition in cursor.fetchall():
            removal = sql.SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE").format(
                sql.Identifier(schema, name), sql.Identifier(partition_schema, partition)
            )
            found.append(Leftover(f"partition {partition}, which was never quite detached", removal))
    return found


_UNFINISHED_INDEXES = """
    SELECT namespace.nspname, class.relname
    FROM pg_index AS index
    JOIN pg_class AS class ON class.oid = index.indexrelid
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE NOT index.indisvalid AND namespace.nspname !~ '^pg_'
    -- An index of a partitioned table is not valid until each partition has one: that is no failure.
    AND class.relkind = 'i'
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = index.indexrelid)
    AND index.indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)
"""
_PENDING_PARTITIONS = """
    SELECT namespace.nspname, class.relname, partition_namespace.nspname, partition.relname
    FROM pg_inherits
    JOIN pg_class AS class ON class.oid = inhparent
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_class AS partition ON partition.oid = inhrelid
    JOIN pg_namespace AS partition_namespace ON partition_namespace.oid = partition.relnamespace
    WHERE inhdetachpending
"""


def remove_leftovers(connection: BaseDatabaseWrapper, *, before: str = "") -> None:
    """Remove over `connection` what failed statements left.

    Keep everything `before` a statement DROP, which may name it.
    """
    if _DROP.match(before):
        return
    for leftover in leftovers(connection):
        logger.warning("removing %s", leftover.what)
        with connection.cursor() as cursor:
            cursor.execute(leftover.removal)


def is_done(connection: BaseDatabaseWrapper, statement: str) -> bool:
    """Return whether the effect of `statement` is there already, asked over `connection`.

    A migration may be killed before Django notes that it is applied, and PostgreSQL finishes a build whose client has
    gone.
    """
    if match := _CREATE.match(statement):
        return _is_built(connection, *match.groups())
    if match := _DETACH.match(statement):
        return _is_detached(connection, *match.groups())
    return False


def _is_built(connection: BaseDatabaseWrapper, create: str, name: str, table: str, rest: str) -> bool:
    """Compare the index that has this name with the same one on an empty copy of the table."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(_DEFINITION, [table, _bare(name)])
            existing = cursor.fetchone()
            if existing is None:
                return False
            cursor.execute(f"CREATE TEMPORARY TABLE twin ON COMMIT DROP AS TABLE {table} WITH NO DATA")
            cursor.execute(f"{create}index_of_twin ON twin{rest}")
            cursor.execute(_DEFINITION, ["twin", "index_of_twin"])
            return bool(cursor.fetchone() == existing)
    except DatabaseError:
        return False  # the statement itself tells what is wrong


_DEFINITION = """
    SELECT indisunique, substring(pg_get_indexdef(indexrelid) FROM ' USING .*')
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = to_regclass(%s) AND relname = %s AND indisvalid
"""


def _is_detached(connection: BaseDatabaseWrapper, table: str, partition: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL AND NOT EXISTS "
            "(SELECT FROM pg_inherits WHERE inhparent = to_regclass(%s) AND inhrelid = to_regclass(%s))",
            [table, partition, table, partition],
        )
        return bool(cursor.fetchone()[0])


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


@contextmanager
def lock_timeout(connection: BaseDatabaseWrapper, value: str) -> Iterator[None]:
    """Limit each wait for a lock of `connection` inside the block to `value`, such as "5s"."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, false)", [value])
        (before, _) = cursor.fetchone()
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])
