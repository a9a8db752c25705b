"""`make bench-gc`: how long garbage collection stops a request, by what is done about it at the end of init."""

import contextlib
from statistics import median

from tests.benchmarks.http.__main__ import FEED, make_worker
from tests.benchmarks.server import benchmark_server

POLICIES = ("default", "freeze", "off")
ROUNDS = 5
REQUESTS = 300
COLUMNS = ("pauses", "longest", "total", "memory_mb")


def main() -> None:
    rows: dict[str, list[dict[str, float]]] = {policy: [] for policy in POLICIES}
    with benchmark_server() as server:
        for _ in range(ROUNDS):
            with contextlib.ExitStack() as stack:
                workers = {policy: stack.enter_context(make_worker(server, "ours")) for policy in POLICIES}
                for policy, worker in workers.items():
                    worker.ask(do="adopt", policy=policy)
                    rows[policy].append(worker.ask(do="pauses", path=FEED, count=REQUESTS))
    print(f"\n{REQUESTS} feed pages, medians of {ROUNDS} processes" + "".join(f"{name:>12}" for name in COLUMNS))
    for policy, each in rows.items():
        print(f"  {policy:<39}" + "".join(f"{median(row[name] for row in each):>12.1f}" for name in COLUMNS))


if __name__ == "__main__":
    main()
