"""`manage tasks stats`: how much waits, since when, and how fast it goes."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.tasks import task_backends

from lambda_app.serverless.tasks import sqs
from lambda_app.serverless.tasks.backend import SqsBackend
from lambda_app.serverless.tasks.dead_letters import dead_letters_of
from lambda_app.serverless.tasks.statements import run_statement

OUTBOX = """
    SELECT queue, count(*), extract(epoch FROM statement_timestamp() - min(created_at))::int
    FROM serverless_outbox WHERE run_after IS NULL OR run_after < statement_timestamp() GROUP BY queue
"""
RATE = "SELECT count(*) FROM serverless_receipt WHERE received_at > statement_timestamp() - interval '1 minute'"
FAILING = "SELECT count(*) FROM serverless_failed_call"

COLUMNS = ("waiting", "in_flight", "delayed", "dead", "unsent", "oldest_unsent_s")


class Command(BaseCommand):
    help = "Show the depth of each queue, its dead letters, what is not sent yet, and the rate of calls done."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["stats"])
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        stats = read_stats()
        if options["json"]:
            self.stdout.write(json.dumps(stats))
            return
        self.stdout.write(f"{'queue':<14}" + "".join(f"{name:>16}" for name in COLUMNS))
        for queue, row in stats["queues"].items():
            self.stdout.write(f"{queue:<14}" + "".join(f"{row[name]:>16,}" for name in COLUMNS))
        self.stdout.write(f"{stats['done_last_minute']:,} calls done in the last minute, {stats['failing']:,} failing")


def read_stats() -> dict[str, Any]:
    """Raise CommandError if the settings have no SQS behind their tasks."""
    backend = task_backends["default"]
    if not isinstance(backend, SqsBackend):
        raise CommandError("these settings have no SQS behind their tasks; use `make manage` or the deployed function")
    unsent = {queue: (count, age) for queue, count, age in run_statement(OUTBOX)}
    queues = {name: _depth(url, *unsent.get(name, (0, 0))) for name, url in sorted(backend.queue_urls.items())}
    return {
        "queues": queues,
        "done_last_minute": run_statement(RATE)[0][0],
        "failing": run_statement(FAILING)[0][0],
    }


def _depth(url: str, unsent: int, oldest_unsent_seconds: int) -> dict[str, int]:
    here = sqs.queue_attributes(url)
    dead_url = dead_letters_of(url)
    dead = sqs.queue_attributes(dead_url) if dead_url else {}
    return {
        "waiting": int(here.get("ApproximateNumberOfMessages", 0)),
        "in_flight": int(here.get("ApproximateNumberOfMessagesNotVisible", 0)),
        "delayed": int(here.get("ApproximateNumberOfMessagesDelayed", 0)),
        "dead": int(dead.get("ApproximateNumberOfMessages", 0)),
        "unsent": unsent,
        "oldest_unsent_s": oldest_unsent_seconds,
    }
