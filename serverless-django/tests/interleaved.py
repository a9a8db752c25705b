"""Variants, each in its own process, measured in turns, so that a busy machine slows all of them alike."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.paths import REPOSITORY, import_path

ROOT = REPOSITORY
PEERS_PYTHON = ROOT / ".build" / "peers" / "bin" / "python"


class WorkerError(RuntimeError):
    """A worker ended, or answered with an error."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call, in microseconds."""

    wall: float
    cpu: float


@dataclass
class Worker:
    """A process that obeys one JSON command a line.  Use as a context manager."""

    name: str
    module: str
    arguments: Sequence[str]
    variables: Mapping[str, str]
    python: Path = Path(sys.executable)
    _process: "subprocess.Popen[str] | None" = field(default=None, init=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self.python, "-m", self.module, *self.arguments],
            env=clean_environment() | dict(self.variables),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process is not None
        self._process.communicate()

    def ask(self, **command: Any) -> Any:
        """Return the worker's answer.  Raise WorkerError if it gives none."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"{self.name} ended with {self._process.wait()} at {command}; see its output above")
        return json.loads(line)


def clean_environment() -> dict[str, str]:
    """Return the variables of a worker: of this machine's own it sees the PATH alone."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONPATH": import_path(),
        # The folder that it starts in may hold another project than the one of this process.
        "PYTHONSAFEPATH": "1",
        "PYTHONHASHSEED": "0",
    }


def measure_in_turns[Name: str](
    measure: Callable[[Name], Cost], names: Iterable[Name], *, rounds: int
) -> dict[Name, list[Cost]]:
    """Call `measure` for every name in each of `rounds` rounds, in another order each time."""
    order = list(names)
    costs: dict[Name, list[Cost]] = {name: [] for name in order}
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            costs[name].append(measure(name))
    return costs


def ratio(costs: Mapping[str, Sequence[Cost]], name: str, base: str, *, of: str = "wall") -> float:
    """Return how many times `base` costs `name`: the median over rounds, within which the two ran side by side."""
    pairs = zip(costs[name], costs[base], strict=True)
    return median(getattr(one, of) / getattr(other, of) for one, other in pairs)


def worst_ratio(costs: Mapping[str, Sequence[Cost]], name: str, base: str) -> float:
    """Return the ratio of wall time or that of CPU time, the one that is worse for `name`."""
    return max(ratio(costs, name, base, of=kind) for kind in ("wall", "cpu"))


def medians(costs: Sequence[Cost]) -> Cost:
    return Cost(wall=median(cost.wall for cost in costs), cpu=median(cost.cpu for cost in costs))


def print_costs(title: str, costs: Mapping[str, Sequence[Cost]], *, base: str) -> None:
    """Print the medians, and how many times `base` each variant costs."""
    print(f"\n{title}\n  {'':<18} {'wall':>10} {'cpu':>10} {'x ' + base:>12} {'x ' + base + ', cpu':>16}")
    for name in costs:
        cost = medians(costs[name])
        wall, cpu = (ratio(costs, name, base, of=kind) for kind in ("wall", "cpu"))
        print(f"  {name:<18} {cost.wall:>10.1f} {cost.cpu:>10.1f} {wall:>12.2f} {cpu:>16.2f}")
