"""Invocation lines → what each route and each worker costs: how often, how long, how much SQL, against its budget."""

import bisect
import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

BUDGET_MS = 100
"""No response should take longer."""

BUCKETS_MS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)
SAMPLES = 500
"""Of each route, for its percentiles: the last ones count, not those of an hour ago."""

MAX_BREACHES = 20
MAX_REPORT_CHARACTERS = 2000
FIRST_SERVER_ERROR = 500

_TASK = re.compile(r"Task id=(\S+) path=(\S+) state=(\w+)")


@dataclass(slots=True)
class Route:
    """One route of the API, or one handler of the background."""

    name: str
    source: str
    count: int = 0
    errors: int = 0
    cold_starts: int = 0
    queries: int = 0
    sql_ms: float = 0
    total_ms: float = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))
    """Counts up to each of BUCKETS_MS, and beyond; not cumulative."""

    recent: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    """Milliseconds of warm invocations: what a cold start costs is its own question."""

    def add(self, line: Mapping[str, Any]) -> None:
        """Count the invocation that the log line `line` reports."""
        milliseconds = float(line.get("duration_ms", 0))
        self.count += 1
        self.errors += "error" in line or line.get("status", 0) >= FIRST_SERVER_ERROR
        self.cold_starts += bool(line.get("cold_start"))
        self.queries += line.get("queries", 0)
        self.sql_ms += line.get("sql_ms", 0)
        self.total_ms += milliseconds
        self.buckets[bisect.bisect_left(BUCKETS_MS, milliseconds)] += 1
        if not line.get("cold_start"):
            self.recent.append(milliseconds)

    def fields(self) -> dict[str, Any]:
        ordered = sorted(self.recent)
        return {
            "name": self.name,
            "source": self.source,
            "count": self.count,
            "errors": self.errors,
            "cold_starts": self.cold_starts,
            "queries": round(self.queries / self.count, 1),
            "sql_ms": round(self.sql_ms / self.count, 1),
            "p50": percentile(ordered, 0.5),
            "p95": percentile(ordered, 0.95),
            "budget_ms": BUDGET_MS if self.source == "api_gateway" else None,
        }


def percentile(ordered: list[float], share: float) -> float | None:
    """Return the value below which `share` of the sorted values `ordered` lie, None if there are none."""
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1) if ordered else None


@dataclass
class Routes:
    """Adds up what the lines say."""

    routes: dict[str, Route] = field(default_factory=dict, init=False)
    breaches: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_BREACHES), init=False)
    broken: Counter[str] = field(default_factory=Counter, init=False)
    """Breaches by route."""

    tasks: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)
    """By path and state in which they ended."""

    ended: dict[str, str] = field(default_factory=dict, init=False)
    """State by id of the last calls."""

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Count the requests, tasks and breached budgets that the log `lines` report."""
        for line in lines:
            if line.get("message") == "invocation":
                self._route_of(line).add(line)
            elif "BudgetBreaches" in line:
                self._add_breach(line)
            elif match := _TASK.match(str(line.get("message", ""))):
                self._add_task(*match.groups())
            elif "calls" in line:
                for call in line["calls"]:
                    self._add_task(call, line["task"], "SUCCESSFUL")

    def table(self) -> list[dict[str, Any]]:
        return [route.fields() for route in sorted(self.routes.values(), key=lambda route: -route.count)]

    def _route_of(self, line: Mapping[str, Any]) -> Route:
        source = str(line.get("source", ""))
        name = str(line.get("route") or ("no route" if source == "api_gateway" else source))
        return self.routes.setdefault(name, Route(name, source))

    def _add_breach(self, line: Mapping[str, Any]) -> None:
        self.broken[str(line.get("route"))] += 1
        wanted = ("route", "message", "timestamp", "correlation_id", "Queries", "SqlMs", "ResponseMs")
        breach = {name: line[name] for name in wanted if name in line}
        self.breaches.append(breach | {"message": str(line.get("message", ""))[:MAX_REPORT_CHARACTERS]})

    def _add_task(self, call: str, path: str, state: str) -> None:
        if state != "RUNNING":
            self.tasks[path, state] += 1
        self.ended[call] = state
        while len(self.ended) > SAMPLES:
            del self.ended[next(iter(self.ended))]
