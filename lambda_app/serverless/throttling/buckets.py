"""Buckets that leak: each write takes one of so many a minute, and they come back evenly.

In PostgreSQL a bucket is the moment at which it will be full again, moved on by one statement for
the member and the address together, by the clock of the database.  Its table is unlogged: a crash
of the database empties it, and nobody minds.  In the cache it is a counter of the running minute.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.core.cache import cache

from lambda_app.serverless.tasks.statements import run_statement

PERIOD = timedelta(minutes=1)

TAKE = """
    INSERT INTO serverless_throttle AS bucket (id, full_at) VALUES (%s::uuid, statement_timestamp() + %s)
    ON CONFLICT (id) DO UPDATE SET full_at = greatest(bucket.full_at, statement_timestamp()) + %s
    WHERE greatest(bucket.full_at, statement_timestamp()) + %s <= statement_timestamp() + %s
    RETURNING 1
"""
PURGE = "DELETE FROM serverless_throttle WHERE full_at < statement_timestamp()"


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many writes a minute, also all at once."""

    owner: str
    """Whose it is, such as "member" and the subject of the token."""

    per_minute: int

    @property
    def id(self) -> UUID:
        return UUID(bytes=sha256(self.owner.encode()).digest()[:16])

    @property
    def cost(self) -> timedelta:
        """How long until what one write took has come back."""
        return PERIOD / self.per_minute


def take_from_database(buckets: Sequence[Bucket]) -> Bucket | None:
    """Take one write from each, and return a bucket that has none left, or None.

    The order is the caller's, and always the same, so that two requests wait for each other instead of deadlocking.
    """
    if not buckets:
        return None
    parts = ", ".join(f"taken_{number} AS ({TAKE})" for number in range(len(buckets)))
    counts = ", ".join(f"(SELECT count(*) FROM taken_{number})" for number in range(len(buckets)))  # noqa: S608
    values = [value for bucket in buckets for value in (bucket.id, *3 * [bucket.cost], PERIOD)]
    [taken] = run_statement(f"WITH {parts} SELECT {counts}", values)
    return next((bucket for bucket, count in zip(buckets, taken, strict=True) if not count), None)


def take_from_cache(buckets: Sequence[Bucket]) -> Bucket | None:
    """Do the same in Django's cache.  Raise ValueError if it cannot count."""
    minute = int(time.time() // PERIOD.total_seconds())
    counts = [(bucket, _count(f"throttle:{bucket.id}:{minute}")) for bucket in buckets]
    return next((bucket for bucket, count in counts if count > bucket.per_minute), None)


def purge() -> None:
    """Forget the buckets that are full."""
    run_statement(PURGE)


def _count(name: str) -> int:
    # Whoever is first makes the counter; whoever comes with it at the same time finds it there.
    cache.add(name, 0, 2 * PERIOD.total_seconds())
    return int(cache.incr(name))
