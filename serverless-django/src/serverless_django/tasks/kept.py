"""Queues that the topology no longer declares, which the deploy keeps with their messages → a declared queue."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.tasks import task_backends

from serverless_django.observability.logs import metric_fields
from serverless_django.tasks import sqs
from serverless_django.tasks.backend import SqsBackend
from serverless_django.tasks.dead_letters import (
    DeadLetter,
    ExpiredLetterError,
    dead_letters_of,
    letters_in,
    redrive,
    release,
)
from serverless_django.tasks.sqs import QueueUnavailableError

logger = logging.getLogger(__name__)

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def find_kept(prefix: str, urls: Mapping[str, str]) -> dict[str, str]:
    """Return the URL, by name, of each queue whose name begins with `prefix` and that belongs to none in `urls`."""
    if not prefix:
        return {}
    declared = {sqs.name_of(url) for queue in urls.values() for url in (queue, dead_letters_of(queue))}
    return {name: url for url in sqs.find_queues(prefix) if (name := sqs.name_of(url)) not in declared}


def count_messages(url: str) -> int:
    """Return how many messages the queue `url` holds, those in flight and those that wait for a delay among them."""
    attributes = sqs.queue_attributes(url)
    return sum(int(attributes.get(name, 0)) for name in COUNTS)


def report_kept() -> None:
    """Log an error, which raises the alarm UnsentCalls, for each kept queue that holds messages.

    A queue that the running deploy is about to keep is one of them.  Raise nothing.
    """
    backend = task_backends["default"]
    if not isinstance(backend, SqsBackend):
        return
    try:
        kept = find_kept(backend.queue_prefix, backend.queue_urls)
        counts = {name: count_messages(url) for name, url in kept.items()}
    except QueueUnavailableError as error:
        logger.warning("whether kept queues hold messages is not known: %s", error)
        return
    for name, count in counts.items():
        if count:
            logger.error(
                "%d messages are in queue %s, which lambda_app.topology does not declare: `tasks drain`", count, name,
                extra=metric_fields({"UnsentCalls": count}, {"queue": name}, by=[["queue"], []]),
            )  # fmt: skip


@dataclass(slots=True)
class Drained:
    """What became of the messages of a kept queue."""

    moved: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """The reason for each message that stays, by its id in SQS."""


def drain(url: str, queue: str, queue_url: str) -> Drained:
    """Move the messages of the kept queue at `url` to `queue`, whose URL is `queue_url`, each group in its order.

    Safe to repeat: a message that is in both queues runs once.  A message that SQS refuses stays, and so do the later
    messages of its group.
    """
    drained = Drained()
    held: set[str] = set()
    for letter in letters_in(queue, url):
        if letter.group in held:
            drained.refused[letter.message_id] = f"an earlier message of group {letter.group} stays"
        elif reason := _fault(letter, queue_url):
            drained.refused[letter.message_id] = reason
            held |= {letter.group} - {""}
        else:
            drained.moved += 1
            continue
        release([letter])
    return drained


def _fault(letter: DeadLetter, queue_url: str) -> str:
    """Move `letter` and return "", or why it stays."""
    try:
        redrive(letter, queue_url)
    except (ExpiredLetterError, QueueUnavailableError) as error:
        return str(error)
    return ""
