"""A process that has loaded everything and forks a worker at each command, so that a kill costs milliseconds.

Reads lines such as "work likes 200", "once likes 200" (one batch) or "produce 0 1000 2" and answers with the
process id.  A worker is an execution environment of Lambda and the poller before it: poll, call the deployed
handler, acknowledge.
"""

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.tasks.signals import task_enqueued, task_finished, task_started

import tests.chaos.tasks.settings  # noqa: F401 - declares the bank's tasks before anything reads the topology
from serverless_django.handlers.sqs import handler
from serverless_django.local.processes import die_with_parent
from serverless_django.tasks import outbox
from serverless_django.testing import LambdaContext
from tests.chaos.tasks import bank, books, yardsticks

# Time runs faster here, as it does in the broker.
outbox.LEASE = timedelta(seconds=1)
outbox.PAUSE_SECONDS = 0.5

UNLUCKY_RECEIVERS = 0.05


class ReceiverError(BaseException):
    """No Exception: as little as possible catches it."""


def _raise_sometimes(**kwargs: Any) -> None:
    if random.random() < UNLUCKY_RECEIVERS:
        raise random.choice((LookupError, ReceiverError))("of a receiver")


CHUNK = 20
"""Orders placed in one transaction."""

PAUSE_SECONDS = 0.02


class Poller:
    """Lambda's own client of SQS."""

    def __init__(self, url: str) -> None:
        self._address = url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(self._address)

    def call(self, operation: str, queue: str, **request: Any) -> dict[str, Any]:
        body = json.dumps({"QueueUrl": queue, **request})
        self._connection.request("POST", "/", body, {"X-Amz-Target": f"AmazonSQS.{operation}"})
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer


def poll_once(poller: Poller, queue: str, limit: int, handle: Callable[[Any, Any], Any] = handler) -> int:
    """Take a batch, let it be handled, acknowledge what was not reported; return how many were taken."""
    event = poller.call("Poll", queue, Limit=limit)
    if not event["Records"]:
        return 0
    response = handle(event, LambdaContext(remaining_ms=20_000))
    left = {item["itemIdentifier"] for item in response["batchItemFailures"]}
    done = [record["messageId"] for record in event["Records"] if record["messageId"] not in left]
    if done:
        poller.call("Acknowledge", queue, MessageIds=done)
    return len(event["Records"])


def work(queue: str, limit: str, kind: str) -> None:
    poller = Poller(os.environ["AWS_ENDPOINT_URL"])
    handle = {"ours": handler, **yardsticks.HANDLERS}[kind]
    while True:
        if not poll_once(poller, queue, int(limit), handle):
            time.sleep(PAUSE_SECONDS)


def work_once(queue: str, limit: str) -> None:
    poll_once(Poller(os.environ["AWS_ENDPOINT_URL"]), queue, int(limit))


def produce(first: str, last: str, step: str, kind: str) -> None:
    place = {"ours": bank.place_orders}.get(kind, yardsticks.place_orders)
    placed = _insist(lambda: {key for (key,) in bank.execute("SELECT key FROM bank_order", [])})
    keys = [number for number in range(int(first), int(last), int(step)) if f"k{number}" not in placed]
    for start in range(0, len(keys), CHUNK):
        _insist(partial(place, [transfer_of(number) for number in keys[start : start + CHUNK]]))


def transfer_of(number: int) -> bank.Transfer:
    return bank.Transfer(key=f"k{number}", account=number * 7919 % books.ACCOUNTS, amount=number % 97 + 1)


def _insist[Result](ask: Callable[[], Result]) -> Result:
    """A client that got no answer asks again, as long as it takes."""
    from django.db import close_old_connections

    while True:
        try:
            close_old_connections()
            return ask()
        except Exception:  # noqa: BLE001 - whatever it was, the client does not know
            time.sleep(PAUSE_SECONDS)


def main() -> None:
    for signal in (task_enqueued, task_started, task_finished):
        signal.connect(_raise_sometimes)
    roles = {"work": work, "once": work_once, "produce": produce}
    for line in sys.stdin:
        role, *arguments = line.split()
        if pid := os.fork():
            print(pid, flush=True)
        else:
            die_with_parent()()
            # Else each worker would have its parent's luck.
            random.seed()
            _detach()
            roles[role](*arguments)
            os._exit(0)
        _reap()


def _detach() -> None:
    """Leave the commands to the parent, and let the log go where its errors go."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    main()
