"""`make bench-cold`: from the start of a process to its first response, the built bundle against a stock deploy."""

import argparse
import asyncio
import contextlib
import random
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from cdk.app import PROJECT
from serverless_django.deploy.bundling import PLATFORMS, build_bundle, zipped_size
from serverless_django.local.postgresql import PORT
from serverless_django.local.tls import server_certificate
from serverless_django.local.tls_gate import TlsGate
from tests.benchmarks.cold import page_cache
from tests.benchmarks.cold.bundles import make_bundles
from tests.benchmarks.cold.starts import Start, Startable, deployed_variables
from tests.benchmarks.http.worker import event_for
from tests.benchmarks.results import Table, write_table
from tests.benchmarks.server import BenchmarkServer, benchmark_server
from tests.figures import write_figures

PATHS = {"health": "/healthz", "feed": "/v1/feed?limit=20"}
"""The feed page connects to the database, over TLS and with a token, and signs 60 URLs; the probe does neither."""

OURS, STOCK, FLOOR = "ours", "stock deploy", "Django alone"
HANDLER = "lambda_app.handlers.api_gateway.handler"
GOALS = {"ours_vs_stock": "<= 0.4"}

type Starts = Mapping[tuple[str, str], list[Start]]


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="starts of every variant and path")
    parser.add_argument("--warm", action="store_true", help="leave the files in the page cache")
    arguments = parser.parse_args()
    bundles = make_bundles()
    print(f"page cache: {_left_after_drop(bundles[OURS]):.0%} of the bundle is left after dropping it")
    with benchmark_server() as server:
        starts = asyncio.run(measure_starts(bundles, server, rounds=arguments.rounds, cold=not arguments.warm))
    _print_starts(starts)
    write_table("cold", table_of(starts))
    return 0 if write_figures("cold", figures(starts), GOALS) else 1


async def measure_starts(bundles: Mapping[str, Path], server: BenchmarkServer, *, rounds: int, cold: bool) -> Starts:
    """Return the starts of every variant, by name and path, made in turns."""
    async with _database(server) as variables:
        startables = _startables(bundles, variables)
        starts: dict[tuple[str, str], list[Start]] = {(name, path): [] for name in startables for path in PATHS}
        for _ in range(rounds):
            for name, path in random.sample(list(starts), len(starts)):
                start = await startables[name].start(event_for(PATHS[path]), cold=cold)
                starts[name, path].append(start)
    return starts


def table_of(starts: Starts) -> Table:
    """Return the median total of every variant, by first request."""
    names = list(dict.fromkeys(name for name, _ in starts))
    return {path: {name: median(start.total for start in starts[name, path]) for name in names} for path in PATHS}


def figures(starts: Starts) -> dict[str, float]:
    ratios = {path: _ratio(starts[OURS, path], starts[STOCK, path]) for path in PATHS}
    return {
        # The one that is worse for us.
        "ours_vs_stock": max(ratios.values()),
        "zip_mb": _largest_zip_mb(),
        **{f"ours_vs_stock_{path}": value for path, value in ratios.items()},
        **{f"ours_vs_floor_{path}": _ratio(starts[OURS, path], starts[FLOOR, path]) for path in PATHS},
        **{f"ours_{path}_ms": median(start.total for start in starts[OURS, path]) for path in PATHS},
    }


@contextlib.asynccontextmanager
async def _database(server: BenchmarkServer) -> AsyncIterator[Mapping[str, str]]:
    """Serve the benchmark's database over TLS, and yield the variables of a function that uses it."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = server_certificate(Path(folder), ["127.0.0.1"])
        port = _free_port()
        gate = TlsGate("127.0.0.1", port, server.postgresql.sockets / f".s.PGSQL.{PORT}", certificate)
        await gate.start()
        try:
            yield deployed_variables(port=port, certificate=certificate)
        finally:
            await gate.stop()


def _startables(bundles: Mapping[str, Path], variables: Mapping[str, str]) -> dict[str, Startable]:
    handlers = {name: (folder, HANDLER) for name, folder in bundles.items()}
    handlers |= {
        # As `pip install -t` and CDK's zip leave it: with bytecode whose time is not that of its source.
        STOCK: (bundles["timestamp"], "stock_handler.handler"),
        "stock, compiled": (bundles["unchecked-hash"], "stock_handler.handler"),
        FLOOR: (bundles[OURS], "floor_handler.handler"),
    }
    return {
        name: Startable(code=folder, handler=handler, variables=variables)
        for name, (folder, handler) in handlers.items()
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _largest_zip_mb() -> float:
    return max(zipped_size(build_bundle(PROJECT, architecture=name)) for name in PLATFORMS) / 1e6


def _left_after_drop(folder: Path) -> float:
    page_cache.drop(folder)
    return page_cache.share_in_memory(folder)


def _ratio(ours: Sequence[Start], other: Sequence[Start]) -> float:
    return median(one.total / two.total for one, two in zip(ours, other, strict=True))


def _print_starts(starts: Starts) -> None:
    titles = " ".join(f"{title:>8}" for title in ("init", "first", "total", "cpu", "x stock"))
    print(f"\n{'milliseconds, medians':<22} {'first request':<14} {titles}")
    for (name, path), each in starts.items():
        values = [median(getattr(start, part) for start in each) for part in ("init", "first", "total", "cpu")]
        columns = " ".join(f"{value:>8.0f}" for value in values)
        print(f"  {name:<20} {path:<14} {columns} {_ratio(each, starts[STOCK, path]):>8.2f}")


if __name__ == "__main__":
    raise SystemExit(main())
