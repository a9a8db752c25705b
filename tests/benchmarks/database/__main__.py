"""`make bench-db`: what a request pays for its connection, and whether anything it sends pins one."""

import argparse
import contextlib
import json
import subprocess
import sys

from serverless_django.postgresql.pins import MAX_STATEMENT_BYTES, rule_of
from tests.benchmarks.database.server import Server, running_server
from tests.figures import write_figures
from tests.interleaved import ROOT, Cost, Worker, clean_environment, measure_in_turns, print_costs, ratio

PATH = "/one-query"
WORKERS = {
    # name: (way from the event to Django, database settings)
    "ours": ("ours", "ours"),
    "lasting": ("ours", "lasting"),
    "stock": ("stock", "stock"),
}
REQUESTS_PER_ROUND = {"ours": 100, "lasting": 100, "stock": 10}
GOALS = {
    "one_query_vs_stock": ">= 35",
    "one_query_vs_direct": "<= 1.3",
    "token_us": "<= 1000",
    "liveness_us": "<= 10",
    "guard_us": "<= 2",
    "pinning_statements": "== 0",
}


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    rounds = parser.parse_args().rounds
    with running_server() as server:
        costs = measure(server, rounds=rounds)
    with running_server(log_statements=True) as server:
        parts = probe(server)
        statements = server.statements()
    print_costs(f"{PATH} through TLS and the pooler: microseconds a request, {rounds} rounds", costs, base="lasting")
    figures = {
        "one_query_vs_stock": ratio(costs, "stock", "ours"),
        "one_query_vs_direct": ratio(costs, "ours", "lasting"),
        **parts,
        "statements": len(statements),
        "pinning_statements": sum(_pins(*statement) for statement in statements),
        "longest_statement_bytes": max(len(text.encode()) for _, text in statements),
    }
    return 0 if write_figures("db", figures, GOALS) else 1


def measure(server: Server, *, rounds: int) -> dict[str, list[Cost]]:
    with contextlib.ExitStack() as stack:
        workers = {name: stack.enter_context(_worker(server, name)) for name in WORKERS}
        for worker in workers.values():
            assert worker.ask(do="answer", path=PATH)["status"] == 200
        return measure_in_turns(
            lambda name: Cost(**workers[name].ask(do="measure", path=PATH, count=REQUESTS_PER_ROUND[name])),
            workers,
            rounds=rounds,
        )


def probe(server: Server) -> dict[str, float]:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.database.probe"],
        env=clean_environment() | dict(server.variables("ours")),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    parts: dict[str, float] = json.loads(finished.stdout)
    return parts


def _worker(server: Server, name: str) -> Worker:
    way, variant = WORKERS[name]
    # Not the peers' Python: these need none but Mangum.
    return Worker(name, "tests.benchmarks.http.worker", [way], server.variables(variant))


def _pins(name: str, text: str) -> bool:
    return name not in ("", "<unnamed>") or len(text.encode()) > MAX_STATEMENT_BYTES or rule_of(text) is not None


if __name__ == "__main__":
    raise SystemExit(main())
