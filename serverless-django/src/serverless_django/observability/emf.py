"""Numbers → a line of the log that CloudWatch takes metrics from ("embedded metric format"): no call, no agent."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

NAMESPACE = "ServerlessDjango"


def metric_fields(
    metrics: Mapping[str, float], dimensions: Mapping[str, str], *, by: Sequence[Sequence[str]] = ()
) -> dict[str, Any]:
    """Return `extra` for a log line, so that CloudWatch reads `metrics` from it.

    `dimensions` are the names and values of all dimensions.  Each list of names in `by` is one series of each metric;
    without `by` there is one series with all dimensions.
    """
    declaration = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names) for names in by] or [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": _unit_of(name)} for name in metrics],
    }
    timestamp = int(datetime.now(UTC).timestamp() * 1000)
    return {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [declaration]}, **dimensions, **metrics}


def _unit_of(name: str) -> str:
    if name.endswith("Ms"):
        return "Milliseconds"
    return "Bytes" if name.endswith("Bytes") else "Count"
