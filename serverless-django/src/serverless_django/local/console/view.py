"""What the console shows, put together from those who know: a whole picture, and what has changed since."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from serverless_django.local.console import metrics
from serverless_django.local.console.burst import sample_requests
from serverless_django.local.console.database import ConnectionCounts, pooler_conninfo
from serverless_django.local.console.lines import Line, LogTail
from serverless_django.local.console.objects import Objects
from serverless_django.local.console.queues import Queues
from serverless_django.local.console.routes import Routes
from serverless_django.local.console.timeline import Span, Timeline
from serverless_django.local.database import APP_USER
from serverless_django.local.postgresql import PORT

if TYPE_CHECKING:
    from serverless_django.local.cloud import Cloud

MAX_LINES_PER_TICK = 60
"""A page cannot be read faster; how many were left out is said."""

SHOWN_LINES = 200
SHOWN_FIELDS = (
    "timestamp", "function", "level", "message", "exception", "correlation_id", "correlation_ids", "source", "route",
    "status", "messages", "failed", "error", "duration_ms", "queries", "sql_ms", "cold_start",
)  # fmt: skip
"""Of a line: the rest, such as the ARN of the function, is for `make tail ARGS=--json`."""

NEWS_SECONDS = 2.0
"""Reports of broken budgets are long, and under load there is a new one at each tick."""


@dataclass
class View:
    """Samples only while a page is open, whose clock calls `tick`."""

    cloud: "Cloud"
    timeline: Timeline
    tail: LogTail
    connections: ConnectionCounts
    queues: Queues
    objects: Objects
    routes: Routes = field(default_factory=Routes, init=False)
    sampled: dict[str, Any] = field(default_factory=dict, init=False)
    """What was asked of others."""

    _position: int = field(default=0, init=False)
    _told: int = field(default=0, init=False)
    """Breaches that the page knows of."""

    _told_at: float = field(default=0, init=False)

    _lines: list[Line] = field(default_factory=list, init=False)

    @classmethod
    def of(cls, cloud: "Cloud") -> "View":
        pooler = pooler_conninfo(cloud.proxy_host, PORT) if cloud.has_pooler else None
        return cls(
            cloud=cloud,
            timeline=cloud.timeline,
            tail=LogTail(cloud.state / "logs"),
            connections=ConnectionCounts(cloud.postgresql.conninfo(), pooler, APP_USER),
            queues=Queues(cloud.aws.client("sqs"), cloud.queue_urls),
            objects=Objects(cloud.aws.client("s3"), cloud.bucket_names()),
        )

    @property
    def logs(self) -> Path:
        return self.tail.folder

    async def sample(self, *, with_aws: bool = True) -> None:
        """Ask PostgreSQL and PgBouncer for their counts, and, `with_aws`, SQS and S3, which costs more."""
        self.sampled |= {"database": await asyncio.to_thread(self.connections.read)}
        if with_aws:
            self.sampled |= await asyncio.to_thread(self._ask_aws)

    def catch_up(self) -> list[Line]:
        """Read the log lines that are new."""
        lines = self.tail.read()
        self.routes.add(lines)
        self.objects.add(lines)
        self._lines = [*self._lines, *map(_shown, lines[-SHOWN_LINES:])][-SHOWN_LINES:]
        return lines

    def tick(self) -> dict[str, Any]:
        """Return what has changed since the last tick, and the tables as they are."""
        lines = self.catch_up()
        spans, self._position = self.timeline.spans_after(self._position)
        changed = {
            "spans": [_drawn(span) for span in spans],
            "lines": [_shown(line) for line in lines[-MAX_LINES_PER_TICK:]],
            "left_out": max(0, len(lines) - MAX_LINES_PER_TICK),
        }
        return self._tables() | changed | self._news()

    def picture(self) -> dict[str, Any]:
        """Return everything, for a page that has just opened."""
        spans, _ = self.timeline.spans_after(0)
        everything = {"spans": [_drawn(span) for span in spans], "lines": self._lines, "left_out": 0}
        samples = list(sample_requests(self.cloud.project.root))
        return self._tables() | everything | {"breaches": self._breaches(), "samples": samples}

    def exposition(self) -> str:
        """Return the figures for Prometheus."""
        return metrics.exposition(
            [
                *metrics.invocation_metrics(self.cloud.environments.counts),
                *metrics.environment_metrics(self._states()),
                *metrics.route_metrics(self.routes.routes.values(), self.routes.broken),
                *metrics.connection_metrics(self.sampled.get("database", {"error": "not asked"})),
                *metrics.queue_metrics(self.sampled.get("queues", [])),
            ]
        )

    def _news(self) -> dict[str, Any]:
        now, count = time.monotonic(), self.routes.broken.total()
        if count == self._told or now < self._told_at + NEWS_SECONDS:
            return {}
        self._told, self._told_at = count, now
        return {"breaches": self._breaches()}

    def _breaches(self) -> list[dict[str, Any]]:
        return list(self.routes.breaches)[::-1]

    def _states(self) -> Mapping[tuple[str, str], int]:
        return Counter((row.environment.function.source, row.state) for row in self.timeline.living())

    def _tables(self) -> dict[str, Any]:
        return {
            "now": round(time.time(), 4),
            "environments": self.timeline.picture(),
            "counts": dict(self.cloud.environments.counts),
            "routes": self.routes.table(),
            "recent_objects": self.objects.recent(self.routes.ended),
            **self.sampled,
        }

    def _ask_aws(self) -> dict[str, Any]:
        try:
            return {"queues": self.queues.read(), "buckets": self.objects.read()}
        except (BotoCoreError, ClientError) as error:
            return {"aws_error": str(error)}


def _shown(line: Line) -> Line:
    return {name: line[name] for name in SHOWN_FIELDS if name in line}


def _drawn(span: Span) -> list[Any]:
    return [span.number, span.state, round(span.start, 4), round(span.end, 4)]
