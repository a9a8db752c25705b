"""A running `tests.uploads.environment`, and what it says of each sample."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.uploads.corpus import Sample
from tests.uploads.environment import RESULT

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of one file."""

    peak_mb: float
    seconds: float
    reason: str
    renditions: tuple[bytes, ...]


@dataclass
class MeasuringEnvironment:
    folder: Path
    process: "subprocess.Popen[str]"
    idle_mb: float = 0
    _known: dict[str, Measured] = field(default_factory=dict)

    def render(self, sample: Sample) -> Measured:
        """Return what became of `sample`, rendered once.  Raise AssertionError if the environment dies of it."""
        if sample.name not in self._known:
            self._known[sample.name] = self._render(sample)
        return self._known[sample.name]

    def _render(self, sample: Sample) -> Measured:
        path = self.folder / sample.name
        path.write_bytes(sample.make())
        assert self.process.stdin is not None
        self.process.stdin.write(f"{sample.content_type} {path}\n")
        self.process.stdin.flush()
        answer = self.answer()
        assert "crashed" not in answer, f"{sample} ended its environment with {answer['crashed']}"
        renditions = tuple(path.with_suffix(f".{n}.webp").read_bytes() for n in range(answer["renditions"]))
        return Measured(answer["peak_mb"], answer["seconds"], answer["reason"], renditions)

    def answer(self) -> Any:
        assert self.process.stdout is not None
        # The function logs to the same place.
        line = next(line for line in self.process.stdout if line.startswith(RESULT))
        return json.loads(line.removeprefix(RESULT))


@contextmanager
def measuring(folder: Path) -> Iterator[MeasuringEnvironment]:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AWS_DEFAULT_REGION": "us-east-1"}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    command = [sys.executable, "-m", "tests.uploads.environment"]
    with subprocess.Popen(
        command, cwd=ROOT, env=variables | keys, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        environment = MeasuringEnvironment(folder, process)
        environment.idle_mb = environment.answer()["idle_mb"]
        yield environment
        process.communicate()
