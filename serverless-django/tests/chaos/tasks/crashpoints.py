"""Every boundary of input and output, each struck once: before and after each statement, commit and call of SQS.

Run as a module it enumerates one kind ("ours" or "naive") and one fault ("kill" or "cut") and prints one
JSON line: how many points there are, and which of them leave the books wrong after all retries.
"""

import functools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg

# First: it declares the bank's tasks before anything reads the topology.
from tests.chaos.tasks.nursery import Poller, poll_once, transfer_of  # isort: skip

from django.db import connection, transaction

from serverless_django.handlers.sqs import handler
from serverless_django.local.processes import die_with_parent
from serverless_django.maintenance import sweep_outbox
from serverless_django.tasks import outbox, sqs
from serverless_django.tasks.sqs import QueueUnavailableError
from tests.chaos.tasks import bank, books, yardsticks

ORDERS = 3
TRANSFERS = [transfer_of(number) for number in range(ORDERS)]
"""The first is transferred by itself, the others in bulk."""

BOOKS = (ORDERS, ORDERS, ORDERS, sum(transfer.amount for transfer in TRANSFERS))
AUDIT = """
    SELECT (SELECT count(*) FROM bank_order), (SELECT count(*) FROM bank_ledger), (SELECT count(*) FROM bank_notice),
           (SELECT sum(balance)::int FROM bank_account)
"""
FIRED = 77
"""Exit status of a process whose point was reached and that went on."""


class Points:
    """Counts boundaries and strikes at one of them."""

    def __init__(self, target: int, fault: str) -> None:
        self.reached, self.target, self.fault = 0, target, fault

    def around[Result](self, function: Callable[..., Result], *, is_database: bool) -> Callable[..., Result]:
        @functools.wraps(function)
        def struck(*args: Any, **kwargs: Any) -> Result:
            self._reach(is_database=is_database, is_over=False)
            result = function(*args, **kwargs)
            self._reach(is_database=is_database, is_over=True)
            return result

        return struck

    def _reach(self, *, is_database: bool, is_over: bool) -> None:
        self.reached += 1
        if self.reached != self.target:
            return
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if not is_database:
            raise QueueUnavailableError("the answer is lost" if is_over else "there is no answer")
        _cut()
        if is_over:
            raise psycopg.OperationalError("server closed the connection unexpectedly")


def instrument(points: Points) -> None:
    psycopg.Cursor.execute = points.around(psycopg.Cursor.execute, is_database=True)  # type: ignore[method-assign]
    psycopg.Connection.commit = points.around(psycopg.Connection.commit, is_database=True)  # type: ignore[method-assign]
    sqs._call = points.around(sqs._call, is_database=False)
    Poller.call = points.around(Poller.call, is_database=False)  # type: ignore[method-assign]


def _cut() -> None:
    if connection.connection is not None and not connection.connection.closed:
        duplicate = socket.socket(fileno=os.dup(connection.connection.fileno()))
        duplicate.shutdown(socket.SHUT_RDWR)
        duplicate.close()


def place_ours() -> None:
    bank.place_orders(TRANSFERS)


def place_naively() -> None:
    yardsticks.place_orders(TRANSFERS)


def place_and_leave_to_the_sweep() -> None:
    outbox.Dispatch._paused_until = time.monotonic() + 60
    bank.place_orders(TRANSFERS)


def transfer(handle: Any) -> None:
    for queue in ("default", "likes"):
        poll_once(_poller(), queue, 10, handle)


def note(handle: Any) -> None:
    poll_once(_poller(), "views", 10, handle)


def sweep() -> None:
    if not connection.connection:
        connection.ensure_connection()
    bank.execute("UPDATE serverless_outbox SET send_after = '-infinity'", [])
    sweep_outbox.call()


def _poller() -> Poller:
    return Poller(os.environ["AWS_ENDPOINT_URL"])


OURS = functools.partial(transfer, handler), functools.partial(note, handler)
NAIVE = functools.partial(transfer, yardsticks.HANDLERS["naive"]), functools.partial(note, yardsticks.HANDLERS["naive"])

# What is struck, and what goes well before it.
STAGES: dict[str, dict[str, tuple[Callable[[], None], tuple[Callable[[], None], ...]]]] = {
    "ours": {
        "enqueue": (place_ours, ()),
        "relay": (sweep, (place_and_leave_to_the_sweep,)),
        "worker": (OURS[0], (place_ours,)),
        "bulk worker": (OURS[1], (place_ours, OURS[0])),
    },
    "naive": {
        "enqueue": (place_naively, ()),
        "worker": (NAIVE[0], (place_naively,)),
        "second worker": (NAIVE[1], (place_naively, NAIVE[0])),
    },
}


def drain(kind: str) -> None:
    """Let the client, the relay and the workers try again until nothing is left."""
    place, handle = (place_ours, handler) if kind == "ours" else (place_naively, yardsticks.HANDLERS["naive"])
    for _ in range(6):
        outbox.Dispatch._paused_until = 0.0
        place()
        if kind == "ours":
            sweep()
        _poller().call("ShowAll", "any")
        transfer(handle)
        note(handle)


def enumerate_points(kind: str, fault: str) -> dict[str, Any]:
    violations, counts = [], {}
    for stage, (struck, before) in STAGES[kind].items():
        number = 0
        while True:
            _reset()
            _in_child(lambda before=before: [step() for step in before])  # type: ignore[misc]
            if not _strike(struck, Points(number + 1, fault)):
                break
            number += 1
            _in_child(functools.partial(drain, kind))
            if (found := _audit()) != BOOKS:
                violations.append({"stage": stage, "point": number, "books": found})
        counts[stage] = number
        connection.close()
    return {"kind": kind, "fault": fault, "points": counts, "violations": violations}


def _strike(stage: Callable[[], None], points: Points) -> bool:
    """Run `stage` with a fault in its own process; return whether the point was reached."""

    def run() -> None:
        instrument(points)
        try:
            stage()
        except Exception:  # noqa: BLE001 - what a fault leads to is for the books to say
            os._exit(FIRED if points.reached >= points.target else 1)
        os._exit(FIRED if points.reached >= points.target else 0)

    status = _in_child(run)
    return os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == FIRED


def _in_child(run: Callable[[], object]) -> int:
    connection.close()
    if pid := os.fork():
        return os.waitpid(pid, 0)[1]
    die_with_parent()()
    run()
    os._exit(0)


def _reset() -> None:
    _poller().call("Clear", "any")
    with transaction.atomic():
        for statement in books.CLEAR.split(";"):
            if statement.strip():
                bank.execute(statement, [])


def _audit() -> tuple[object, ...]:
    return bank.execute(AUDIT, [])[0]


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    # Workers log to their standard output, as on Lambda.
    os.dup2(2, 1)
    print(json.dumps(enumerate_points(*sys.argv[1:3])), file=answers, flush=True)
