"""Buckets that leak: what is done takes from a number in a period, which comes back evenly.

In PostgreSQL a bucket is the moment at which it will be full again.  One statement moves those of
the member and the address together, by the clock of the database.  The table is unlogged: a crash
of the database fills every bucket.  In the cache a bucket is a counter of the running period.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.core.cache import cache

from serverless_django.postgresql.cursors import run_statement

MINUTE = timedelta(minutes=1)

TAKE = """
    INSERT INTO serverless_throttle AS bucket (id, full_at) SELECT %s::uuid, statement_timestamp() + %s FROM {before}
    ON CONFLICT (id) DO UPDATE SET full_at = greatest(bucket.full_at, statement_timestamp()) + %s
    WHERE greatest(bucket.full_at, statement_timestamp()) + %s <= statement_timestamp() + %s
    RETURNING 1
"""
PURGE = "DELETE FROM serverless_throttle WHERE full_at < statement_timestamp()"


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most `limit` in each `period`, also all at once, of which `amount` is asked for now."""

    owner: str
    """Whose it is, such as "member" and the subject of the token."""

    limit: int
    period: timedelta = MINUTE
    amount: int = 1

    @property
    def id(self) -> UUID:
        return UUID(bytes=sha256(self.owner.encode()).digest()[:16])

    @property
    def cost(self) -> timedelta:
        """How long until what was taken has come back."""
        return self.period / self.limit * self.amount


def take_from_database(buckets: Sequence[Bucket]) -> Bucket | None:
    """Take from each of `buckets` in turn, and return the first that has too little left, or None if all had enough.

    Nothing is taken from that bucket and those behind it.  Every caller passes buckets of the same kinds in the same
    order, so that two requests wait for each other instead of deadlocking.
    """
    # A fresh bucket would grant it: the statement looks at what was taken before.
    hopeless = next((bucket for bucket in buckets if bucket.amount > bucket.limit), None)
    if hopeless or not buckets:
        return hopeless
    parts = ", ".join(
        f"taken_{number} AS ({TAKE.format(before=f'taken_{number - 1}' if number else '(SELECT 1)')})"
        for number in range(len(buckets))
    )
    counts = ", ".join(f"(SELECT count(*) FROM taken_{number})" for number in range(len(buckets)))  # noqa: S608
    values = [value for bucket in buckets for value in (bucket.id, *3 * [bucket.cost], bucket.period)]
    [taken] = run_statement(f"WITH {parts} SELECT {counts}", values)
    return next((bucket for bucket, count in zip(buckets, taken, strict=True) if not count), None)


def take_from_cache(buckets: Sequence[Bucket]) -> Bucket | None:
    """Take from each of `buckets` as `take_from_database` does, in Django's cache.

    Raise ValueError if the cache cannot count.
    """
    return next((bucket for bucket in buckets if _count(bucket) > bucket.limit), None)


def purge() -> None:
    """Forget the buckets that are full."""
    run_statement(PURGE)


def _count(bucket: Bucket) -> int:
    seconds = bucket.period.total_seconds()
    name = f"throttle:{bucket.id}:{int(time.time() // seconds)}"
    # Without effect if another request has made the counter.
    cache.add(name, 0, 2 * seconds)
    return int(cache.incr(name, bucket.amount))
