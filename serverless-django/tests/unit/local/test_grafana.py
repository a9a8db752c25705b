"""The dashboard for Grafana asks for metrics that there are."""

import json
import re
from pathlib import Path

from serverless_django.local.console import metrics
from serverless_django.local.console.routes import Route

DASHBOARD = Path(metrics.__file__).parent / "grafana.json"


def known() -> set[str]:
    """Return the names of all metrics that the console gives."""
    counts = {f"sqs {kind}": 1 for kind in ("invocations", "cold starts", "errors", "messages")}
    queue = {"name": "likes", "waiting": 0, "in_flight": 0, "delayed": 0, "dead": 0}
    text = metrics.exposition(
        [
            *metrics.invocation_metrics(counts),
            *metrics.route_metrics([Route("GET /", "api_gateway")], {"GET /": 1}),
            *metrics.environment_metrics({("sqs", "run"): 1}),
            *metrics.connection_metrics({"clients": {"active": 1}, "backends": {"idle": 1}}),
            *metrics.queue_metrics([queue]),
        ]
    )
    return set(re.findall(r"^(serverless_\w+)", text, re.MULTILINE))


def test_every_query_of_the_dashboard_is_of_a_metric_that_there_is():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"serverless_\w+", target["expr"])
    }

    assert len(panels) >= 10
    assert asked <= known()


def test_every_metric_is_on_the_dashboard_but_the_count_of_messages():
    text = DASHBOARD.read_text()

    assert {name for name in known() if re.sub("_(bucket|sum|count)$", "", name) not in text} == {
        "serverless_messages_total"
    }
