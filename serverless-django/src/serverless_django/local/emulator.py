"""MiniStack, an emulator of AWS over HTTP, as a child process on a port of 127.0.0.1."""

import importlib.metadata
import os
import random
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serverless_django.deploy.node import node_modules
from serverless_django.local import processes

VERSION = "1.5.33"
"""The only one that `local/ministack_glue.py` was written for."""

REGION = "us-east-1"
ACCOUNT = "000000000000"
CREDENTIALS: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
                                  "AWS_DEFAULT_REGION": REGION}  # fmt: skip
"""Of MiniStack by itself, which takes any."""


class UnsupportedEmulatorError(RuntimeError):
    """Another MiniStack is installed than this code was written for."""


def new_credentials() -> Mapping[str, str]:
    """Return the variables with keys that only this start of the laptop's cloud takes."""
    return {
        **CREDENTIALS,
        "AWS_ACCESS_KEY_ID": f"AKIA{secrets.token_hex(8).upper()}",
        "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30),
    }


def free_port() -> int:
    """Return a port below the ephemeral range, where no client of ours may sit by chance."""
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311 (no secret)
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Emulator:
    """Use as a context manager, or `start` and `stop`."""

    state: Path
    """Resources, objects and messages are kept here from a stop in order to the next start."""

    port: int = field(default_factory=free_port)
    module: str = "ministack"
    """"serverless_django.local.ministack_glue" adds what the laptop cloud needs; tests of SQS and S3 need it not."""

    credentials: Mapping[str, str] = field(default_factory=lambda: CREDENTIALS)
    """Of the account's root."""

    variables: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Raise UnsupportedEmulatorError at another version, ProcessError if it does not answer in 20 s."""
        if (installed := importlib.metadata.version("ministack")) != VERSION:
            raise UnsupportedEmulatorError(f"MiniStack {installed} is installed, the laptop cloud needs {VERSION}")
        self.state.mkdir(parents=True, exist_ok=True)
        log = self.state / "ministack.log"
        self._process = processes.start([sys.executable, "-m", self.module], log=log, environment=self._environment())
        processes.wait_until(self._answers, process=self._process, what="MiniStack", log=log)

    def stop(self) -> None:
        """State is written while it ends."""
        if self._process is not None:
            processes.stop(self._process, patience_seconds=10)
            self._process = None

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        temporary = self.state / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            **self.credentials,
            "PATH": os.environ["PATH"],
            "HOME": str(self.state),
            "TMPDIR": str(temporary),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(self.state / "resources"),
            "S3_DATA_DIR": str(self.state / "objects"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "NODE_PATH": str(node_modules()),
            "NO_COLOR": "1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            **self.variables,
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2):  # noqa: S310 (our own address)
                return True
        except (urllib.error.URLError, OSError):
            return False
