"""The console's figures in Prometheus' text format 0.0.4, for any Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from serverless_django.local.console.routes import BUCKETS_MS, Route

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

type Labels = Mapping[str, str]
type Sample = tuple[str, Labels, float]
"""Suffix of the metric's name, labels, value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One family of samples."""

    name: str
    kind: str
    help: str
    samples: Iterable[Sample]

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        for suffix, labels, value in self.samples:
            yield f"{self.name}{suffix}{_labels(labels)} {value:.10g}"


def exposition(metrics: Iterable[Metric]) -> str:
    """Return `metrics` in Prometheus' text format."""
    return "\n".join([*(line for metric in metrics for line in metric.lines()), ""])


def invocation_metrics(counts: Mapping[str, int]) -> Iterator[Metric]:
    """Yield what the launcher counts by source: "sqs invocations" and its like."""
    kinds = {
        "invocations": "Invocations of each function.",
        "cold starts": "Invocations that waited for a new environment.",
        "errors": "Invocations that failed.",
        "messages": "Messages that were processed.",
    }
    for kind, text in kinds.items():
        found = {key.removesuffix(f" {kind}"): count for key, count in counts.items() if key.endswith(f" {kind}")}
        samples = [("", {"source": source}, count) for source, count in sorted(found.items())]
        yield Metric(f"serverless_{kind.replace(' ', '_')}_total", "counter", text, samples)


def route_metrics(routes: Iterable[Route], broken: Mapping[str, int]) -> Iterator[Metric]:
    """Yield the metrics of `routes`; `broken` has the number of breached budgets by route."""
    known = list(routes)
    yield Metric(
        "serverless_request_duration_seconds", "histogram", "Time within the handler, by route.",
        [sample for route in known for sample in _histogram(route)],
    )  # fmt: skip
    yield Metric("serverless_sql_queries_total", "counter", "Queries, by route.",
                 [("", {"route": route.name}, route.queries) for route in known])  # fmt: skip
    yield Metric("serverless_sql_seconds_total", "counter", "Time in SQL, by route.",
                 [("", {"route": route.name}, route.sql_ms / 1000) for route in known])  # fmt: skip
    yield Metric("serverless_budget_breaches_total", "counter", "Requests and tasks over their budget.",
                 [("", {"route": name}, count) for name, count in sorted(broken.items())])  # fmt: skip


def environment_metrics(states: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    """Yield the number of execution environments; `states` counts them by function and state."""
    yield Metric(
        "serverless_environments", "gauge", "Execution environments that live, by what they do.",
        [("", {"source": source, "state": state}, count) for (source, state), count in sorted(states.items())],
    )  # fmt: skip


def connection_metrics(connections: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the numbers in `connections`, as the database and its pooler report them."""
    yield Metric("serverless_database_up", "gauge", "Whether the database and its pooler answer.",
                 [("", {}, "error" not in connections)])  # fmt: skip
    for name, text in (
        ("clients", "Connections of functions to the pooler."),
        ("backends", "Connections of the pooler to PostgreSQL."),
    ):
        counts = connections.get(name) or {}
        samples = [("", {"state": state}, count) for state, count in sorted(counts.items())]
        yield Metric(f"serverless_database_{name}", "gauge", text, samples)


def queue_metrics(queues: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    """Yield the numbers of messages in `queues`."""
    states = ("waiting", "in_flight", "delayed", "dead")
    samples = [
        ("", {"queue": str(row["name"]), "state": state}, float(row[state])) for row in queues for state in states
    ]
    yield Metric("serverless_queue_messages", "gauge", "Messages in each queue, and among its dead letters.", samples)


def _histogram(route: Route) -> Iterator[Sample]:
    labels, total = {"route": route.name, "source": route.source}, 0
    for bound, count in zip((*BUCKETS_MS, None), route.buckets, strict=True):
        total += count
        yield "_bucket", labels | {"le": "+Inf" if bound is None else f"{bound / 1000:g}"}, total
    yield "_sum", labels, route.total_ms / 1000
    yield "_count", labels, route.count


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
