"""`python -m tests.benchmarks.database.herd WAY SIZE`: so many environments, forked from one that has loaded all."""

import gc
import json
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import django
from django.test import Client

from serverless_django.postgresql.iam_password import sign_token
from tests.benchmarks.http.variants import VARIANTS, Variant
from tests.benchmarks.http.worker import event_for

STARTS_PER_SECOND = 20
"""Lambda adds a hundred a second, each with its own processor; here two cores carry all of them and the rest."""

CALM_SECONDS = 3.0
"""Between the last start and a request of every environment in the same moment, and between that and one more."""

PATH = "/one-query"


@dataclass(frozen=True, slots=True)
class Report:
    """What one environment saw."""

    first_ms: float
    later_ms: list[float]
    statuses: Counter[int] = field(default_factory=Counter)


def read_reports(output: bytes) -> list[Report]:
    return [_report(json.loads(line)) for line in output.splitlines()]


def main(way: str, size: int) -> None:
    """Fork, open the gate, and write a line for each."""
    output = os.dup(1)
    os.dup2(2, 1)
    django.setup()
    VARIANTS[way]()  # only for what it imports: a fork must share neither a connection nor an event loop
    assert Client().get("/trivial", headers={"host": "localhost"}).status_code == 200  # the same
    sign_token(host="proxy.example.com", port=5432, user="app")  # the same
    gc.freeze()
    gate, opener = os.pipe()
    children = [_fork(way, gate, opener, output, _moments(number, size)) for number in range(size)]
    os.close(gate)
    os.close(opener)
    for pid in children:
        os.waitpid(pid, 0)


def _moments(number: int, size: int) -> list[float]:
    """Return when environment `number` sends its requests, in seconds: when it starts, and twice with all others."""
    calm = size / STARTS_PER_SECOND + CALM_SECONDS
    return [number / STARTS_PER_SECOND, calm, calm + CALM_SECONDS]


def _fork(way: str, gate: int, opener: int, output: int, moments: list[float]) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.close(opener)
    os.read(gate, 1)  # ends for all at once, when the parent closes the other end
    timings, statuses = _live(VARIANTS[way](), moments)
    line = json.dumps({"timings": timings, "statuses": statuses}) + "\n"
    os.write(output, line.encode())  # short enough to be written in one piece
    os._exit(0)


def _live(variant: Variant, moments: list[float]) -> tuple[list[float], list[int]]:
    timings, statuses, start = [], [], time.monotonic()
    for moment in moments:
        time.sleep(max(0, start + moment - time.monotonic()))
        event = event_for(PATH)
        began = time.perf_counter()
        statuses.append(_status(variant, event))
        timings.append((time.perf_counter() - began) * 1000)
    return timings, statuses


def _status(variant: Variant, event: dict[str, Any]) -> int:
    try:
        return int(variant.call(variant.prepare(event))["statusCode"])
    except Exception:  # noqa: BLE001 - whatever it is, Lambda would answer 502
        return 502


def _report(line: dict[str, Any]) -> Report:
    first, *later = line["timings"]
    return Report(first, later, Counter(line["statuses"]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
