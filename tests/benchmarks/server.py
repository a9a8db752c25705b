"""A PostgreSQL of a benchmark's own, with the feed's tables and rows, that logs who connects."""

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from serverless_django.local.postgresql import FAST_AND_FORGETFUL, PORT, SUPERUSER, PostgreSQL
from tests.interleaved import ROOT, clean_environment

DATABASE = "benchmark"


@dataclass(frozen=True, slots=True)
class BenchmarkServer:
    postgresql: PostgreSQL

    @property
    def variables(self) -> Mapping[str, str]:
        """Return what `tests.benchmarks.http.settings` reads, and credentials to sign URLs with."""
        return {
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.http.settings",
            "PGHOST": str(self.postgresql.sockets),
            "PGPORT": str(PORT),
            "PGUSER": SUPERUSER,
            "PGDATABASE": DATABASE,
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIABENCHMARK",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
        }

    def connections_of(self, variant: str) -> int:
        """Return how many connections of `variant` PostgreSQL has accepted since it started."""
        log = (self.postgresql.data / "server.log").read_text(errors="replace")
        return len(re.findall(rf"connection authorized: .*application_name={re.escape(variant)}$", log, re.MULTILINE))


@contextlib.contextmanager
def benchmark_server() -> Iterator[BenchmarkServer]:
    """Start the server and fill it; end it and forget it afterwards."""
    # A short path, for the socket.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        settings = {**FAST_AND_FORGETFUL, "log_connections": "on"}
        with PostgreSQL(data=Path(folder) / "data", sockets=Path(folder) / "s", settings=settings) as postgresql:
            postgresql.execute(f"CREATE DATABASE {DATABASE}")
            server = BenchmarkServer(postgresql)
            subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.http.data"],
                env=clean_environment() | dict(server.variables),
                cwd=ROOT,
                check=True,
            )
            postgresql.execute("ANALYZE", database=DATABASE)
            yield server
