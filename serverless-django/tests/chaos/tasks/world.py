"""The servers of a run: PostgreSQL that may crash, PgBouncer before it, the broker, and a nursery of workers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cdk.app import PROJECT
from serverless_django.local import pgbouncer
from serverless_django.local.database import TOOLS
from serverless_django.local.emulator import CREDENTIALS, free_port
from serverless_django.local.pgbouncer import PgBouncer
from serverless_django.local.postgresql import PORT, SUPERUSER, PostgreSQL
from serverless_django.local.processes import die_with_parent
from serverless_django.local.tls import server_certificate
from tests.chaos.tasks.broker import Broker, Mischief
from tests.paths import import_path

DATABASE = "bank"

CRASHING = {"fsync": "off", "synchronous_commit": "on", "max_connections": "60"}
"""The server crashes here, the machine does not: what a commit wrote to the kernel is kept.

A killed process may leave half of a page written, as a machine may: `full_page_writes` stays on, as it is on RDS.
"""


@dataclass
class World:
    postgresql: PostgreSQL
    broker: Broker
    variables: dict[str, str]
    pools: bool
    """Whether PgBouncer is there, in the place of RDS Proxy."""

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        return self.postgresql.execute(statement, database=DATABASE)

    def crash_database(self) -> None:
        self.postgresql.stop(immediately=True)
        self.postgresql.start()


@dataclass(frozen=True)
class Worker:
    """A process that the nursery started.  Its id alone may by now be that of another process."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self:
        return cls(pid, _state(pid)[1])

    def is_alive(self) -> bool:
        """Return whether it still runs; one that has ended waits for its parent to notice."""
        state, started = _state(self.pid)
        return started == self.started and state not in ("", "Z")

    def kill(self) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)


def _state(pid: int) -> tuple[str, str]:
    """Return the state of a process and the moment of its start, as the kernel counts."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "", ""
    return fields[0], fields[19]


class Nursery:
    """Starts and kills workers.  Use as a context manager."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> "Nursery":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.tasks.nursery"],
            env=self._world.variables,
            cwd=PROJECT.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            stderr=None if "CHAOS_LOG" in os.environ else subprocess.DEVNULL,
            preexec_fn=die_with_parent(),
        )
        return self

    def __exit__(self, *exception: object) -> None:
        # Workers end with their parent.
        self._process.kill()
        self._process.communicate()

    def start(self, command: str) -> Worker:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return Worker.of(int(self._process.stdout.readline()))


def enumerate_crash_points(world: World, kind: str, fault: str) -> dict[str, Any]:
    """Return the numbers of points by stage, and the violations."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.chaos.tasks.crashpoints", kind, fault],
        env=world.variables,
        cwd=PROJECT.root,
        stdout=subprocess.PIPE,
        stderr=None if "CHAOS_LOG" in os.environ else subprocess.DEVNULL,
        check=True,
    )
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


@contextlib.contextmanager
def running_world(mischief: Mischief) -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        # A short path, for the socket.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))
        server = stack.enter_context(PostgreSQL(folder / "data", folder / "s", settings=CRASHING))
        broker = stack.enter_context(Broker(mischief))
        host, port, mode = _proxy(stack, folder, server)
        server.execute(f"CREATE DATABASE {DATABASE}")
        variables = {
            **CREDENTIALS,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": import_path(),
            "DJANGO_SETTINGS_MODULE": "tests.chaos.tasks.settings",
            "AWS_ENDPOINT_URL": broker.url,
            "PGHOST": host,
            "PGPORT": str(port),
            "PGSSLMODE": mode,
            "PGUSER": SUPERUSER,
            "PGDATABASE": DATABASE,
            "CHAOS_LOG": os.environ.get("CHAOS_LOG", "CRITICAL"),
        }
        world = World(server, broker, variables, pools=port != PORT)
        _migrate(world)
        yield world


def _proxy(stack: contextlib.ExitStack, folder: Path, server: PostgreSQL) -> tuple[str, int, str]:
    program = pgbouncer.find(TOOLS / "pgbouncer")
    if program is None:
        return str(server.sockets), PORT, "disable"
    certificate = server_certificate(folder / "tls", ["127.0.0.1"])
    pooler = PgBouncer(
        program, folder / "pgbouncer", "127.0.0.1", free_port(), server.sockets, certificate, SUPERUSER, pool_size=10
    )
    pooler.start()
    stack.callback(pooler.stop)
    return pooler.address, pooler.port, "require"


def _migrate(world: World) -> None:
    direct = {"PGHOST": str(world.postgresql.sockets), "PGPORT": str(PORT), "PGSSLMODE": "disable"}
    subprocess.run(
        [sys.executable, "-m", "tests.chaos.tasks.tables"], env=world.variables | direct, cwd=PROJECT.root, check=True
    )
