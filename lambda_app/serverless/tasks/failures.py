"""Failures of a task, counted by call: what an outage returned to the queue does not count.

Nor does what failed before the message was sent: whether SQS itself or an operator sends it again,
it has all its attempts.
"""

from collections.abc import Mapping, Sequence

from django.db import transaction

from lambda_app.serverless.tasks import results
from lambda_app.serverless.tasks.deliveries import DeliveredCall, TaskFailedError
from lambda_app.serverless.tasks.statements import ERROR_LENGTH, TASK_PATH_LENGTH, array_of, run_statement

COUNT = """
    INSERT INTO serverless_failed_call AS stored (id, task, attempts, error)
    SELECT DISTINCT ON (id) id, task, 1, error FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS call (id, task, error)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE
    SET attempts = stored.attempts + 1, error = excluded.error, failed_at = statement_timestamp()
    RETURNING id::text, attempts
"""
FORGET_OLDER = """
    DELETE FROM serverless_failed_call AS stored USING unnest(%s::uuid[], %s::timestamptz[]) AS call (id, sent_at)
    WHERE stored.id = call.id AND stored.failed_at < call.sent_at
"""
FORGET = "DELETE FROM serverless_failed_call WHERE id = ANY (%s::uuid[])"


def count_failures(calls: Sequence[DeliveredCall]) -> Mapping[str, int]:
    """Write down that each of `calls` has failed, and return how often it has by now, by the id of its receipt."""
    if not calls:
        return {}
    ids = [call.key.id for call in calls]
    tasks = [call.envelope.task[:TASK_PATH_LENGTH] for call in calls]
    run_statement(FORGET_OLDER, [ids, [call.sent_at for call in calls]])
    return {str(row[0]): int(row[1]) for row in run_statement(COUNT, [ids, tasks, [_reason(call) for call in calls]])}


def forget_failures(calls: Sequence[DeliveredCall]) -> None:
    """Delete what is known of `calls`, in the transaction of their success."""
    if calls:
        forget([call.key.id for call in calls])


def forget(ids: Sequence[str]) -> None:
    run_statement(FORGET, [array_of(ids)])


def store_error(call: DeliveredCall, *, is_final: bool) -> None:
    """Add the failure to the stored result of `call`, if its task keeps results."""
    if call.result is not None:
        with transaction.atomic():
            results.record_error(call.result, is_final=is_final)


def reason_of(error: BaseException) -> str:
    """Return the class and the words of what a task raised, without characters that PostgreSQL or SQS refuse."""
    cause = (error.__cause__ or error) if isinstance(error, TaskFailedError) else error
    text = f"{type(cause).__module__}.{type(cause).__qualname__}: {cause}"
    return "".join(letter if letter.isprintable() else " " for letter in text)[:ERROR_LENGTH]


def _reason(call: DeliveredCall) -> str:
    return reason_of(call.error) if call.error else ""
