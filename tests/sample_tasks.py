"""Tasks that do what a test wants to see."""

from django.db import transaction
from django.tasks import TaskContext, task

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


def not_a_task() -> None:
    calls.append("called")
