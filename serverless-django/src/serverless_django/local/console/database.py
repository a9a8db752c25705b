"""How many connections there are on each side of the pooler: clients of PgBouncer, backends of PostgreSQL."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from serverless_django.local.pgbouncer import STATISTICS_USER

BACKENDS = """
    SELECT CASE WHEN state = 'active' THEN 'active' WHEN state LIKE 'idle in%%' THEN 'in transaction' ELSE 'idle' END,
           count(*)::int
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = %s GROUP BY 1
"""
FIGURES = "SELECT current_setting('max_connections')::int, pg_postmaster_start_time()"


@dataclass
class ConnectionCounts:
    """Blocks for a millisecond: call it beside the event loop.  Connects again after a restart."""

    conninfo: str
    """Of PostgreSQL's superuser, past the pooler."""

    pooler: str | None
    """Of PgBouncer's own statistics; None where there is no PgBouncer."""

    user: str
    _server: "psycopg.Connection[Any] | None" = field(default=None, init=False)
    _pooler: "psycopg.Connection[Any] | None" = field(default=None, init=False)

    def read(self) -> Mapping[str, Any]:
        """Return `clients` and `backends` by state, or what keeps us from knowing as `error`."""
        try:
            return {"backends": self._backends(), **self._figures(), **self._clients()}
        except psycopg.Error as error:
            self.close()
            return {"error": str(error).strip().splitlines()[0] if str(error) else type(error).__name__}

    def close(self) -> None:
        for connection in (self._server, self._pooler):
            if connection is not None:
                with contextlib.suppress(psycopg.Error):
                    connection.close()
        self._server = self._pooler = None

    def _backends(self) -> dict[str, int]:
        if self._server is None:
            self._server = psycopg.connect(self.conninfo, autocommit=True, connect_timeout=2)
        return dict(self._server.execute(BACKENDS, [self.user]).fetchall())

    def _figures(self) -> dict[str, Any]:
        assert self._server is not None
        row = self._server.execute(FIGURES).fetchone()
        assert row is not None
        return {"max_connections": row[0], "started": row[1].timestamp()}

    def _clients(self) -> dict[str, Any]:
        if self.pooler is None:
            return {"clients": None}
        if self._pooler is None:
            # Its console speaks the simple protocol alone, and knows no transactions.
            self._pooler = psycopg.connect(
                self.pooler, autocommit=True, connect_timeout=2, cursor_factory=psycopg.ClientCursor
            )
        pools = [row for row in self._show("SHOW POOLS") if row["user"] == self.user]
        active, waiting = (sum(int(pool[name]) for pool in pools) for name in ("cl_active", "cl_waiting"))
        return {"clients": {"active": active, "waiting": waiting}}

    def _show(self, command: str) -> list[dict[str, Any]]:
        assert self._pooler is not None
        cursor = self._pooler.execute(command.encode())
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def pooler_conninfo(host: str, port: int) -> str:
    """Return the connection string for the statistics of the PgBouncer at `host` and `port`."""
    return f"host={host} port={port} dbname=pgbouncer user={STATISTICS_USER} sslmode=require"
