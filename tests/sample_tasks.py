"""Tasks that do what a test wants to see."""

import time
from collections import Counter
from uuid import UUID, uuid4

import msgspec
from django.db import connection, transaction
from django.tasks import TaskContext, task

from lambda_app.serverless.tasks.models import FailedCall

calls: list[object] = []


@task
def note(value: object = None) -> object:
    calls.append(value)
    return value


@task
async def note_async(value: object) -> None:
    calls.append(value)


@task(takes_context=True)
def note_attempt(context: TaskContext, value: object) -> None:
    calls.append((context.attempt, context.task_result.id, value))


@task
def fail() -> None:
    raise LookupError("no such row")


@task
def note_object(bucket: str, key: str) -> None:
    calls.append((bucket, key))


@task
def refuse_odd_objects(bucket: str, key: str) -> None:
    if key.endswith("odd"):
        raise LookupError(key)


@task
def fail_for_object(bucket: str, key: str) -> None:
    raise LookupError(key)


@task
def leave_a_transaction_open() -> None:
    transaction.set_autocommit(False)


@task
def leave() -> None:
    raise SystemExit(1)


@task
def return_an_object() -> object:
    return object()


@task
def note_slowly(value: object) -> None:
    time.sleep(0.1)
    calls.append(value)


@task
def write_and_fail() -> None:
    FailedCall.objects.create(id=uuid4(), task="t", attempts=1, error="written by a task")
    raise LookupError("after writing")


_conflicts: Counter[str] = Counter()


@task
def meet_conflicts(code: str, times: int) -> None:
    """Raise PostgreSQL's error `code` at the first `times` runs."""
    _conflicts[code] += 1
    if _conflicts[code] <= times:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{code}'; END $$")
    calls.append(code)


class Note(msgspec.Struct):
    id: UUID
    text: str


@task
def note_all(notes: list[Note]) -> None:
    """Write each as a row; the database refuses a text of 1,000 characters."""
    rows = [FailedCall(id=note.id, task="note_all", attempts=1, error=note.text) for note in notes]
    FailedCall.objects.bulk_create(rows)
    calls.append(len(rows))


def not_a_task() -> None:
    calls.append("called")
