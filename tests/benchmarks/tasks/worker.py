"""One process that times every variant in turns, on one connection: prints a JSON line of medians."""

import json
import os
import sys
import time

from serverless_django.warmup import start_django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.tasks.settings"
start_django()

from django.db import transaction  # noqa: E402
from django.tasks import task_backends  # noqa: E402

from tests.benchmarks.tasks.batches import make_batch  # noqa: E402
from tests.benchmarks.tasks.models import Reading  # noqa: E402
from tests.benchmarks.tasks.tasks import do_nothing  # noqa: E402
from tests.benchmarks.tasks.variants import VARIANTS  # noqa: E402
from tests.interleaved import Cost, measure_in_turns  # noqa: E402

type Rounds = dict[str, list[list[float]]]


def time_batches(size: int, rounds: int, *, bad: int | None = None) -> Rounds:
    """Return wall and CPU seconds of every variant for each round; `copy` knows no bad message."""
    names = [name for name in VARIANTS if bad is None or name != "copy"]
    return _as_lists(measure_in_turns(lambda name: _time_batch(name, size, bad), names, rounds=rounds))


def _time_batch(name: str, size: int, bad: int | None) -> Cost:
    batch = make_batch(size, as_calls=name == "ours", bad=bad)
    before = Reading.objects.count()
    wall, cpu = time.perf_counter(), time.process_time()
    response = VARIANTS[name](batch)
    cost = Cost(time.perf_counter() - wall, time.process_time() - cpu)
    failed = [item["itemIdentifier"] for item in response["batchItemFailures"]]
    expected = [] if bad is None else [f"m{bad}"]
    assert (failed, Reading.objects.count() - before) == (expected, size - len(expected)), name
    return cost


def time_enqueue(calls: int, rounds: int) -> Rounds:
    """Return seconds for each of `calls`: one by one, in one transaction, and with enqueue_many."""
    ways = {"one by one": _one_by_one, "in one transaction": transaction.atomic(_one_by_one), "enqueue_many": _many}
    return _as_lists(measure_in_turns(lambda name: _time_way(ways[name], calls), list(ways), rounds=rounds))


def _time_way(way: object, calls: int) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    way(calls)  # type: ignore[operator]
    return Cost((time.perf_counter() - wall) / calls, (time.process_time() - cpu) / calls)


def _one_by_one(calls: int) -> None:
    for number in range(calls):
        do_nothing.enqueue(number)


def _many(calls: int) -> None:
    task_backends["default"].enqueue_many(do_nothing, [((number,), {}) for number in range(calls)])


def _as_lists(costs: dict[str, list[Cost]]) -> Rounds:
    return {name: [[cost.wall, cost.cpu] for cost in row] for name, row in costs.items()}


if __name__ == "__main__":
    for line in sys.stdin:
        command = json.loads(line)
        measure = {"batches": time_batches, "enqueue": time_enqueue}[command.pop("measure")]
        print("> " + json.dumps(measure(**command)), flush=True)
