"""An execution environment, a wire that can be cut, a pooler and PostgreSQL: each a real process that can be harmed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg

from serverless_django.contract.environment import Environment
from serverless_django.local.database import TOOLS
from serverless_django.local.emulator import free_port
from serverless_django.local.pgbouncer import PgBouncer, find
from serverless_django.local.postgresql import PostgreSQL
from serverless_django.local.tls import ServerCertificate, server_certificate
from tests.chaos.database.network import Network, network
from tests.chaos.database.urls import TABLES
from tests.chaos.database.wire import Loop, Wire
from tests.paths import import_path

HOST = "127.0.0.1"
SMALL_TABLE = "CREATE TABLE small (text text) TABLESPACE small; GRANT INSERT ON small TO app"
PATIENCE_SECONDS = 4
"""In which a client is answered, whatever has become of the database."""


class ImpatientPgBouncer(PgBouncer):
    """Drops a client that rests for a second, and tries a dead server again at once."""

    def _configuration(self) -> str:
        return super()._configuration() + "client_idle_timeout = 1\nserver_login_retry = 0\nquery_wait_timeout = 3\n"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    seconds: float
    headers: dict[str, str]


@dataclass
class ExecutionEnvironment:
    """The process that Lambda would freeze."""

    variables: dict[str, str]
    prefix: Sequence[str] = ()
    """A command that runs ours elsewhere, such as in its own network."""

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "tests.chaos.database.environment"],
            env=self.variables | {"PATH": os.environ["PATH"], "PYTHONPATH": import_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("> "):
                return json.loads(line[2:])
        raise AssertionError(f"the environment ended with {self.process.wait()}")

    def ask(self, **command: Any) -> Any:
        self.send(**command)
        return self.receive()


@dataclass
class Database:
    """PostgreSQL, the pooler in front of it, and a small disk in it, where one can be made."""

    postgresql: PostgreSQL
    pooler: PgBouncer
    has_small_disk: bool = False

    @property
    def address(self) -> tuple[str, int]:
        return (HOST, self.pooler.port)

    @property
    def conninfo(self) -> str:
        """Through the pooler, as a stranger to the environment."""
        return f"host={HOST} port={self.pooler.port} user=app dbname=app sslmode=require connect_timeout=2"

    @contextlib.contextmanager
    def occupied(self) -> Iterator[None]:
        """Hold every connection that the pooler may open to PostgreSQL, each within a transaction."""
        with contextlib.ExitStack() as stack:
            for _ in range(self.pooler.pool_size):
                stack.enter_context(psycopg.connect(self.conninfo)).execute("SELECT 1")
            yield

    def serves(self) -> bool:
        """Ask through the pooler: is the fault over?"""
        try:
            with psycopg.connect(self.conninfo, autocommit=True) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def set_read_only(self, value: str) -> None:
        self.postgresql.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        self.postgresql.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.postgresql.execute("SHOW default_transaction_read_only") == [(value,)])
        self.terminate_backends()

    def terminate_backends(self) -> None:
        self.postgresql.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'")

    def empty_small_disk(self) -> None:
        # Not TRUNCATE, which needs room for the new table before the old one goes.
        self.postgresql.execute("DROP TABLE IF EXISTS small", database="app")
        self.postgresql.execute(SMALL_TABLE, database="app")
        # A crash replays from the last checkpoint on, and would write the old table again beside the new one.
        self.postgresql.execute("CHECKPOINT")

    def effects(self) -> Counter[str]:
        return Counter(str(id) for (id,) in self.postgresql.execute("SELECT id FROM effect", database="app"))


@dataclass
class World:
    """One of everything, and a second database.  Effects that were acknowledged are counted after each fault."""

    database: Database
    standby: Database
    wire: Wire
    network: Network | None
    environment: ExecutionEnvironment
    answers: list[Answer] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    _sent: int = 0

    def add(self, *, path: str = "add") -> Answer:
        """Ask for one more effect."""
        return self.end_of(self.begin(path=path))

    def begin(self, *, seconds: float = 0, path: str = "add") -> str:
        """Ask for one more effect, and do not wait."""
        self._sent += 1
        id = f"{os.getpid()}-{self._sent}"
        self.environment.send(do="request", path=f"/{path}/{id}", query=f"seconds={seconds}")
        return id

    def end_of(self, id: str) -> Answer:
        answer = Answer(**self.environment.receive())
        self.answers.append(answer)
        if answer.status == HTTPStatus.OK:
            self.acknowledged.add(id)
        assert answer.seconds <= PATIENCE_SECONDS, f"answered {answer.status} after {answer.seconds:.1f} s"
        assert answer.status in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE), f"answered {answer.status}"
        assert answer.status == HTTPStatus.OK or answer.headers.get("retry-after"), "503 without Retry-After"
        return answer

    def recover(self) -> None:
        """Raise AssertionError unless the next request is served, and every effect is there just once."""
        wait_until(self.database.serves)
        answer = self.add()
        assert answer.status == HTTPStatus.OK, f"the request after the fault was answered {answer.status}"
        effects = self.database.effects() + self.standby.effects()
        assert not self.acknowledged - set(effects), "an effect that was acknowledged is gone"
        assert set(effects.values()) == {1}, "an effect is there twice"

    def is_at_work(self) -> bool:
        statement = "SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'PgSleep'"
        return bool(self.database.postgresql.execute(statement))

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the environment as Lambda does between requests."""
        self.environment.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.environment.process.send_signal(signal.SIGCONT)


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


