"""One process with one application: `python -m tests.benchmarks.feed.worker ours|stock`, then commands, as for http."""

import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from tests.benchmarks.http.variants import VARIANTS, Variant
from tests.benchmarks.http.worker import event_for


def main(name: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    django.setup()
    worker = FeedWorker(VARIANTS[name]())
    for line in sys.stdin:
        command = json.loads(line)
        answers.write(json.dumps(getattr(worker, command.pop("do"))(**command)) + "\n")
        answers.flush()


class FeedWorker:
    """Each method is a command; `subject` is who asks."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant

    def answer(self, **request: Any) -> Any:
        reply = self.variant.call(self._event(**request))
        return {"status": reply["statusCode"], "body": reply["body"]}

    def time(self, count: int, **request: Any) -> Any:
        """Return milliseconds on the wall and of the CPU, ours and the database's, of each of `count` calls."""
        events = [self._event(**request) for _ in range(count)]
        gc.collect()
        return [self._timed(event) for event in events]

    def statements(self, count: int, **request: Any) -> Any:
        """Return, for each of `count` calls, how many statements it sent and the milliseconds of the slowest."""
        found = []
        for _ in range(count):
            with self._recorded() as recording:
                self.variant.call(self._event(**request))
            found.append(
                {"queries": recording.count, "slowest_ms": max((s.ms for s in recording.statements), default=0)}
            )
        return found

    def whole_scans(self, rows: int, **request: Any) -> Any:
        """Return what a call reads from end to end, of tables with `rows` rows at least, as the planner likes it."""
        from django.db import connection

        from serverless_django.doctor.database_facts import read_database
        from serverless_django.observability.plans import is_explainable, read_plan, whole_scans

        facts = read_database()
        partial = frozenset(index.name for index in facts["indexes"] if index.condition)
        with self._recorded() as recording:
            self.variant.call(self._event(**request))
        plans = [read_plan(connection, s.sql, s.params) for s in recording.statements if is_explainable(s.sql)]
        scans = [scan for plan in plans for scan in whole_scans(plan, partial=partial)]
        return [
            str(scan)
            for scan in scans
            if scan.relation in facts["tables"] and facts["tables"][scan.relation].rows >= rows
        ]

    def _timed(self, event: Any) -> dict[str, float]:
        cpu, database, wall = time.process_time_ns(), self._database_ns(), time.perf_counter_ns()
        self.variant.call(event)
        wall = time.perf_counter_ns() - wall
        cpu = time.process_time_ns() - cpu + self._database_ns() - database
        return {"wall": wall / 1e6, "cpu": cpu / 1e6}

    def _database_ns(self) -> int:
        """Return what the backend of our connection has run, which no other process of a busy machine adds to."""
        from django.db import connection

        if connection.connection is None:
            return 0
        return int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0])

    @contextmanager
    def _recorded(self) -> Iterator[Any]:
        from serverless_django.observability.recordings import recorded

        with recorded() as recording:
            yield recording

    def _event(self, *, method: str = "GET", path: str, subject: str, body: Any = None) -> Any:
        event = event_for(path)
        event["requestContext"]["authorizer"]["jwt"]["claims"] |= {"sub": subject, "preferred_username": "member-x"}
        event["requestContext"]["http"]["method"] = method
        if body is not None:
            event |= {"body": json.dumps(body), "isBase64Encoded": False}
            event["headers"]["content-type"] = "application/json"
        return event


if __name__ == "__main__":
    main(sys.argv[1])
