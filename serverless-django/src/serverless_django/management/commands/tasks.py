"""`manage tasks`: how much waits, since when and how fast it goes; and another queue for calls that were not sent."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.tasks import task_backends

from serverless_django.conf import topology
from serverless_django.postgresql.cursors import run_statement
from serverless_django.tasks import sqs
from serverless_django.tasks.backend import SqsBackend
from serverless_django.tasks.dead_letters import dead_letters_of
from serverless_django.tasks.kept import Drained, count_messages, drain, find_kept

OUTBOX = """
    SELECT queue, count(*),
           greatest(0, extract(epoch FROM statement_timestamp() - min(coalesce(run_after, created_at))))::int
    FROM serverless_outbox
    WHERE run_after IS NULL OR run_after < statement_timestamp() OR queue <> ALL (%s::text[]) GROUP BY queue
"""
RATE = "SELECT count(*) FROM serverless_receipt WHERE received_at > statement_timestamp() - interval '1 minute'"
FAILING = "SELECT count(*) FROM serverless_failed_call"
MOVE = "UPDATE serverless_outbox SET queue = %s WHERE queue = %s RETURNING 1"

COLUMNS = ("waiting", "in_flight", "delayed", "dead", "unsent", "oldest_unsent_s")


class Command(BaseCommand):
    help = "Show depth, dead letters, unsent calls and rate of each queue; move what one that is gone left to another."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["stats", "move", "drain"])
        parser.add_argument("queues", nargs="*", help="of move and drain: the one that is gone, and the one to send to")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "move":
            self.stdout.write(f"{move_unsent(*_old_and_new(options['queues']))} calls moved; the next sweep sends them")
            return
        if options["action"] == "drain":
            self._drain(*_old_and_new(options["queues"]))
            return
        stats = read_stats()
        if options["json"]:
            self.stdout.write(json.dumps(stats))
            return
        self.stdout.write(f"{'queue':<14}" + "".join(f"{name:>16}" for name in COLUMNS))
        for queue, row in stats["queues"].items():
            self.stdout.write(f"{queue:<14}" + "".join(f"{row[name]:>16,}" for name in COLUMNS))
        for queue in stats["undeclared"]:
            self.stdout.write(f"{queue} is not declared in lambda_app.topology: its calls are sent when it is again")
        for name, count in stats["kept"].items():
            self.stdout.write(f"{name} is kept with {count:,} messages; no queue of lambda_app.topology is behind it")
        self.stdout.write(f"{stats['done_last_minute']:,} calls done in the last minute, {stats['failing']:,} failing")

    def _drain(self, old: str, new: str) -> None:
        drained = drain_kept(old, new)
        for message_id, reason in drained.refused.items():
            self.stderr.write(f"{message_id} stays: {reason}")
        self.stdout.write(f"moved: {drained.moved}, refused: {len(drained.refused)}")


def read_stats() -> dict[str, Any]:
    """Raise CommandError if the settings have no SQS behind their tasks."""
    urls = _urls()
    unsent = {queue: (count, age) for queue, count, age in run_statement(OUTBOX, [list(urls)])}
    undeclared = sorted(set(unsent) - set(urls))
    queues = {name: _depth(urls.get(name, ""), *unsent.get(name, (0, 0))) for name in [*sorted(urls), *undeclared]}
    return {
        "queues": queues,
        "undeclared": undeclared,
        "kept": {name: count_messages(url) for name, url in find_kept(_backend().queue_prefix, urls).items()},
        "done_last_minute": run_statement(RATE)[0][0],
        "failing": run_statement(FAILING)[0][0],
    }


def move_unsent(old: str, new: str) -> int:
    """Let the calls of the outbox that are for `old` go to `new`, and return their number.

    Raise CommandError if there is no queue `new`, or if it is FIFO: the calls have no group there.
    """
    _check_queue(new)
    if new in topology().fifo_queues:
        raise CommandError(f"queue {new!r} is FIFO, and calls that were made for another have no group in it")
    return len(run_statement(MOVE, [new, old]))


def drain_kept(old: str, new: str) -> Drained:
    """Move the messages of `old`, a kept queue as SQS names it, to the declared queue `new`.

    Raise CommandError if either does not exist: a queue in use is drained by its worker.
    """
    backend = _backend()
    kept = find_kept(backend.queue_prefix, backend.queue_urls)
    if old not in kept:
        raise CommandError(f"no queue {old!r} is kept; there are: {', '.join(kept) or 'none'}")
    _check_queue(new)
    return drain(kept[old], new, backend.queue_urls[new])


def _check_queue(name: str) -> None:
    if name not in _urls():
        raise CommandError(f"there is no queue {name!r}; there are {', '.join(sorted(_urls()))}")


def _old_and_new(queues: Sequence[str]) -> tuple[str, str]:
    if len(queues) != 2:
        raise CommandError("name two queues: manage tasks move OLD NEW")
    return queues[0], queues[1]


def _urls() -> Mapping[str, str]:
    return _backend().queue_urls


def _backend() -> SqsBackend:
    backend = task_backends["default"]
    if not isinstance(backend, SqsBackend):
        raise CommandError("these settings have no SQS behind their tasks; use `make manage` or the deployed function")
    return backend


def _depth(url: str, unsent: int, oldest_unsent_seconds: int) -> dict[str, int]:
    here = sqs.queue_attributes(url) if url else {}
    dead_url = dead_letters_of(url) if url else ""
    dead = sqs.queue_attributes(dead_url) if dead_url else {}
    return {
        "waiting": int(here.get("ApproximateNumberOfMessages", 0)),
        "in_flight": int(here.get("ApproximateNumberOfMessagesNotVisible", 0)),
        "delayed": int(here.get("ApproximateNumberOfMessagesDelayed", 0)),
        "dead": int(dead.get("ApproximateNumberOfMessages", 0)),
        "unsent": unsent,
        "oldest_unsent_s": oldest_unsent_seconds,
    }
