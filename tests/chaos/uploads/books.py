"""What became of every photo, written down by the database itself, for every change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from serverless_django.local.postgresql import PORT, SUPERUSER
from serverless_django.local.running import RunningCloud

# With the rights of its owner: the functions' role may not write here.
OPEN_BOOKS = """
    CREATE TABLE IF NOT EXISTS chaos_settlement (photo uuid NOT NULL, state text NOT NULL, xid text NOT NULL);
    CREATE OR REPLACE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO public.chaos_settlement VALUES (new.id, new.state, pg_current_xact_id()::text);
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER chaos_note AFTER UPDATE ON feed_photo FOR EACH ROW
        WHEN (new.state <> 'pending' AND (old.state, old.renditions) IS DISTINCT FROM (new.state, new.renditions))
        EXECUTE FUNCTION chaos_note();
"""
CLOSE_BOOKS = "DROP TRIGGER chaos_note ON feed_photo; DROP FUNCTION chaos_note; DROP TABLE chaos_settlement"

# As if so much time had passed for every photo that still waits.
PASS_TIME = """
    UPDATE feed_photo SET created_at = created_at - interval '11 min', check_after = check_after - interval '11 min',
        rendering_until = rendering_until - interval '11 min'
    WHERE state = 'pending'
"""


@dataclass
class Books:
    """Speaks to PostgreSQL itself, as its superuser."""

    connection: "psycopg.Connection[Any]"

    def pass_time(self) -> int:
        """Make every pending photo eleven minutes older and return how many there are."""
        return self.connection.execute(PASS_TIME).rowcount

    def pending(self) -> int:
        return int(self._one("SELECT count(*) FROM feed_photo WHERE state = 'pending'"))

    def states(self) -> dict[str, str]:
        return {str(photo): state for photo, state in self.connection.execute("SELECT id, state FROM feed_photo")}

    def renditions(self) -> dict[str, set[str]]:
        """Return the names that the row of each photo gives."""
        rows = self.connection.execute("SELECT id, renditions FROM feed_photo")
        return {str(photo): {item["name"] for item in renditions} for photo, renditions in rows}

    def settled_more_than_once(self) -> int:
        return int(
            self._one(
                "SELECT count(*) FROM (SELECT 1 FROM chaos_settlement GROUP BY photo HAVING count(*) > 1) AS twice"
            )
        )

    def _one(self, statement: str) -> Any:
        row = self.connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def open_books(cloud: RunningCloud, state: Path) -> Iterator[Books]:
    sockets = (state / "sockets").read_text()
    conninfo = f"host={sockets} port={PORT} dbname={cloud.variables['DATABASE_NAME']} user={SUPERUSER}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(OPEN_BOOKS)
        try:
            yield Books(connection)
        finally:
            connection.execute(CLOSE_BOOKS)
