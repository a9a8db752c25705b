"""A Django connection without a server: it writes the SQL of migrations, and answers each query with no rows.

A migration may ask the server for what an earlier one made: an extension, the name of a constraint.  Such a name is
made up as Django would; no rule of squawk depends on it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.psycopg_any import get_adapters_template
from django.db.migrations import RunPython
from django.db.models import CharField, Model, TextField
from psycopg._queries import PostgresClientQuery
from psycopg.adapt import Transformer

SUFFIXES = {"primary_key": "_pkey", "foreign_key": "_fk", "unique": "_uniq", "check": "_check", "index": "_idx"}


@contextmanager
def offline(alias: str, server_version: int) -> Iterator[BaseDatabaseWrapper]:
    """Make `connections[alias]` stand for an empty PostgreSQL inside the block, whose version is `server_version`."""
    online = connections[alias]
    kind = type(online)
    connection = type("OfflineDatabase", (_WithoutServer, kind), {})(online.settings_dict, alias)
    connection.SchemaEditorClass = type("OfflineEditor", (_WithMadeUpNames, kind.SchemaEditorClass), {})
    connection.pg_version = server_version * 10_000
    connection.ops.compose_sql = _compose
    run_python = RunPython.database_forwards
    # Called also inside of SeparateDatabaseAndState: what it does cannot be written as SQL.
    RunPython.database_forwards = lambda *arguments: None  # type: ignore[method-assign]
    connections[alias] = connection
    try:
        yield connection
    finally:
        connections[alias] = online
        RunPython.database_forwards = run_python  # type: ignore[method-assign]


class _WithoutServer:
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection = _CONTEXT
        self.autocommit = True

    def ensure_connection(self) -> None:
        pass

    def cursor(self, *arguments: Any, **options: Any) -> "_NoRows":
        return _NoRows()

    def _set_autocommit(self, autocommit: bool) -> None:
        pass

    _commit = _rollback = close = close_if_health_check_failed = ensure_connection


class _NoRows:
    """A cursor of an empty database."""

    description = None
    rowcount = 0

    def __enter__(self) -> "_NoRows":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def execute(self, *arguments: Any) -> None:
        pass

    executemany = execute

    def fetchone(self) -> None:
        pass

    def fetchall(self) -> list[Any]:
        return []

    fetchmany = fetchall


class _WithMadeUpNames:
    """Knows one constraint of each kind: Django asks only for what the models before had."""

    def _constraint_names(
        self, model: type[Model], column_names: Sequence[str] | None = None, **kinds: Any
    ) -> Sequence[str]:
        fields = [field for field in model._meta.local_fields if [field.column] == column_names]
        suffixes = [suffix for kind, suffix in SUFFIXES.items() if kinds.get(kind)][:1]
        if suffixes == ["_fk"] and not all(getattr(field, "db_constraint", True) for field in fields):
            return []
        if suffixes == ["_idx"] and any(isinstance(field, CharField | TextField) for field in fields):
            suffixes.append("_like")
        make: Any = self
        return [make._create_index_name(model._meta.db_table, column_names or [], suffix) for suffix in suffixes]

    def _get_sequence_name(self, table: str, column: str) -> str:
        return f"{table}_{column}_seq"


_CONTEXT: Any = SimpleNamespace(adapters=get_adapters_template(True, None), connection=None, closed=False)
"""All that quoting a value needs of psycopg's connection."""


def _compose(text: str, params: Any) -> str:
    query = PostgresClientQuery(Transformer(_CONTEXT))
    query.convert(text, params)
    return query.query.decode()
