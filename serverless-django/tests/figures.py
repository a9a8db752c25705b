"""Figures have one form: whatever measures writes .bench/NAME.json and prints a table against its goals."""

import json
import operator
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BENCH = (
    next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "uv.lock").exists()), Path.cwd())
    / ".bench"
)
"""Below the folder with the lock of what was measured."""

_GOAL = re.compile(r"(<=|>=|==|<|>) *(-?\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


class InvalidGoalError(ValueError):
    """A goal cannot be read, or is for a figure that was not measured."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and what it should be."""

    key: str
    value: float
    goal: str
    """Empty if there is none."""

    @property
    def is_met(self) -> bool:
        """Raise InvalidGoalError if the goal cannot be read."""
        if not self.goal:
            return True
        if not (parts := _GOAL.fullmatch(self.goal)):
            raise InvalidGoalError(
                f'goal of {self.key!r} is {self.goal!r}; write an operator and a number, as "<= 1.0"'
            )
        return _COMPARE[parts[1]](self.value, float(parts[2]))

    def __str__(self) -> str:
        note = "" if not self.goal else f"{self.goal:>14}  {'met' if self.is_met else 'MISSED'}"
        return f"  {self.key:<44} {self.value:>14,.6g} {note}".rstrip()


def write_figures(name: str, figures: Mapping[str, float], goals: Mapping[str, str], *, folder: Path = BENCH) -> bool:
    """Write `figures` and `goals` to `folder`/NAME.json, print the table, and return whether every goal was met.

    A goal is such as "<= 5", under the name of its figure.  Raise InvalidGoalError if one cannot be read or has no
    figure.
    """
    if strangers := sorted(set(goals) - set(figures)):
        raise InvalidGoalError(f"goals without a figure: {', '.join(strangers)}; measured are {', '.join(figures)}")
    rows = _rows(figures, goals)
    met = all(row.is_met for row in rows)
    folder.mkdir(parents=True, exist_ok=True)
    record = {"figures": dict(figures), "goals": dict(goals), "environment": environment()}
    (folder / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    _print_table(name, rows)
    return met


def print_figures(folder: Path = BENCH) -> int:
    """Print the last figures of every measurement in `folder`; return 1 if one misses its goal, else 0."""
    files = sorted(folder.glob("*.json"))
    if not files:
        print("nothing was measured yet; make demo writes the first figures")
    met = True
    for file in files:
        record = json.loads(file.read_text())
        rows = _rows(record["figures"], record["goals"])
        _print_table(f"{file.stem}  ({record['environment'].get('measured_at', 'at an unknown time')})", rows)
        met = met and all(row.is_met for row in rows)
    return 0 if met else 1


def environment() -> dict[str, str | int]:
    """Describe the machine, as far as it explains a figure."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _rows(figures: Mapping[str, float], goals: Mapping[str, str]) -> list[Figure]:
    return [Figure(key, value, goals.get(key, "")) for key, value in figures.items()]


def _print_table(title: str, rows: list[Figure]) -> None:
    print(f"\n{title}")
    for row in rows:
        print(row)


if __name__ == "__main__":
    raise SystemExit(print_figures())
