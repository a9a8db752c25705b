"""What the console shows, put together from those who know: a whole picture, and what has changed since."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.console import metrics
from local.console.database import ConnectionCounts, pooler_conninfo
from local.console.lines import Line, LogTail
from local.console.objects import Objects
from local.console.queues import Queues
from local.console.routes import Routes
from local.console.timeline import Timeline
from local.database import APP_USER
from local.postgresql import PORT

if TYPE_CHECKING:
    from local.cloud import Cloud

MAX_LINES_PER_TICK = 60
"""A page cannot be read faster; how many were left out is said."""

SHOWN_LINES = 200


@dataclass
class View:
    """Looks only while somebody watches: `tick` is called by the watcher's clock."""

    cloud: "Cloud"
    timeline: Timeline
    tail: LogTail
    connections: ConnectionCounts
    queues: Queues
    objects: Objects
    routes: Routes = field(default_factory=Routes, init=False)
    sampled: dict[str, Any] = field(default_factory=dict, init=False)
    """What was asked of others: they are asked once a second."""

    _position: int = field(default=0, init=False)
    _told: int = field(default=0, init=False)
    """Breaches that the page knows of: they are long, and seldom new."""

    _lines: list[Line] = field(default_factory=list, init=False)

    @classmethod
    def of(cls, cloud: "Cloud") -> "View":
        pooler = pooler_conninfo(cloud.proxy_host, PORT) if cloud.has_pooler else None
        return cls(
            cloud=cloud,
            timeline=cloud.timeline,
            tail=LogTail(cloud.state / "logs"),
            connections=ConnectionCounts(cloud.postgresql.conninfo(), pooler, APP_USER),
            queues=Queues(cloud.aws.client("sqs")),
            objects=Objects(cloud.aws.client("s3"), cloud.bucket_names()),
        )

    @property
    def logs(self) -> Path:
        return self.tail.folder

    async def sample(self) -> None:
        """Ask PostgreSQL, PgBouncer, SQS and S3 for their own counts."""
        self.sampled = await asyncio.to_thread(self._sample)

    def catch_up(self) -> list[Line]:
        """Read the log lines that are new."""
        lines = self.tail.read()
        self.routes.add(lines)
        self.objects.add(lines)
        self._lines = [*self._lines, *lines][-SHOWN_LINES:]
        return lines

    def tick(self) -> dict[str, Any]:
        """Return what has changed since the last tick, and the tables as they are."""
        lines = self.catch_up()
        news = {} if self.routes.broken.total() == self._told else {"breaches": self._breaches()}
        self._told = self.routes.broken.total()
        spans, self._position = self.timeline.spans_after(self._position)
        return (
            self._tables()
            | news
            | {
                "spans": [[span.number, span.state, round(span.start, 4), round(span.end, 4)] for span in spans],
                "lines": lines[-MAX_LINES_PER_TICK:],
                "left_out": max(0, len(lines) - MAX_LINES_PER_TICK),
            }
        )

    def picture(self) -> dict[str, Any]:
        """Return everything, for a page that has just opened."""
        spans, _ = self.timeline.spans_after(0)
        return self._tables() | {
            "spans": [[span.number, span.state, round(span.start, 4), round(span.end, 4)] for span in spans],
            "lines": self._lines,
            "left_out": 0,
            "breaches": self._breaches(),
        }

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

    def _sample(self) -> dict[str, Any]:
        sampled: dict[str, Any] = {"database": self.connections.read()}
        try:
            return sampled | {"queues": self.queues.read(), "buckets": self.objects.read()}
        except (BotoCoreError, ClientError) as error:
            return sampled | {"aws_error": str(error)}
