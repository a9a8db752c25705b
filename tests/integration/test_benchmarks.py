"""The benchmarks compare like with like, and what they count is exact; how long anything takes is not asserted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.cold import bundles, page_cache
from tests.benchmarks.cold.__main__ import figures as cold_figures
from tests.benchmarks.cold.__main__ import table_of
from tests.benchmarks.cold.starts import Start
from tests.benchmarks.http.__main__ import COUNTED_PATHS, REQUESTS_PER_ROUND, count_one, measure_costs, workers_of
from tests.benchmarks.server import benchmark_server
from tests.interleaved import Cost, Worker, WorkerError, measure_in_turns, ratio, worst_ratio

PYTHON = Path(sys.executable)
INSTALLED = ("ours", "stock", "get_response", "view")
"""The variants that need no peer."""


@pytest.fixture(scope="module")
def server():
    with benchmark_server() as server:
        yield server


@pytest.mark.nightly
def test_every_variant_gives_the_same_answers_and_has_a_cost(server):
    with workers_of(server, INSTALLED, python=PYTHON) as workers:
        costs = measure_costs(workers, rounds=1)

    assert list(costs) == list(REQUESTS_PER_ROUND)
    assert all(cost.wall > 0 for table in costs.values() for each in table.values() for cost in each)


@pytest.mark.parametrize("path", COUNTED_PATHS)
def test_two_hundred_requests_need_one_connection_and_start_no_thread(server, path):
    assert count_one(server, "ours", path, 200, python=PYTHON) == (1, 0)


def test_the_count_tells_one_way_from_another(server):
    connections, threads = count_one(server, "stock", "/one-query", 20, python=PYTHON)

    assert (connections, threads) == (20, 40)


def test_a_worker_that_ends_is_reported():
    with Worker("gone", "keyword", (), {}) as worker, pytest.raises(WorkerError, match="gone ended with 0"):
        worker.ask(do="answer")


def test_a_ratio_is_taken_within_rounds_and_the_worse_of_wall_and_cpu_counts():
    # The machine was ten times slower in the second round, for both.
    costs = {"ours": [Cost(1, 3), Cost(10, 30), Cost(1, 3)], "other": [Cost(2, 3), Cost(20, 30), Cost(2, 3)]}

    assert ratio(costs, "ours", "other") == 0.5
    assert worst_ratio(costs, "ours", "other") == 1


def test_every_variant_is_measured_in_every_round():
    measured = []

    measure_in_turns(lambda name: measured.append(name) or Cost(1, 1), ["a", "b"], rounds=5)

    assert [sorted(measured[at : at + 2]) for at in range(0, 10, 2)] == [["a", "b"]] * 5


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    """Return a maker of a bundle of one module, whose bytecode says something else than its source."""
    monkeypatch.setattr(bundles, "FOLDER", tmp_path)

    def bundled(mode):
        work = tmp_path / "work"
        work.mkdir()
        (work / "module.py").write_text("print('byte')")
        bundles._compile(work, invalidation_mode=mode)
        # Of the same length: Python compares time and size.
        (work / "module.py").write_text("print('text')")
        os.utime(work / "module.py")
        return bundles._unzip(work, tmp_path / "deployed")

    return bundled


@pytest.mark.parametrize(("mode", "runs"), [("timestamp", "text"), ("unchecked-hash", "byte")])
def test_only_unchecked_bytecode_survives_the_zip(bundled, mode, runs):
    code = bundled(mode)

    done = subprocess.run([PYTHON, "-B", "-m", "module"], cwd=code, capture_output=True, text=True, check=True)

    assert done.stdout == f"{runs}\n"


def test_the_kernel_can_be_made_to_forget_a_file(tmp_path):
    (tmp_path / "file").write_bytes(bytes(1_000_000))
    (tmp_path / "file").read_bytes()
    before = page_cache.share_in_memory(tmp_path)

    page_cache.drop(tmp_path)

    assert page_cache.share_in_memory(tmp_path) <= before == 1


def test_the_worse_first_request_is_judged(monkeypatch):
    monkeypatch.setattr("tests.benchmarks.cold.__main__._largest_zip_mb", lambda: 14.0)
    totals = {"ours": (30, 50), "stock deploy": (100, 100), "Django alone": (10, 10)}
    starts = {
        (name, path): [Start(init=total, first=0, cpu=0, status=200)]
        for name, both in totals.items()
        for path, total in zip(("health", "feed"), both, strict=True)
    }

    assert cold_figures(starts)["ours_vs_stock"] == 0.5
    assert table_of(starts)["feed"] == {"ours": 50, "stock deploy": 100, "Django alone": 10}
