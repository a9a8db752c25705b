"""Statements are bound on the client, as Django's ORM expects, and on the server if their text would pin the session.

RDS Proxy pins a session at a statement of more than 16 KB, and bound on the client a text contains its values: a long
caption, five hundred ids, the rows of bulk_create.  Bound on the server they travel beside it, in PostgreSQL's extended
protocol, and nothing in an app changes.
"""

import re
from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql.base import CursorMixin
from psycopg import ClientCursor
from psycopg._cursor_base import BaseCursor
from psycopg._queries import PostgresClientQuery, PostgresQuery
from psycopg.abc import Params, Query

from lambda_app.serverless.postgresql.pins import MAX_STATEMENT_BYTES

MAX_PARAMETERS = 65_535
"""What one message of the protocol can carry."""

_BINDABLE = re.compile(rb"[\s(]*(SELECT|INSERT|UPDATE|DELETE|WITH|MERGE)\b", re.IGNORECASE)
_COMPARES_EXPRESSIONS = re.compile(rb"\b(GROUP\s+BY|DISTINCT)\b", re.IGNORECASE)
"""There PostgreSQL must see that two expressions are the same, and $1 is not $2, whatever their values."""


class BoundedCursor(CursorMixin, ClientCursor[Any]):
    """Keeps texts within MAX_STATEMENT_BYTES where it can, and tells `check_length` each text that is sent."""

    check_length: Callable[[bytes], None] | None = None

    def _convert_query(self, query: Query, params: Params | None = None) -> Any:
        merged = super()._convert_query(query, params)
        if params is None or len(merged.query) <= MAX_STATEMENT_BYTES or not _can_bind_on_server(merged, params):
            return merged
        bound = PostgresQuery(self._tx)
        bound.convert(query, params)
        return bound

    def _execute_send(self, query: PostgresQuery, **options: Any) -> None:
        if self.check_length:
            self.check_length(query.query)
        if isinstance(query, PostgresClientQuery):
            super()._execute_send(query, **options)
        else:
            # Past the method of the client-binding cursor, which sends the text alone.
            BaseCursor._execute_send(self, query, **options)


def _can_bind_on_server(merged: Any, params: Params) -> bool:
    return (
        len(params) <= MAX_PARAMETERS
        and bool(_BINDABLE.match(merged.query))
        and not _COMPARES_EXPRESSIONS.search(merged.template)
    )
