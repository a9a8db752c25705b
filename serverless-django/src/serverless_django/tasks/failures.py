"""Failures of a task, counted by call: what an outage returned to the queue does not count.

Nor does what failed before the message was sent: whether SQS itself or an operator sends it again,
it has all its attempts.
"""

from collections.abc import Mapping, Sequence

from serverless_django.contract.task_message import ERROR_LENGTH, TASK_PATH_LENGTH
from serverless_django.postgresql.cursors import array_of, run_statement
from serverless_django.tasks.deliveries import DeliveredCall, TaskFailedError
from serverless_django.tasks.transient_errors import words_of

COUNT = """
    INSERT INTO serverless_failed_call AS stored (id, task, attempts, error)
    SELECT DISTINCT ON (id) * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::text[])
        AS call (id, task, attempts, error)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        attempts = stored.attempts + excluded.attempts, error = excluded.error, failed_at = statement_timestamp()
    RETURNING id::text, attempts
"""
READ = "SELECT id::text, attempts, error FROM serverless_failed_call WHERE id = ANY (%s::uuid[])"
FORGET_OLDER = """
    DELETE FROM serverless_failed_call AS stored USING unnest(%s::uuid[], %s::timestamptz[]) AS call (id, sent_at)
    WHERE stored.id = call.id AND stored.failed_at < call.sent_at
"""
FORGET = "DELETE FROM serverless_failed_call WHERE id = ANY (%s::uuid[])"


UNFINISHED = "the worker ended while it ran this call: out of memory, out of time, or by the task's own doing"


class WorkerEndedError(Exception):
    """A call has ended its worker as often as it may be tried."""

    def __str__(self) -> str:
        return UNFINISHED


def count_failures(calls: Sequence[DeliveredCall]) -> Mapping[str, int]:
    """Write down that each of `calls` has failed, and return how often it has by now, by the id of its receipt.

    An attempt that was noted before it ran is not counted again.
    """
    if not calls:
        return {}
    _forget_older(calls)
    return _count(calls, [int(not call.is_noted) for call in calls], [_reason(call) for call in calls])


def note_attempts(calls: Sequence[DeliveredCall], *, by: int) -> None:
    """Count an attempt of each of `calls`, `by` 1 or 0, that is about to begin: what ends the worker leaves it so."""
    _count(calls, [by] * len(calls), [UNFINISHED] * len(calls))


def read_failures(calls: Sequence[DeliveredCall]) -> Mapping[str, tuple[int, str]]:
    """Return how often each of `calls` has failed since it was sent, and the last reason, by the id of its receipt."""
    if not calls:
        return {}
    _forget_older(calls)
    rows = run_statement(READ, [array_of([call.key.id for call in calls])])
    return {row[0]: (row[1], row[2]) for row in rows}


def forget_failures(calls: Sequence[DeliveredCall]) -> None:
    """Delete what is known of `calls`, in the transaction of their success."""
    if calls:
        forget([call.key.id for call in calls])


def forget(ids: Sequence[str]) -> None:
    """Delete the counted failures of the calls with `ids`."""
    run_statement(FORGET, [array_of(ids)])


def reason_of(error: BaseException) -> str:
    """Return the class and the message of `error`, without characters that PostgreSQL or SQS refuse."""
    cause = (error.__cause__ or error) if isinstance(error, TaskFailedError) else error
    if isinstance(cause, WorkerEndedError):
        return UNFINISHED
    return _printable(f"{type(cause).__module__}.{type(cause).__qualname__}: {words_of(cause)}")[:ERROR_LENGTH]


def _count(calls: Sequence[DeliveredCall], attempts: Sequence[int], errors: Sequence[str]) -> Mapping[str, int]:
    ids = [call.key.id for call in calls]
    tasks = [_printable(call.envelope.task[:TASK_PATH_LENGTH]) for call in calls]
    rows = run_statement(COUNT, [ids, tasks, list(attempts), list(errors)])
    return {str(row[0]): int(row[1]) for row in rows}


def _forget_older(calls: Sequence[DeliveredCall]) -> None:
    run_statement(FORGET_OLDER, [[call.key.id for call in calls], [call.sent_at for call in calls]])


def _reason(call: DeliveredCall) -> str:
    return reason_of(call.error) if call.error else ""


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
