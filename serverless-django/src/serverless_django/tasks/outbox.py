"""A call → a row in the caller's transaction → SQS after the commit, or with the next sweep.

The row is the promise and goes only when SQS has accepted the message.  Sending right after the
commit makes it fast; the sweep, which reads what was committed, makes it certain.  A message that
was sent twice has the same id, and one receipt.  What has a group leaves in the order of commits.
"""

# Django's TaskResult is generic for the type checker only.
from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import DatabaseError, transaction
from django.tasks import TaskResult
from django.tasks.signals import task_enqueued
from django.utils import timezone

from serverless_django.postgresql.cursors import run_statement
from serverless_django.tasks.commits import tell
from serverless_django.tasks.groups import group_in
from serverless_django.tasks.ordered import OrderedDelivery
from serverless_django.tasks.rows import MAX_DELAY, Call, delete_rows
from serverless_django.tasks.sqs import Outgoing, QueueFaultError, QueueUnavailableError, is_fifo, send_messages

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
"""How long a process may take to send leased rows.  With a sweep each minute a call is sent within 90 s."""

OVERDUE_AFTER = timedelta(minutes=5)
"""A call that is due for longer has missed several sweeps."""

ROWS_PER_SWEEP = 100
DISPATCH_SECONDS = 2.0
"""A request sends what waits in its FIFO groups for no longer; the next sender goes on."""

PAUSE_SECONDS = 10.0
"""After SQS has failed, committed calls are left to the sweep for so long instead of making each request wait."""

INSERT = """
    INSERT INTO serverless_outbox (id, queue, message_group, body, priority, run_after, send_after)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::timestamptz[],
                         %s::timestamptz[])
"""
LEASE_ROWS = """
    UPDATE serverless_outbox SET send_after = statement_timestamp() + %s
    WHERE id IN (
        SELECT id FROM serverless_outbox WHERE send_after <= statement_timestamp() AND queue = ANY (%s::text[])
        ORDER BY send_after LIMIT %s FOR UPDATE SKIP LOCKED
    )
    RETURNING id::text, queue, message_group, body, priority, run_after
"""
OVERDUE = """
    SELECT queue, count(*) FROM serverless_outbox
    WHERE send_after <= statement_timestamp() + %s
    AND (queue <> ALL (%s::text[]) OR coalesce(run_after, created_at) < statement_timestamp() - %s)
    GROUP BY queue ORDER BY queue
"""


def write(calls: Sequence[Call]) -> None:
    """Insert `calls` in the caller's transaction."""
    rows = [
        (call.id, call.queue, call.group, call.body, call.priority, call.run_after, _send_after(call)) for call in calls
    ]
    run_statement(INSERT, [list(column) for column in zip(*rows, strict=True)])


def send_after_commit(calls: Sequence[Call], results: Sequence[TaskResult[Any, Any]], urls: Mapping[str, str]) -> None:
    """Send `calls`, whose rows are written, after the transaction has committed, or now if none is open.

    `results` are Django's of the same calls; `urls` are the URLs of the queues by their names.
    """
    connection = transaction.get_connection()
    pending = connection.run_on_commit[-1] if connection.run_on_commit else None
    # One dispatch for all calls of a transaction, and another for a savepoint, which may be rolled back alone.
    if pending and isinstance(pending[1], Dispatch) and pending[0] == set(connection.savepoint_ids):
        pending[1].add(calls, results)
    else:
        connection.on_commit(Dispatch(calls, results, urls), robust=True)


class Dispatch:
    """What a transaction enqueued, sent when it is called.  It raises nothing: the rows are safe."""

    _paused_until = 0.0

    def __init__(self, calls: Sequence[Call], results: Sequence[TaskResult[Any, Any]], urls: Mapping[str, str]) -> None:
        self._calls, self._results, self._urls = list(calls), list(results), urls

    def add(self, calls: Sequence[Call], results: Sequence[TaskResult[Any, Any]]) -> None:
        """Send `calls` with the others after the commit; `results` are Django's of the same calls."""
        self._calls += calls
        self._results += results

    def __call__(self) -> None:
        for result in self._results:
            tell(task_enqueued, result)
        now = time.monotonic()
        if now < Dispatch._paused_until:
            return
        try:
            deliver([call for call in self._calls if call.is_due], self._urls, until=now + DISPATCH_SECONDS)
        except (QueueUnavailableError, DatabaseError) as error:
            Dispatch._paused_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("%d calls are left to the sweep: %s", len(self._calls), error)


