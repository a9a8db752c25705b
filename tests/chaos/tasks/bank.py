"""A bank whose books show at once what was lost and what was done twice.

An order is placed in a transaction that enqueues its transfer; a transfer writes the ledger, moves a
balance and enqueues a notice; a notice is a row.  Every stage should hold each key exactly once.
"""

import msgspec
from django.db import connection, transaction
from django.tasks import task, task_backends


class Transfer(msgspec.Struct, frozen=True):
    key: str
    account: int
    amount: int


class PoisonError(ValueError):
    """A transfer that never succeeds."""


class Notice(msgspec.Struct, frozen=True):
    key: str


@task(queue_name="default")
def transfer_one(key: str, account: int, amount: int) -> None:
    _transfer([Transfer(key, account, amount)])


@task(queue_name="likes")
def transfer_all(transfers: list[Transfer]) -> None:
    _transfer(msgspec.convert(transfers, list[Transfer]))


@task(queue_name="views")
def note_all(notices: list[Notice]) -> None:
    keys = [notice.key for notice in msgspec.convert(notices, list[Notice])]
    execute("INSERT INTO bank_notice SELECT unnest(%s::text[])", [keys])


def place_orders(transfers: list[Transfer]) -> None:
    """Place those of `transfers` that are not placed yet; every tenth is transferred by itself."""
    with transaction.atomic():
        placed = {
            key for (key,) in execute("SELECT key FROM bank_order WHERE key = ANY (%s)", [[t.key for t in transfers]])
        }
        new = [transfer for transfer in transfers if transfer.key not in placed]
        _insert("bank_order", new)
        enqueue_transfers(new)


def enqueue_transfers(transfers: list[Transfer]) -> None:
    backend = task_backends["default"]
    single = [transfer for transfer in transfers if int(transfer.key[1:]) % 10 == 0]
    bulk = [transfer for transfer in transfers if transfer not in single]
    backend.enqueue_many(transfer_one, [((), msgspec.to_builtins(transfer)) for transfer in single])
    backend.enqueue_many(transfer_all, [(([msgspec.to_builtins(transfer)],), {}) for transfer in bulk])


def _transfer(transfers: list[Transfer]) -> None:
    if any(transfer.key.startswith("poison") for transfer in transfers):
        raise PoisonError("never succeeds")
    write_transfers(transfers)
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
