"""`manage dead-letters`: what was given up, why, and what becomes of it."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.tasks import task_backends

from serverless_django.tasks import dead_letters
from serverless_django.tasks.backend import SqsBackend
from serverless_django.tasks.dead_letters import DeadLetter, ExpiredLetterError
from serverless_django.tasks.sqs import QueueUnavailableError

DEFAULT_LIMIT = 1_000


class Command(BaseCommand):
    help = "List, show, redrive or drop the messages that were given up."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["list", "show", "redrive", "drop"])
        parser.add_argument("ids", nargs="*", help="message ids as list shows them; none: all that match")
        parser.add_argument("--queue", help="only of this queue")
        parser.add_argument("--task", default="", help="only of tasks whose path ends so")
        parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT)
        parser.add_argument("--dry-run", action="store_true", help="say what redrive or drop would do")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        urls = _urls(options["queue"])
        letters = self._letters(urls, options)
        if options["action"] in ("list", "show"):
            self._print(letters, options)
            return
        if options["action"] == "drop" and not (options["ids"] or options["queue"] or options["dry_run"]):
            raise CommandError("name the messages or a --queue to drop: what is dropped is gone")
        self._act(letters, urls, options)

    def _letters(self, urls: Mapping[str, str], options: Mapping[str, Any]) -> Iterator[DeadLetter]:
        others: list[DeadLetter] = []
        for letter in dead_letters.find_letters(urls, limit=options["limit"]):
            if letter.task.endswith(options["task"]) and (not options["ids"] or letter.message_id in options["ids"]):
                yield letter
            else:
                others.append(letter)
        dead_letters.release(others)

    def _print(self, letters: Iterator[DeadLetter], options: Mapping[str, Any]) -> None:
        seen = list(letters)
        for letter in seen:
            if options["json"] or options["action"] == "show":
                self.stdout.write(json.dumps(_fields(letter), indent=None if options["json"] else 2))
            else:
                age = _age(letter)
                self.stdout.write(f"{letter.queue:<12} {letter.message_id}  {age:>7}  {letter.task}  {letter.reason}")
        dead_letters.release(seen)
        if not options["json"]:
            self.stdout.write(f"{len(seen)} dead letters")

    def _act(self, letters: Iterator[DeadLetter], urls: Mapping[str, str], options: Mapping[str, Any]) -> None:
        action, done, kept, refused = options["action"], 0, [], 0
        for letter in letters:
            if options["dry_run"]:
                self.stdout.write(f"would {action} {letter.message_id} of {letter.queue}: {letter.task}")
                kept.append(letter)
            elif not self._is_done(letter, urls[letter.queue], action):
                kept.append(letter)
                refused += 1
                continue
            done += 1
            self._progress(f"{action} {done}")
        dead_letters.release(kept)
        summary = {"action": action, "done": done, "refused": refused, "dry_run": options["dry_run"]}
        self.stdout.write(json.dumps(summary) if options["json"] else f"{action}: {done}, refused: {refused}")

    def _is_done(self, letter: DeadLetter, queue_url: str, action: str) -> bool:
        """Redrive or drop `letter`; say why if that cannot be, and leave it: the others go on."""
        try:
            if action == "drop":
                dead_letters.drop(letter)
            else:
                dead_letters.redrive(letter, queue_url)
        except (ExpiredLetterError, QueueUnavailableError) as error:
            self.stderr.write(f"{letter.message_id} of {letter.queue} stays: {error}")
            if letter.group:
                # Hidden, it would hide what is behind it.
                dead_letters.release([letter])
            return False
        return True

    def _progress(self, text: str) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{text}", ending="")


def _urls(queue: str | None) -> Mapping[str, str]:
    backend = task_backends["default"]
    if not isinstance(backend, SqsBackend):
        raise CommandError("these settings have no SQS behind their tasks; use `make manage` or the deployed function")
    if queue and queue not in backend.queue_urls:
        raise CommandError(f"there is no queue {queue!r}; there are {', '.join(sorted(backend.queue_urls))}")
    return {name: url for name, url in backend.queue_urls.items() if queue in (None, name)}


def _fields(letter: DeadLetter) -> dict[str, Any]:
    fields = {name: getattr(letter, name) for name in letter.__slots__ if name not in ("receipt_handle", "source_url")}
    return fields | {"sent_at": letter.sent_at.isoformat()}


def _age(letter: DeadLetter) -> str:
    minutes = int((datetime.now(UTC) - letter.sent_at).total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
