"""Tasks that do what a test wants to see."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.tasks import Task, TaskContext

from serverless_django.tasks import task
from serverless_django.tasks.models import FailedCall
from serverless_django.tasks.sqs import QueueFaultError

calls: list[object] = []


def set_options(monkeypatch: Any, task: Task, **options: object) -> None:
    """Give `task` other options until the test ends; refused as they would be at import."""
    replace(task, **options)
    for name, value in options.items():
        monkeypatch.setitem(_FieldsOf(task), name, value)


class _FieldsOf:
    """The fields of a task, which is frozen, as a mapping, which pytest restores."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def get(self, name: str, default: object) -> Any:
        return getattr(self._task, name, default)

    def __setitem__(self, name: str, value: object) -> None:
        object.__setattr__(self._task, name, value)


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


@task(bulk=True)
def note_all(notes: list[Note]) -> None:
    """Write each as a row; the database refuses a text of 1,000 characters."""
    rows = [FailedCall(id=note.id, task="note_all", attempts=1, error=note.text) for note in notes]
    FailedCall.objects.bulk_create(rows)
    calls.append(len(rows))


def not_a_task() -> None:
    calls.append("called")


class RudeError(Exception):
    """Cannot be put into words."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


class CustomBaseError(BaseException):
    """No Exception."""


def _own_cause() -> None:
    error = LookupError("caused by itself")
    error.__cause__ = error.__context__ = error
    raise error


def _overflow() -> None:
    _overflow()


def _in_a_group() -> None:
    raise BaseExceptionGroup("many", [asyncio.CancelledError(), OperationalError("of another server")])


def _chained() -> None:
    try:
        raise OperationalError("of another server")
    except OperationalError:
        raise LookupError("no such row") from None


def _closed_cursor() -> None:
    cursor = connection.cursor()
    cursor.close()
    cursor.execute("SELECT 1")


def _raise(error: BaseException) -> Callable[[], None]:
    def raise_() -> None:
        raise error

    return raise_


ERRORS: dict[str, Callable[[], None]] = {
    "CancelledError": _raise(asyncio.CancelledError()),
    "GeneratorExit": _raise(GeneratorExit()),
    "BaseException": _raise(CustomBaseError()),
    "StopIteration": _raise(StopIteration()),
    "MemoryError": _raise(MemoryError()),
    "RecursionError": _overflow,
    "its text cannot be read": _raise(RudeError()),
    "its own cause": _own_cause,
    "in a group": _in_a_group,
    "NUL": _raise(ValueError("cannot parse 'a\0b'")),
    "half a surrogate pair": _raise(ValueError("no file 'caf\udce9.jpg'")),
    "a megabyte of words": _raise(ValueError("word " * 200_000)),
    "OperationalError of another server": _raise(OperationalError("connection refused")),
    "psycopg.OperationalError": _raise(psycopg.OperationalError("connection refused")),
    "InterfaceError of a closed cursor": _closed_cursor,
    "raised from an OperationalError": _chained,
    "a queue that is gone": _raise(QueueFaultError("AWS.SimpleQueueService.NonExistentQueue")),
    "SystemExit": _raise(SystemExit(1)),
    "KeyboardInterrupt": _raise(KeyboardInterrupt()),
}


@task
def fail_with(name: str) -> None:
    ERRORS[name]()


@task
def fail_in_postgresql(code: str) -> None:
    """Let PostgreSQL raise an error of this code."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'told to' USING ERRCODE = '{code}'; END $$")


@task
def write_and_swallow(code: str) -> None:
    """Write a row, meet an error and go on as if nothing had happened."""
    FailedCall.objects.create(id=uuid4(), task="t", attempts=1, error="written by a task")
    with suppress(DatabaseError):
        fail_in_postgresql.call(code)


@task
def swallow_an_integrity_error() -> None:
    row = FailedCall(id=uuid4(), task="t", attempts=1, error="written by a task")
    row.save(force_insert=True)
    with suppress(IntegrityError):
        row.save(force_insert=True)


@task
def lose_the_connection(how: str) -> None:
    """Take a word of `LOSSES`."""
    LOSSES[how]()


def _terminate_backend() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


LOSSES: dict[str, Callable[[], None]] = {
    "terminated by the server": _terminate_backend,
    "closed by the task": connection.close,
    "closed below Django": lambda: connection.connection.close(),
}


@task
def end_the_process() -> None:
    """As the kernel does when there is no memory left: nothing is caught, and nothing cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


@task
def exit_at_once() -> None:
    os._exit(3)


@task
def call_back(*words: str) -> None:
    """Let each word be noted after the commit; "!" raises there instead, and "!!" what is no Exception."""
    for word in words:
        errors = {"!": LookupError("after the commit"), "!!": CustomBaseError()}
        transaction.on_commit(_raise(errors[word]) if word in errors else partial(calls.append, word))


@task
def enqueue_another(value: object) -> None:
    with transaction.atomic():
        note.enqueue(value)


@task(bulk=True)
def fail_all(errors: list[str]) -> None:
    """A bulk task that raises the first of `ERRORS` that it is given; "" is none."""
    calls.extend(errors)
    for name in filter(None, errors):
        ERRORS[name]()


@task(bulk=True)
def end_with_all(items: list[str]) -> None:
    """A bulk task that ends its process at the item "kill"."""
    if "kill" in items:
        end_the_process.call()
    FailedCall.objects.bulk_create([FailedCall(id=uuid4(), task="bulk", attempts=1, error=item) for item in items])


class Picky(msgspec.Struct):
    text: str

    def __post_init__(self) -> None:
        raise KeyError("its own check")


@task(bulk=True)
def take_all(items: list[Picky]) -> None:
    calls.extend(items)


@task(bulk=True)
def swallow_all(notes: list[Note]) -> None:
    """A bulk task that writes its notes, meets an error and goes on."""
    FailedCall.objects.bulk_create([FailedCall(id=item.id, task="t", attempts=1, error=item.text) for item in notes])
    if any(item.text == "bad" for item in notes):
        swallow_an_integrity_error.call()


@task
def write_row(text: str) -> None:
    FailedCall.objects.create(id=uuid4(), task="single", attempts=1, error=text)


note_value: object = None


@task
def return_the_value() -> object:
    return note_value
