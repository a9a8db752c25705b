"""A bank whose books show at once what was lost and what was done twice.

An order is placed in a transaction that enqueues its transfer; a transfer writes the ledger, moves a
balance and enqueues a notice; a notice is a row.  Every stage should hold each key exactly once.
Every tenth order also has a line in the statement of its group, on a FIFO queue: in the order of commits.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec
from django.db import connection, transaction
from django.tasks import task_backends

from serverless_django.tasks import task


class Transfer(msgspec.Struct, frozen=True):
    key: str
    account: int
    amount: int


class PoisonError(ValueError):
    """A transfer that never succeeds."""


UNLUCKY_LINES, UNLUCKY_CALLBACKS = 0.02, 0.02


def _raise(error: BaseException) -> None:
    raise error


def _cut_connection() -> None:
    execute("SELECT pg_terminate_backend(pg_backend_pid())", [])


def _miss_a_lock() -> None:
    execute("DO $$ BEGIN RAISE EXCEPTION 'locked' USING ERRCODE = '55P03'; END $$", [])


MISDEEDS: dict[str, Callable[[], None]] = {
    "raises": partial(_raise, PoisonError("never succeeds")),
    "kills": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exits": lambda: os._exit(3),
    "leaves": partial(_raise, SystemExit(1)),
    "cancels": partial(_raise, asyncio.CancelledError()),
    "lock": _miss_a_lock,
    "cuts": _cut_connection,
}
"""What a poisoned transfer does, by the second word of its key; the last one looks like an outage."""


class Notice(msgspec.Struct, frozen=True):
    key: str


@task(queue_name="default")
def transfer_one(key: str, account: int, amount: int) -> None:
    _transfer([Transfer(key, account, amount)])


@task(queue_name="likes", bulk=True)
def transfer_all(transfers: list[Transfer]) -> None:
    _transfer(transfers)


@task(queue_name="statements", group_by="name", retry_after=timedelta(milliseconds=500))
def write_line(name: str, number: int) -> None:
    if name.startswith("poison"):
        raise PoisonError("never succeeds")
    if random.random() < UNLUCKY_LINES:
        raise LookupError("succeeds the next time, and everything behind it waits")
    execute("INSERT INTO bank_line (name, number) VALUES (%s, %s)", [name, number])


@task(queue_name="views", bulk=True)
def note_all(notices: list[Notice]) -> None:
    execute("INSERT INTO bank_notice SELECT unnest(%s::text[])", [[notice.key for notice in notices]])


def place_orders(transfers: list[Transfer]) -> None:
    """Place those of `transfers` that are not placed yet; every tenth is transferred by itself."""
    with transaction.atomic():
        placed = {
            key for (key,) in execute("SELECT key FROM bank_order WHERE key = ANY (%s)", [[t.key for t in transfers]])
        }
        new = [transfer for transfer in transfers if transfer.key not in placed]
        _insert("bank_order", new)
        enqueue_transfers(new)
        enqueue_lines(new)


def enqueue_transfers(transfers: list[Transfer]) -> None:
    backend = task_backends["default"]
    single = [transfer for transfer in transfers if int(transfer.key[1:]) % 10 == 0]
    bulk = [transfer for transfer in transfers if transfer not in single]
    backend.enqueue_many(transfer_one, [((), msgspec.to_builtins(transfer)) for transfer in single])
    backend.enqueue_many(transfer_all, [(([msgspec.to_builtins(transfer)],), {}) for transfer in bulk])


def enqueue_lines(transfers: list[Transfer]) -> None:
    # Locked in one order everywhere.
    for name in sorted(f"g{transfer.account % 10}" for transfer in transfers if int(transfer.key[1:]) % 10 == 5):
        [(number,)] = execute("UPDATE bank_group SET lines = lines + 1 WHERE name = %s RETURNING lines", [name])
        write_line.enqueue(name=name, number=number)


def _transfer(transfers: list[Transfer]) -> None:
    for transfer in transfers:
        if transfer.key.startswith("poison"):
            MISDEEDS[transfer.key.split("-")[1]]()
    write_transfers(transfers)
    if random.random() < UNLUCKY_CALLBACKS:
        transaction.on_commit(partial(_raise, LookupError("after the commit")))
    task_backends["default"].enqueue_many(note_all, [(([{"key": transfer.key}],), {}) for transfer in transfers])


def write_transfers(transfers: list[Transfer]) -> None:
    _insert("bank_ledger", transfers)
    moved: dict[int, int] = {}
    for transfer in transfers:
        moved[transfer.account] = moved.get(transfer.account, 0) + transfer.amount
    accounts = sorted(moved)
    execute("SELECT FROM bank_account WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", [accounts])
    execute(
        "UPDATE bank_account SET balance = balance + amount"
        " FROM unnest(%s::int[], %s::int[]) AS moved (account, amount) WHERE id = account",
        [accounts, [moved[account] for account in accounts]],
    )


def _insert(table: str, transfers: list[Transfer]) -> None:
    columns = [[getattr(transfer, name) for transfer in transfers] for name in ("key", "account", "amount")]
    execute(f"INSERT INTO {table} SELECT * FROM unnest(%s::text[], %s::int[], %s::int[])", columns)  # noqa: S608


def execute(statement: str, parameters: list[object]) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []
