"""What each execution environment did and does: init, run, frozen, as spans on a clock that all of them share."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from serverless_django.local.execution_environment import ExecutionEnvironment

KEPT_SECONDS = 60.0
"""How long one that is gone stays in the picture, and how far back the picture goes."""

MAX_SPANS = 20_000


@dataclass(slots=True)
class Row:
    """One environment and what it does now."""

    environment: ExecutionEnvironment
    state: str
    since: float
    """Unix time."""

    def fields(self) -> dict[str, Any]:
        environment = self.environment
        return {
            "number": environment.number,
            "pid": environment.pid,
            "source": environment.function.source,
            "function": environment.function.name,
            "state": self.state,
            "held": environment.is_held,
            "since": round(self.since, 4),
            "invocations": environment.invocations,
            "init_ms": round(environment.init_ms),
        }


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which an environment was in one state."""

    number: int
    state: str
    start: float
    end: float


@dataclass
class Timeline:
    """Told of every change; a note costs some microseconds, also while no page is open."""

    rows: dict[int, Row] = field(default_factory=dict, init=False)
    starts: int = field(default=0, init=False)
    _spans: deque[Span] = field(default_factory=lambda: deque(maxlen=MAX_SPANS), init=False)
    _added: int = field(default=0, init=False)

    def note(self, environment: ExecutionEnvironment) -> None:
        now = time.time()
        row = self.rows.get(environment.number)
        if row is None:
            self.rows[environment.number] = Row(environment, environment.state, now)
            self.starts += 1
        elif row.state != environment.state:
            # What is frozen is what lies between: there is no need to draw it.
            if row.state != "frozen":
                self._spans.append(Span(environment.number, row.state, row.since, now))
                self._added += 1
            row.state, row.since = environment.state, now

    def spans_after(self, position: int) -> tuple[list[Span], int]:
        """Return the spans that were added since `position`, and the position now."""
        wanted = min(self._added - position, len(self._spans))
        return [self._spans[index] for index in range(len(self._spans) - wanted, len(self._spans))], self._added

    def picture(self) -> list[dict[str, Any]]:
        """Return every environment that lives or has lived within KEPT_SECONDS."""
        limit = time.time() - KEPT_SECONDS
        for number in [number for number, row in self.rows.items() if row.state == "gone" and row.since < limit]:
            del self.rows[number]
        return [row.fields() for row in self.rows.values()]

    def living(self) -> list[Row]:
        return [row for row in self.rows.values() if row.state != "gone"]
