"""Its own project in an empty folder, on a wheel of the library: nothing of this repository is on its path."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).resolve().parents[2]
PROJECTS = LIBRARY / "tests" / "projects"
START_SECONDS = 600

_INSTALLED_UV = LIBRARY.parent / ".tools" / "bin" / "uv"
UV = str(_INSTALLED_UV) if _INSTALLED_UV.exists() else "uv"
"""The one that the Makefile has installed, where it had to."""


def build_wheel(source: Path, target: Path) -> Path:
    """Build the wheel of the library in the folder `source` into the folder `target`, and return its path."""
    subprocess.run([UV, "build", "--quiet", "--wheel", str(source), "--out-dir", str(target)], check=True)
    return next(target.glob("*.whl"))


@dataclass
class Installed:
    """A copy of a sample project, in its own environment."""

    root: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @classmethod
    def copy_of(cls, name: str, folder: Path) -> "Installed":
        shutil.copytree(PROJECTS / name, folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache", ".local"))
        return cls(folder)

    def take(self, wheel: Path) -> None:
        """Depend on `wheel`, as `uv add` writes it down; once written, only the lock changes."""
        self.uv("add", "--quiet", "--no-sync", f"serverless-django @ {wheel}")
        self.uv("sync", "--quiet")  # with the group `dev`, which `add` leaves out

    def uv(self, *arguments: str) -> str:
        done = subprocess.run(
            [UV, *arguments], cwd=self.root, env=_without_ours(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> str:
        """Start the laptop's cloud and return the address of its API."""
        with (self.root / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.root / ".venv" / "bin" / "serverless-django"), "run", "--port", "0"],
                cwd=self.root, env=_without_ours(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not (record := self.root / ".local" / "state" / "running.json").exists():
            assert self.process.poll() is None, (self.root / "run.log").read_text()
            assert time.monotonic() < deadline, (self.root / "run.log").read_text()
            time.sleep(0.2)
        return str(json.loads(record.read_text())["url"])

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None


def ask(url: str, method: str = "GET") -> Any:
    """Return the JSON that `url` answers."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as reply:
        return json.loads(reply.read())


def _without_ours() -> dict[str, str]:
    """Return this environment without the virtual environment and the settings of these tests."""
    hidden = ("VIRTUAL_ENV", "PYTHON", "DJANGO_", "AWS_", "PYTEST_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    ours = str(Path(sys.executable).parent)
    return kept | {"PATH": ":".join(part for part in os.environ["PATH"].split(":") if part != ours)}
