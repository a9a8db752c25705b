"""Statements are bound on the client, as Django's ORM expects, and where their text would pin the session kept short.

RDS Proxy pins a session at a statement of more than 16 KB, and bound on the client a text contains its values: a long
caption, five hundred ids, the rows of bulk_create.  The longest of them then travel beside the text, in PostgreSQL's
extended protocol, and nothing in an app changes.  `run_statement` binds the parameters of our own statements on the
server in any case.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import psycopg
from django.db import connection
from django.db.backends.postgresql.base import CursorMixin
from psycopg import ClientCursor
from psycopg._cursor_base import BaseCursor
from psycopg._queries import PostgresClientQuery, PostgresQuery
from psycopg.abc import Params

from serverless_django.postgresql.binding import bind
from serverless_django.postgresql.pins import MAX_STATEMENT_BYTES


class BoundedQuery(PostgresClientQuery):
    """Merges each row of parameters into the text, or binds those on the server that make it too long."""

    __slots__ = ()

    def dump(self, params: Params | None) -> None:
        super().dump(params)
        self.types = ()
        if params is None or len(self.query) <= MAX_STATEMENT_BYTES:
            return
        values = self.validate_and_reorder_params(self._parts, params, self._order)
        literals = cast("Sequence[bytes]", self.params)
        statement = bind(self.template, values, literals, self._tx, max_bytes=MAX_STATEMENT_BYTES)
        if statement:
            self.query = statement.text
            self.params = tuple(parameter.data for parameter in statement.parameters)
            self.types = tuple(parameter.oid for parameter in statement.parameters)


class BoundedCursor(CursorMixin, ClientCursor[Any]):
    """Keeps texts within MAX_STATEMENT_BYTES where it can, and tells `check_length` each text that is sent."""

    _query_cls = BoundedQuery

    check_length: Callable[[bytes], None] | None = None

    def _execute_send(self, query: PostgresQuery, **options: Any) -> None:
        if self.check_length:
            self.check_length(query.query)
        if query.types:
            # Past the method of the client-binding cursor, which sends the text alone.
            BaseCursor._execute_send(self, query, **options)
        else:
            super()._execute_send(query, **options)


def run_statement(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run `statement` with `parameters` in the transaction that is open, if any, and return its rows.

    Raise as Django's cursors do.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, prepare=False)
        return cursor.fetchall() if cursor.description else []


def array_of(items: Sequence[str]) -> str:
    """Return the text of a PostgreSQL array of `items`, which hold neither quotes, commas, braces nor backslashes.

    Faster than to let psycopg write each: for ids and numbers.
    """
    return "{" + ",".join(items) + "}"
