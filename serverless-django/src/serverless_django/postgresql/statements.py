"""A statement of the platform's own → rows, its parameters bound by the server.

Django binds in the client, so that a thousand ids would make a statement of 37 KB: past 16 KB
RDS Proxy pins the session to one connection.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


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
