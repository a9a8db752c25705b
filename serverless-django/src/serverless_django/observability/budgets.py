"""A recording and a budget → what is over it, where, and what to change.

A budget is a mapping in the attribute `budget` of the request, or of a task's function, where the decorator of
`serverless_django.budgets` puts it.  Every limit that it does not name is that of BUDGET_DEFAULT in the settings.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os.path import relpath
from typing import Any

from django.conf import settings

from serverless_django.budgets import Budget, budget_with
from serverless_django.observability.recordings import Recording, Statement, advice_for, shape_of


class BudgetExceededError(AssertionError):
    """A request or a task took more than its budget allows."""


TIMES = frozenset({"sql_ms", "slowest_query_ms", "response_ms"})
"""What depends on the machine: judged in production and in benchmarks, never in a test."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that was passed."""

    limit: str
    allowed: float
    seen: float
    advice: str = ""

    def __str__(self) -> str:
        fact = f"{self.limit}: {self.seen:,.6g}, at most {self.allowed:,.6g}"
        return f"{fact}; {self.advice}" if self.advice else fact


ADVICE: Mapping[str, Any] = {
    "queries": 6, "repeats": 2, "sql_ms": 50, "slowest_query_ms": 20, "response_ms": 100, "response_bytes": 200_000,
}  # fmt: skip
"""Limits of a route or a task that declares no other, where the settings have no BUDGET_DEFAULT."""


def budget_of(declared: Mapping[str, Any] | None) -> Budget:
    """Return the default with what is `declared` in its place.

    Raise InvalidBudgetError if a limit does not exist or is no number.
    """
    default: Mapping[str, Any] = getattr(settings, "BUDGET_DEFAULT", ADVICE)
    return budget_with({**default, **declared} if declared else default)


def is_within(recording: Recording, budget: Budget, *, response_bytes: int, elapsed_ms: float) -> bool:
    """Return whether the request of `recording` is surely within `budget`, at the least cost.

    `response_bytes` and `elapsed_ms` are those of the whole request.
    """
    return (
        recording.count <= budget.repeats
        and recording.count <= budget.queries
        and recording.sql_ms <= min(budget.sql_ms, budget.slowest_query_ms)
        and elapsed_ms <= budget.response_ms
        and response_bytes <= budget.response_bytes
    )


def breaches_of(
    recording: Recording, budget: Budget, *, response_bytes: int = 0, elapsed_ms: float = 0
) -> list[Breach]:
    """Return each limit of `budget` that `recording` has passed.

    `response_bytes` and `elapsed_ms` are those of the whole request; 0 is within every limit.
    """
    slowest = max(recording.statements, key=lambda statement: statement.nanoseconds, default=None)
    found = [
        *_over("queries", budget.queries, recording.count, "see them below; read what belongs together at once"),
        *_repetitions(recording.statements, budget.repeats),
        *_over("sql_ms", budget.sql_ms, recording.sql_ms, "send fewer statements, or find the slow one"),
        *_over("response_ms", budget.response_ms, elapsed_ms, "move work to a task, or cache its result"),
        *_over("response_bytes", budget.response_bytes, response_bytes, "answer a page at a time"),
    ]
    if slowest is not None:
        advice = f"EXPLAIN (ANALYZE, BUFFERS) {shape_of(slowest.sql)[:300]}"
        found += _over("slowest_query_ms", budget.slowest_query_ms, slowest.ms, advice)
    return found


def report_of(recording: Recording, breaches: list[Breach]) -> str:
    """Return the breaches and, for a reader who has to find them, every statement with its line."""
    lines = [f"{recording.name} is over its budget", *(f"  {breach}" for breach in breaches), "statements:"]
    groups: dict[tuple[str, Any], list[Statement]] = defaultdict(list)
    for statement in recording.statements:
        groups[shape_of(statement.sql), statement.site].append(statement)
    for (shape, site), statements in groups.items():
        total = sum(statement.ms for statement in statements)
        lines.append(f"  {len(statements):>4} x  {total:>7.1f} ms  {shape[:200]}")
        if site is not None:
            lines.append(f"          {_place(site)}")
    return "\n".join(lines)


def _over(limit: str, allowed: float, seen: float, advice: str) -> list[Breach]:
    return [Breach(limit, allowed, seen, advice)] if seen > allowed else []


def _repetitions(statements: list[Statement], allowed: int) -> Iterator[Breach]:
    groups: dict[tuple[str, Any], list[Statement]] = defaultdict(list)
    for statement in statements:
        site = statement.site
        groups[shape_of(statement.sql), site and (site.file, site.line)].append(statement)
    for (shape, _), repeated in groups.items():
        if len(repeated) > allowed:
            site = repeated[-1].site
            place = f" at {_place(site)}" if site else ""
            yield Breach("repeats", allowed, len(repeated), f"{advice_for(shape, site)}{place}: {shape[:200]}")


def _place(site: Any) -> str:
    path = relpath(site.file)
    return f"{path if not path.startswith('..') else site.file}:{site.line} in {site.function}"