def variables(wire: Wire, certificate: ServerCertificate) -> dict[str, str]:
    """Return what Lambda and the deploy would tell the environment."""
    environment = Environment(
        stage="chaos",
        allowed_hosts=("localhost",),
        database_host=wire.host,
        database_port=wire.port,
        database_name="app",
        database_user="app",
        database_ca_bundle=str(certificate.authority),
        task_queue_urls={},
        bucket_names={},
    )
    credentials = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIACHAOS", "AWS_SECRET_ACCESS_KEY": "chaos"}
    settings = {"DJANGO_SETTINGS_MODULE": "tests.chaos.database.settings"}
    return environment.variables() | {"AWS_DEFAULT_REGION": "us-east-1"} | credentials | settings


@contextlib.contextmanager
def running_world() -> Iterator[World]:
    """Start everything; end it and forget it afterwards.  Raise FileNotFoundError without PgBouncer."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))
        cable = stack.enter_context(network())
        host = cable.host if cable else HOST
        certificate = server_certificate(folder / "tls", [HOST, host])
        databases = [stack.enter_context(_database(folder / name, certificate)) for name in ("a", "b")]
        loop = stack.enter_context(Loop())
        wire = Wire(host, free_port(), target=databases[0].address)
        loop.run(wire.start())
        stack.callback(lambda: loop.run(wire.stop()))
        environment = ExecutionEnvironment(variables(wire, certificate), cable.prefix if cable else ())
        environment.start()
        stack.callback(environment.stop)
        yield World(databases[0], databases[1], wire, cable, environment)


@contextlib.contextmanager
def _database(folder: Path, certificate: ServerCertificate) -> Iterator[Database]:
    program = find(TOOLS / "pgbouncer")
    if program is None:
        raise FileNotFoundError("no PgBouncer: install it, or a Debian system to take it from")
    with contextlib.ExitStack() as stack:
        # A crash of the server loses nothing that was committed; one of the machine might.
        server = stack.enter_context(PostgreSQL(folder / "data", folder / "s", settings={"fsync": "off"}))
        server.execute("CREATE DATABASE app")
        server.execute("CREATE ROLE app LOGIN; ALTER ROLE app SET timezone = 'UTC'")
        server.execute(TABLES, database="app")
        pooler = ImpatientPgBouncer(program, folder / "pooler", HOST, free_port(), server.sockets, certificate, "app")
        pooler.start()
        stack.callback(pooler.stop)
        yield Database(server, pooler, has_small_disk=stack.enter_context(_small_disk(server, folder / "small")))


@contextlib.contextmanager
def _small_disk(server: PostgreSQL, folder: Path) -> Iterator[bool]:
    """Make the table `small` on a disk of 8 MB.  Needs root; False without."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "small", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        yield False
        return
    try:
        server.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        server.execute(SMALL_TABLE, database="app")
        yield True
    finally:
        server.stop()
        subprocess.run(["umount", folder], check=True)
