"""A message id → its receipt, written in the transaction of the effect: a second worker waits, finds it, and stops.

Receipts are kept for at least five weeks, longer than any copy of a message can exist: SQS keeps a message for up to 14
days in a queue, and goes on counting in the dead-letter queue.  No command redrives an older message.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from serverless_django.postgresql.cursors import array_of, run_statement

WEEKS = 8
"""Partitions in the ring, as the migration made them."""

WEEK_SECONDS = 7 * 24 * 3600

RETENTION = timedelta(weeks=5)
"""Age of a message after which its receipt may be gone, so that a copy would run again."""

_USUAL_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Straight into the partition, which takes half the time of finding it for each row.  In the order of the keys:
# two workers with the same messages wait for each other instead of deadlocking.  The ids are put together, and
# come back, only if some had a receipt.
CLAIM = """
    WITH claimed AS (
        INSERT INTO serverless_receipt_{week} (week, id)
        SELECT {week}, id FROM unnest(%s::uuid[]) AS claim (id) ORDER BY id
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT new.number = {number}, CASE WHEN new.number < {number} THEN (SELECT array_agg(id::text) FROM claimed) END
    FROM (SELECT count(*) FROM claimed) AS new (number)
"""


class ReceiptKey(NamedTuple):
    """What identifies a call forever: its id, and the week of its message's own time."""

    id: str
    """A UUID in its usual form."""

    week: int

    @classmethod
    def of(cls, message_id: str, enqueued_at: datetime) -> Self:
        return cls(_uuid_of(message_id), int(enqueued_at.timestamp()) // WEEK_SECONDS % WEEKS)


def claim(keys: Sequence[ReceiptKey]) -> set[str]:
    """Write receipts for `keys` and return the ids of those that had none.

    Waits for a transaction that is writing one of them.  Call it in the transaction of the effect.
    """
    weeks: dict[int, set[str]] = {}
    for key in keys:
        weeks.setdefault(key.week, set()).add(key.id)
    return set().union(*(_claim_in(week, weeks[week]) for week in sorted(weeks)))


def release(keys: Sequence[ReceiptKey]) -> None:
    """Delete the receipts with `keys`, in the transaction that wrote them."""
    for week in sorted({key.week for key in keys}):
        ids = array_of([key.id for key in keys if key.week == week])
        run_statement("DELETE FROM serverless_receipt WHERE week = %s AND id = ANY (%s::uuid[])", [week, ids])


def is_claimed(key: ReceiptKey) -> bool:
    """Return whether there is a receipt, without waiting for one that is being written."""
    statement = "SELECT 1 FROM serverless_receipt WHERE week = %s AND id = %s::uuid"
    return bool(run_statement(statement, [key.week, key.id]))


def _claim_in(week: int, ids: set[str]) -> set[str]:
    [(is_new, claimed)] = run_statement(CLAIM.format(week=week, number=len(ids)), [array_of(list(ids))])
    return ids if is_new else set(claimed or ())


def _uuid_of(message_id: str) -> str:
    if _USUAL_FORM.fullmatch(message_id):
        return message_id
    try:
        return str(UUID(message_id))
    except ValueError:
        return str(uuid5(NAMESPACE_OID, message_id))
