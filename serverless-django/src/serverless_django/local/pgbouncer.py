"""PgBouncer in transaction mode in the place of RDS Proxy: TLS to the functions, a socket to PostgreSQL."""

import fcntl
import platform
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serverless_django.local import processes
from serverless_django.local.tls import ServerCertificate

PACKAGES = ("pgbouncer", "libevent-2.1-7", "libevent-2.1-7t64", "libc-ares2", "libcares2")
"""Debian packages that, unpacked side by side, run without root; each library has another name since Debian 13."""

DEFAULT_POOL_SIZE = 20

STATISTICS_USER = "console"
"""May ask PgBouncer for its counts, and is no role of any database."""


def find(tools: Path) -> Path | None:
    """Return PgBouncer from the PATH or from `tools`; obtain it there with Debian's client if there is one."""
    if on_path := shutil.which("pgbouncer"):
        return Path(on_path)
    unpacked = tools / "usr" / "sbin" / "pgbouncer"
    if not unpacked.exists():
        unpack_packages(tools, PACKAGES)
    return unpacked if unpacked.exists() else None


@dataclass
class PgBouncer:
    """One pooler on `address`:`port` for every database of the server behind `sockets`."""

    program: Path
    folder: Path
    """Configuration and log."""

    address: str
    port: int
    sockets: Path
    """Folder of PostgreSQL's Unix socket."""

    certificate: ServerCertificate
    user: str
    """The only role that may pass, as the proxy's IAM policy says on AWS."""

    pool_size: int = DEFAULT_POOL_SIZE
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Raise ProcessError if it does not answer in 20 s."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "users.txt").write_text(f'"{self.user}" ""\n"{STATISTICS_USER}" ""\n')
        (self.folder / "pgbouncer.ini").write_text(self._configuration())
        log = self.folder / "pgbouncer.log"
        self._process = processes.start(
            [self.program, "--quiet", self.folder / "pgbouncer.ini"],
            log=log,
            environment={"LD_LIBRARY_PATH": str(_libraries(self.program))},
            preexec=processes.unprivileged(),
        )
        processes.wait_until(self._answers, process=self._process, what="PgBouncer", log=log)

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, signal_number=signal.SIGTERM)
            self._process = None

    def _configuration(self) -> str:
        # Functions prove who they are by an IAM token, which only AWS can verify: the address is this machine's
        # own, TLS is required and only one role exists, so the role is trusted.
        return f"""[databases]
* = host={self.sockets} port=5432
[pgbouncer]
listen_addr = {self.address}
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {self.folder}/users.txt
stats_users = {STATISTICS_USER}
pool_mode = transaction
default_pool_size = {self.pool_size}
max_client_conn = 2000
query_wait_timeout = 10
server_login_retry = 1
server_idle_timeout = 600
client_tls_sslmode = require
client_tls_cert_file = {self.certificate.certificate}
client_tls_key_file = {self.certificate.key}
ignore_startup_parameters = extra_float_digits
logfile = {self.folder}/pgbouncer.log
"""

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def _libraries(program: Path) -> Path:
    return program.parent.parent / "lib" / f"{platform.machine()}-linux-gnu"


PATIENCE_SECONDS = 300


def unpack_packages(folder: Path, packages: Sequence[str]) -> None:
    """Download and unpack `packages` side by side into `folder`; leave it empty where Debian's client is not there."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        # On a new machine two processes may ask for it at once: the second one waits, and finds it there.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder.is_dir() and any(folder.iterdir())):
            _download(folder, packages)


def _download(folder: Path, packages: Sequence[str]) -> None:
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    downloads = [["apt-get", "download", package] for package in packages]
    for commands in (downloads, [["apt-get", "update"], *downloads]):
        if not list(draft.glob(f"{packages[0]}_*.deb")):
            for command in commands:
                subprocess.run(command, cwd=draft, capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    for package in draft.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, draft], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
