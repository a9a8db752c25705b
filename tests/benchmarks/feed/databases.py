"""Seeded databases of several sizes on one PostgreSQL: made for the benchmark and removed, or kept on request."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from serverless_django.local.postgresql import FAST_AND_FORGETFUL, PORT, SUPERUSER, PostgreSQL
from tests.interleaved import ROOT, clean_environment

BYTES_PER_POST = 1_600
"""On disk, with everything that a post brings with it."""

SETTINGS: Mapping[str, str] = {
    **FAST_AND_FORGETFUL,
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    # As the deployed parameter group has it, for disks without arms.
    "random_page_cost": "1.1",
}


@dataclass(frozen=True, slots=True)
class Databases:
    sockets: Path

    def variables(self, posts: int) -> dict[str, str]:
        """Return what connects to the database with that many posts, and credentials to sign URLs with."""
        return {
            "PGHOST": str(self.sockets),
            "PGPORT": str(PORT),
            "PGUSER": SUPERUSER,
            "PGDATABASE": f"feed_{posts}",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIABENCHMARK",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
        }

    def seed(self, posts: int) -> None:
        """Make the database, or go on where its seeding was interrupted."""
        with psycopg.connect(
            host=str(self.sockets), port=PORT, user=SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            if f"feed_{posts}" not in names:
                connection.execute(f"CREATE DATABASE feed_{posts}".encode())
        for command in (["migrate", "--verbosity=0"], ["seed", "--posts", str(posts)]):
            self._manage(posts, command)

    def _manage(self, posts: int, command: Sequence[str]) -> None:
        variables = (
            clean_environment() | self.variables(posts) | {"DJANGO_SETTINGS_MODULE": "lambda_app.settings.local"}
        )
        subprocess.run([sys.executable, "-m", "lambda_app.manage", *command], env=variables, cwd=ROOT, check=True)


@contextlib.contextmanager
def seeded_databases(sizes: Sequence[int], *, sockets: Path | None) -> Iterator[Databases]:
    """Yield databases of `sizes` posts: on the server behind `sockets`, or on one that ends with the benchmark.

    Raise OSError if the disk is too small.
    """
    if sockets is not None:
        databases = Databases(sockets)
        _seed_all(databases, sizes)
        yield databases
        return
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        _check_space(Path(folder), sum(sizes) * BYTES_PER_POST)
        with PostgreSQL(data=Path(folder) / "data", sockets=Path(folder) / "s", settings=SETTINGS) as server:
            databases = Databases(server.sockets)
            _seed_all(databases, sizes)
            yield databases


def _seed_all(databases: Databases, sizes: Sequence[int]) -> None:
    for posts in sizes:
        databases.seed(posts)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 2 * needed:
        raise OSError(
            f"{folder} has {free / 1e9:.0f} GB left, twice {needed / 1e9:.0f} GB are wanted; take fewer POSTS"
        )
