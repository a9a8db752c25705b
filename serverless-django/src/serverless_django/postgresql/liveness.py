"""Whether a connection still leads to a server: a look at its socket, or a question with a deadline."""

import select
import time
from typing import Any

import psycopg


def has_something_to_read(connection: "psycopg.Connection[Any]") -> bool:
    """Look, in a microsecond, for what a server sends unasked: its goodbye, seldom a notice."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def answers(connection: "psycopg.Connection[Any]", *, within_seconds: float) -> bool:
    """Return whether the server answers a query over `connection` within `within_seconds`.

    After False the connection cannot be used any more.
    """
    deadline = time.monotonic() + within_seconds
    pgconn = connection.pgconn
    try:
        pgconn.send_query(b"SELECT 1")
        while pgconn.flush() or pgconn.is_busy():
            if not _is_readable(connection, deadline):
                return False
            pgconn.consume_input()
        return _is_success(pgconn)
    except psycopg.Error:
        return False


def _is_readable(connection: "psycopg.Connection[Any]", deadline: float) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(max(0, deadline - time.monotonic()) * 1000))


def _is_success(pgconn: psycopg.pq.abc.PGconn) -> bool:
    statuses = []
    while result := pgconn.get_result():
        statuses.append(result.status)
    return statuses == [psycopg.pq.ExecStatus.TUPLES_OK]
