"""`make bench-http`: what it costs to get from an event to a response, ours against the peers and the limits."""

import argparse
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.benchmarks.http.variants import LIMITS, VARIANTS
from tests.benchmarks.results import write_table
from tests.benchmarks.server import BenchmarkServer, benchmark_server
from tests.figures import write_figures
from tests.interleaved import (
    PEERS_PYTHON,
    Cost,
    Worker,
    measure_in_turns,
    medians,
    print_costs,
    ratio,
    worst_ratio,
)

type Workers = Mapping[str, Worker]
type Costs = Mapping[str, list[Cost]]

FEED = "/v1/feed?limit=20"
REQUESTS_PER_ROUND: Mapping[str, int] = {"/trivial": 200, "/trivial-async": 100, "/one-query": 100, FEED: 5}
"""So that a round of one variant lasts some 10 to 500 ms."""

COUNTED_PATHS = ("/one-query", "/one-query-async")

GOALS = {
    "trivial_vs_apig_wsgi": "<= 1.0",
    "trivial_vs_stock": "<= 0.05",
    "feed_vs_get_response": "<= 1.1",
    "backends_per_200_requests": "== 1",
    "threads_started_by_200_requests": "== 0",
}


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31, help="rounds of every variant and path")
    rounds = parser.parse_args().rounds
    with benchmark_server() as server:
        with workers_of(server, VARIANTS) as workers:
            costs = measure_costs(workers, rounds=rounds)
        counts = count_connections(server)
    for path, table in costs.items():
        print_costs(f"{path}: microseconds a request, {rounds} rounds", table, base="ours")
    _print_counts(counts)
    write_table("http", {path: {name: medians(c).wall for name, c in table.items()} for path, table in costs.items()})
    return 0 if write_figures("http", figures(costs, counts), GOALS) else 1


def measure_costs(workers: Workers, *, rounds: int) -> dict[str, Costs]:
    """Return the costs of every variant, by path.  Raise ValueError if they do not all do the same."""
    for path in REQUESTS_PER_ROUND:
        check_answers(_able(workers, path), path)
    return {path: _measure_path(_able(workers, path), path, rounds=rounds) for path in REQUESTS_PER_ROUND}


def check_answers(workers: Workers, path: str) -> None:
    """Warm every variant up.  Raise ValueError if they do not all answer 200, and alike."""
    answers = {name: [worker.ask(do="answer", path=path) for _ in range(5)][-1] for name, worker in workers.items()}
    # The length, because two signatures of one URL differ by the second in which they were made.
    summaries = {name: (answer["status"], len(answer["body"])) for name, answer in answers.items()}
    if len(set(summaries.values())) != 1 or answers["ours"]["status"] != 200:
        raise ValueError(f"{path} is not answered alike, as (status, length): {summaries}")


def count_connections(server: BenchmarkServer) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Return (variant, path, requests) → connections that PostgreSQL saw, and threads started after init."""
    names = [name for name in VARIANTS if name not in LIMITS]
    return {
        (name, path, requests): count_one(server, name, path, requests)
        for path in COUNTED_PATHS
        for requests in (50, 200)
        for name in names
    }


def figures(costs: Mapping[str, Costs], counts: Mapping[tuple[str, str, int], tuple[int, int]]) -> dict[str, float]:
    trivial = costs["/trivial"]
    ours = [counts["ours", path, 200] for path in COUNTED_PATHS]
    return {
        "trivial_vs_apig_wsgi": worst_ratio(trivial, "ours", "apig-wsgi"),
        "trivial_vs_stock": worst_ratio(trivial, "ours", "stock"),
        "feed_vs_get_response": worst_ratio(costs[FEED], "ours", "get_response"),
        "backends_per_200_requests": max(backends for backends, _ in ours),
        "threads_started_by_200_requests": max(threads for _, threads in ours),
        "trivial_async_vs_stock": worst_ratio(costs["/trivial-async"], "ours", "stock"),
        "one_query_vs_apig_wsgi": worst_ratio(costs["/one-query"], "ours", "apig-wsgi"),
        "one_query_vs_stock": worst_ratio(costs["/one-query"], "ours", "stock"),
        "trivial_vs_get_response": ratio(trivial, "ours", "get_response"),
    }


@contextlib.contextmanager
def workers_of(
    server: BenchmarkServer, names: Iterable[str], *, python: Path = PEERS_PYTHON
) -> Iterator[dict[str, Worker]]:
    """Start a process for each of the variants `names`."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(make_worker(server, name, python=python)) for name in names}


def make_worker(
    server: BenchmarkServer, name: str, *, application_name: str = "", python: Path = PEERS_PYTHON
) -> Worker:
    variables = {**server.variables, "VARIANT": application_name or name}
    return Worker(name, "tests.benchmarks.http.worker", [name], variables, python=python)


def count_one(
    server: BenchmarkServer, name: str, path: str, requests: int, *, python: Path = PEERS_PYTHON
) -> tuple[int, int]:
    """Return connections and threads of one variant in its own process."""
    application_name = f"{name}{path}-{requests}"
    with make_worker(server, name, application_name=application_name, python=python) as worker:
        threads = worker.ask(do="threads", path=path, count=requests)
    return server.connections_of(application_name), threads


def _able(workers: Workers, path: str) -> Workers:
    """Return the workers that can serve `path`: an async view by itself only makes a coroutine."""
    return {name: worker for name, worker in workers.items() if name != "view" or not path.endswith("async")}


def _measure_path(workers: Workers, path: str, *, rounds: int) -> Costs:
    count = REQUESTS_PER_ROUND[path]
    return measure_in_turns(
        lambda name: Cost(**workers[name].ask(do="measure", path=path, count=count)), workers, rounds=rounds
    )


def _print_counts(counts: Mapping[tuple[str, str, int], tuple[int, int]]) -> None:
    print(f"\n{'connections that PostgreSQL saw, threads started':<52} {'requests':>8} {'backends':>9} {'threads':>8}")
    for (name, path, requests), (backends, threads) in counts.items():
        print(f"  {name:<16} {path:<33} {requests:>8} {backends:>9} {threads:>8}")


if __name__ == "__main__":
    raise SystemExit(main())