def deliver(calls: Sequence[Call], urls: Mapping[str, str], *, until: float = math.inf) -> int:
    """Send `calls`, delete the rows of those that SQS accepted, and return their number.

    `urls` are the URLs of the queues by their names; the calls for a queue without a URL keep their rows.  Earlier
    calls of the same FIFO groups are sent first, until the monotonic clock shows `until`.

    Raise QueueUnavailableError if SQS cannot be asked; the rows of what it had accepted until then are deleted.
    """
    ordered = [call for call in calls if call.group]
    sent = _deliver_unordered([call for call in calls if not call.group], urls)
    delivery = OrderedDelivery({call.id for call in ordered}, partial(_send, urls=urls), lease=LEASE, until=until)
    return sent + delivery.run({(call.queue, call.group) for call in ordered})


def _deliver_unordered(calls: Sequence[Call], urls: Mapping[str, str]) -> int:
    accepted: list[str] = []
    try:
        for queue, group in groupby(sorted(calls, key=attrgetter("queue")), key=attrgetter("queue")):
            accepted += _send(queue, list(group), urls)
    finally:
        delete_rows(accepted)
    return len(accepted)


def sweep(urls: Mapping[str, str], *, until: float) -> int:
    """Lease and send the calls that are not sent, until none is left or the monotonic clock shows `until`.

    Rows of queues that `urls` lacks stay as they are.  Return how many were sent.  Raise
    QueueUnavailableError if SQS cannot be asked.
    """
    sent = 0
    while time.monotonic() < until and (calls := _lease(list(urls))):
        sent += deliver(sorted(calls, key=lambda call: -call.priority), urls, until=until)
    return sent


def count_overdue(urls: Mapping[str, str]) -> dict[str, int]:
    """Return by queue how many calls are due that `urls` has no queue for, or that several sweeps did not send."""
    return dict(run_statement(OVERDUE, [LEASE, list(urls), OVERDUE_AFTER]))


def _lease(queues: Sequence[str]) -> list[Call]:
    rows = run_statement(LEASE_ROWS, [LEASE, list(queues), ROWS_PER_SWEEP])
    names = ("id", "queue", "group", "body", "priority", "run_after")
    # Ids are in the order of time.
    return [Call(**dict(zip(names, row, strict=True))) for row in sorted(rows)]


def _send(queue: str, calls: Sequence[Call], urls: Mapping[str, str]) -> list[str]:
    """Return the ids of those that SQS accepted."""
    if queue not in urls:
        logger.warning("%d calls are left to the sweep: queue %r is not declared", len(calls), queue)
        return []
    try:
        refused = send_messages(urls[queue], [_outgoing(call, urls[queue]) for call in calls])
    except QueueFaultError as error:
        # Not raised: the calls of other queues would wait for this one.
        logger.warning("%d calls are left to the sweep: %s", len(calls), error)
        return []
    for call_id, reason in refused.items():
        logger.warning("call %s is left to the sweep, SQS refused it: %s", call_id, reason)
    return [call.id for call in calls if call.id not in refused]


def _outgoing(call: Call, url: str) -> Outgoing:
    message = call.outgoing()
    # Written before its queue became FIFO, or moved to one.
    return replace(message, group=group_in(call.body)) if is_fifo(url) and not call.group else message


def _send_after(call: Call) -> datetime:
    now = timezone.now()
    # Two minutes early: the sweep comes each minute, and SQS waits for the rest.
    early = timedelta(0) if call.group else MAX_DELAY - timedelta(minutes=2)
    return now + LEASE if call.is_due or call.run_after is None else call.run_after - early
