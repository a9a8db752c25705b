"""The two endpoints of a database on RDS: the instance itself, and the proxy in front of it."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from serverless_django.deploy.components.parameters import LOGGED_WITHOUT_VALUES
from serverless_django.deploy.node import user_cache
from serverless_django.local import pgbouncer
from serverless_django.local.pgbouncer import PgBouncer
from serverless_django.local.postgresql import PORT, PostgreSQL
from serverless_django.local.tls import ServerCertificate
from serverless_django.local.tls_gate import TlsGate

TOOLS = user_cache() / "tools"
"""Programs that were unpacked once for all projects of this user."""

APP_USER = "app"
MASTER_USER = "dbadmin"
"""The roles of `deploy/components/database.py`."""


def say(text: str) -> None:
    """Print `text` at once."""
    print(text, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Print `what` and the time that it took."""
    started = time.monotonic()
    yield
    say(f"  {what:<58} {time.monotonic() - started:6.1f} s")


@contextlib.asynccontextmanager
async def running_database(
    state: Path, *, instance_host: str, proxy_host: str, certificate: ServerCertificate
) -> AsyncIterator[PostgreSQL]:
    """Serve PostgreSQL over TLS with `certificate`, directly at `instance_host` and through PgBouncer at `proxy_host`.

    Its files are below `state`.  Without PgBouncer the second host leads to PostgreSQL itself, and a line says so.
    """
    async with contextlib.AsyncExitStack() as stack:
        sockets = stack.enter_context(_socket_folder(state / "sockets"))
        access = [f"local all {MASTER_USER} scram-sha-256"]
        server = PostgreSQL(state / "postgresql", sockets, LOGGED_WITHOUT_VALUES, access)
        with step("PostgreSQL"):
            server.start()
        stack.callback(server.stop)
        gates = [TlsGate(instance_host, PORT, sockets / f".s.PGSQL.{PORT}", certificate)]
        with step("PgBouncer, in the place of RDS Proxy"):
            program = pgbouncer.find(TOOLS / "pgbouncer")
        if program is not None:
            pooler = PgBouncer(program, state / "pgbouncer", proxy_host, PORT, sockets, certificate, APP_USER)
            pooler.start()
            stack.callback(pooler.stop)
        else:
            say("  PgBouncer is not to be had here: functions reach PostgreSQL directly, and nothing is pooled")
            gates.append(TlsGate(proxy_host, PORT, sockets / f".s.PGSQL.{PORT}", certificate))
        for gate in gates:
            await gate.start()
            stack.push_async_callback(gate.stop)
        yield server


@contextlib.contextmanager
def _socket_folder(record: Path) -> Iterator[Path]:
    """Make a folder with a path short enough for sockets; remove it at the end, or what a crash left of the last."""
    if record.exists():
        shutil.rmtree(record.read_text(), ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="laptop-cloud-"))
    record.write_text(str(folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        record.unlink()
