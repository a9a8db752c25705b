"""`make bench-tasks`: messages into rows, ours against the usual loop, bulk_create and COPY."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import IO, Any

from serverless_django.local.emulator import CREDENTIALS
from tests.benchmarks.database.server import HOST, Server, running_server
from tests.benchmarks.tasks.end_to_end import measure_end_to_end
from tests.chaos.tasks.broker import Broker, Mischief
from tests.figures import write_figures
from tests.interleaved import ROOT, Cost, print_costs, ratio

TABLE = """
    CREATE TABLE tasks_reading (
        id uuid PRIMARY KEY, device_id uuid NOT NULL, position smallint NOT NULL, value float8 NOT NULL,
        read_at timestamptz NOT NULL
    );
    GRANT SELECT, INSERT ON tasks_reading TO app
"""
ROUNDS = {10: 9, 100: 7, 1000: 5, 10_000: 1}
GOALS = {
    "batch_1000_vs_powertools": ">= 50",
    "batch_1000_vs_copy": ">= 0.6",
    "one_bad_in_1000_vs_powertools": ">= 20",
}

type Costs = Mapping[str, Sequence[Cost]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=10_000, help="largest batch; 1000 spares the slow loop minutes")
    parser.add_argument("--samples", type=int, default=100, help="views to follow through the laptop cloud; 0 for none")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    # As deployed: through TLS and the pooler, to a database whose commits wait for the disk.
    with Broker(Mischief()) as broker, running_server(is_durable=True) as server:
        server.postgresql.execute(TABLE, database="app")
        figures |= _measure(_start(server, broker), arguments.largest)
    if arguments.samples:
        latencies = sorted(measure_end_to_end(arguments.samples))
        figures |= {"end_to_end_p50_ms": median(latencies), "end_to_end_p99_ms": latencies[int(len(latencies) * 0.99)]}
    return 0 if write_figures("tasks", figures, {key: goal for key, goal in GOALS.items() if key in figures}) else 1


def _measure(worker: "subprocess.Popen[str]", largest: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    _ask(worker, measure="batches", size=10, rounds=2)
    for size, rounds in ROUNDS.items():
        if size <= largest:
            costs = _ask(worker, measure="batches", size=size, rounds=rounds)
            print_costs(f"batch of {size:,}, milliseconds", costs, base="ours")
            figures |= {f"batch_{size}_ms": median(cost.wall for cost in costs["ours"])}
            figures |= {f"batch_{size}_vs_{name}": ratio(costs, name, "ours") for name in costs if name != "ours"}
    costs = _ask(worker, measure="batches", size=1000, rounds=3, bad=637)
    print_costs("one bad message in 1,000 that only the database sees, milliseconds", costs, base="ours")
    figures |= {f"one_bad_in_1000_vs_{name}": ratio(costs, name, "ours") for name in costs if name != "ours"}
    costs = _ask(worker, measure="enqueue", calls=100, rounds=5)
    print_costs("to enqueue one call, milliseconds", costs, base="enqueue_many")
    figures |= {f"enqueue_{name.replace(' ', '_')}_ms": median(cost.wall for cost in costs[name]) for name in costs}
    worker.communicate()
    return figures


def _start(server: Server, broker: Broker) -> "subprocess.Popen[str]":
    variables = {
        **CREDENTIALS,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": broker.url,
        "PGHOST": HOST,
        "PGPORT": str(server.pooler.port),
        "PGUSER": "app",
        "PGDATABASE": "app",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(server.pooler.certificate.authority),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.tasks.worker"],
        env=variables, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _ask(worker: "subprocess.Popen[str]", **command: Any) -> Costs:
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(json.dumps(command), file=worker.stdin, flush=True)
    rounds = json.loads(_answer(worker.stdout))
    return {name: [Cost(wall * 1000, cpu * 1000) for wall, cpu in row] for name, row in rounds.items()}


def _answer(output: IO[str]) -> str:
    # Between the answers come the log lines of the handler.
    for line in output:
        if line.startswith("> "):
            return line[2:]
    raise RuntimeError("the worker ended; see its output above")


if __name__ == "__main__":
    raise SystemExit(main())
