"""Messages that were given up: burial with the reason, and for operators a look, another try, or an end.

A dead letter keeps its body and so its id: tried again, it is done only if it was not done before.
A redriven message has all its attempts again: `failures` counts from the time that it was sent.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

from serverless_django.contract.task_message import InvalidTaskMessageError
from serverless_django.tasks import failures, sqs
from serverless_django.tasks.groups import group_in
from serverless_django.tasks.receipts import RETENTION
from serverless_django.tasks.sqs import Outgoing, QueueUnavailableError
from serverless_django.tasks.wire import Envelope, read_envelope

GIVEN_UP_BY_SQS = "given up by SQS: the worker ended without a word, or the infrastructure failed too often"
LOOK_SECONDS = 30
"""How long a look hides messages from other looks, so that it meets each only once."""

MAX_ATTRIBUTE_CHARACTERS = 1_000


class ExpiredLetterError(ValueError):
    """A dead letter is older than the receipt that would tell whether it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message among the dead letters of `queue`."""

    queue: str
    message_id: str
    """Of SQS; another one each time that it is sent."""

    task: str
    """Empty if the body is no call."""

    reason: str
    attempts: int
    sent_at: datetime
    body: str
    group: str
    """Of a FIFO queue, whose order it is redriven in; "" on any other."""

    source_url: str
    """The queue that it lies in."""

    receipt_handle: str

    @classmethod
    def of(cls, queue: str, source_url: str, message: Mapping[str, Any]) -> Self:
        """Return the dead letter in `message`, as boto3 received it from the dead-letter queue of `queue`.

        `source_url` is the URL of the queue that it failed on.
        """
        # Others may send here, too: what they wrote beside the body may be of any type, or missing.
        told = {name: item.get("StringValue", "") for name, item in message.get("MessageAttributes", {}).items()}
        attempts = told.get("attempts", "")
        return cls(
            queue=queue,
            message_id=message["MessageId"],
            task=_task_in(message["Body"]),
            reason=told.get("reason", GIVEN_UP_BY_SQS),
            attempts=int(attempts) if attempts.isdecimal() else 0,
            sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
            body=message["Body"],
            group=message["Attributes"].get("MessageGroupId", ""),
            source_url=source_url,
            receipt_handle=message["ReceiptHandle"],
        )


def send_to_dead_letters(record: Mapping[str, Any], *, error: Exception, attempts: int) -> bool:
    """Send the message of `record` to the dead-letter queue, with the last `error` and the number of `attempts`.

    Return False if its queue has no dead-letter queue.  A worker that is killed before it acknowledges the message
    sends it twice: the same body, with the same id.

    Raise QueueUnavailableError if SQS does not accept the message.
    """
    url = dead_letters_of(sqs.url_of(record["eventSourceARN"]))
    if not url:
        return False
    letter = Outgoing(
        id=record["messageId"],
        body=record["body"],
        group=(record.get("attributes") or {}).get("MessageGroupId", ""),
        attributes={
            "reason": failures.reason_of(error)[:MAX_ATTRIBUTE_CHARACTERS],
            "attempts": str(attempts),
            "buried_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    if refused := sqs.send_messages(url, [letter]):
        raise QueueUnavailableError(f"queue {url} refused a dead letter: {refused[letter.id]}")
    return True


@cache
def dead_letters_of(queue_url: str) -> str:
    """Return the URL of the dead-letter queue in the redrive policy of `queue_url`, or "" if there is none."""
    policy = json.loads(sqs.queue_attributes(queue_url).get("RedrivePolicy", "{}"))
    return sqs.url_of(policy["deadLetterTargetArn"]) if policy else ""


def find_letters(urls: Mapping[str, str], *, limit: int) -> Iterator[DeadLetter]:
    """Yield up to `limit` dead letters of the queues in `urls`, each hidden from other looks for a while."""
    found = 0
    for queue, url in urls.items():
        for letter in letters_in(queue, dead_letters_of(url)):
            if found >= limit:
                release([letter])
                return
            found += 1
            yield letter


def release(letters: Sequence[DeadLetter]) -> None:
    """Show `letters` again to the next look."""
    for url in {letter.source_url for letter in letters}:
        sqs.change_visibility(url, {item.receipt_handle: 0 for item in letters if item.source_url == url})


def redrive(letter: DeadLetter, queue_url: str) -> None:
    """Send `letter` to the queue `queue_url` once more, and take it off the dead.

    Safe to repeat: killed in between it is in both queues, and runs once.  Raise ExpiredLetterError
    if it is too old for that, QueueUnavailableError if SQS refuses it.
    """
    if letter.task:
        _check_age(read_envelope(letter.body))
    group = letter.group or (group_in(letter.body) if sqs.is_fifo(queue_url) else "")
    message = Outgoing(id=letter.message_id, body=letter.body, group=group)
    if refused := sqs.send_messages(queue_url, [message]):
        raise QueueUnavailableError(f"queue {queue_url} refused a message: {refused[letter.message_id]}")
    drop(letter)


def drop(letter: DeadLetter) -> None:
    """Delete `letter`: there is no way back."""
    sqs.delete_message(letter.source_url, letter.receipt_handle)


def letters_in(queue: str, url: str) -> Iterator[DeadLetter]:
    """Yield each message in `url`, which were sent to `queue`; it is hidden from other looks for a while."""
    seen: set[str] = set()
    repeated = 0
    # What was refused comes again in a long run, and stays hidden from the rest of it.
    while url and repeated <= len(seen) and (messages := sqs.receive_messages(url, hide_seconds=LOOK_SECONDS)):
        fresh = [message for message in messages if message["MessageId"] not in seen]
        repeated += len(messages) - len(fresh)
        # Of a FIFO queue it is shown again at once: hidden, it would hide what is behind it in its group.
        again = {item["ReceiptHandle"]: 0 for item in messages if item not in fresh and sqs.is_fifo(url)}
        sqs.change_visibility(url, again)
        seen.update(message["MessageId"] for message in fresh)
        yield from (DeadLetter.of(queue, url, message) for message in fresh)


def _check_age(envelope: Envelope) -> None:
    age = datetime.now(UTC) - envelope.enqueued_at
    if age > RETENTION:
        raise ExpiredLetterError(
            f"call {envelope.id} is {age.days} days old, receipts are kept for {RETENTION.days}: "
            "it may have run already; enqueue its task again if it has not"
        )


def _task_in(body: str) -> str:
    try:
        return read_envelope(body).task
    except InvalidTaskMessageError:
        return ""
