"""What lies in each queue and among its dead letters, and reading those."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_READ = 10
"""SQS gives no more at once."""

COUNTS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in_flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}
KNOW_QUEUES_SECONDS = 15.0


@dataclass
class Queues:
    """Blocks for some milliseconds: call it beside the event loop."""

    client: Any
    """Of boto3, kept: making one takes longer than everything it is asked here."""

    declared: Callable[[], Mapping[str, str]]
    """Returns the URL of each queue of the topology that is deployed now."""

    _names: dict[str, str] = field(default_factory=dict, init=False)
    """Name in SQS by ARN."""

    _asked: float = field(default=0, init=False)

    def read(self) -> list[dict[str, Any]]:
        """Return each queue with its counts and those of its dead letters, as SQS tells them."""
        rows = {url: self._attributes(url) for url in self._urls()}
        by_arn = {row["QueueArn"]: row for row in rows.values()}
        dead = {arn for row in rows.values() if (arn := _dead_letters_arn(row))}
        return [
            {
                "name": self.name_of(url),
                "url": url,
                **{label: int(row[name]) for name, label in COUNTS.items()},
                "dead": int(by_arn[arn]["ApproximateNumberOfMessages"])
                if (arn := _dead_letters_arn(row)) in by_arn
                else 0,
            }
            for url, row in sorted(rows.items())
            if row["QueueArn"] not in dead
        ]

    def name_of(self, url: str) -> str:
        """Return the name in the topology of the queue `url`, or that in SQS if the topology has it no more."""
        return next((name for name, declared in self.declared().items() if _name(declared) == _name(url)), _name(url))

    def read_dead_letters(self, url: str) -> list[dict[str, Any]]:
        """Return up to MAX_READ dead letters of the queue `url`, which stay where they are."""
        answer = self.client.receive_message(
            QueueUrl=self._dead_letters_url(url),
            MaxNumberOfMessages=MAX_READ,
            VisibilityTimeout=0,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return [_letter(message) for message in answer.get("Messages", [])]

    def _urls(self) -> list[str]:
        if time.monotonic() - self._asked > KNOW_QUEUES_SECONDS:
            self._known = list(self.client.list_queues().get("QueueUrls", []))
            self._asked = time.monotonic()
        return self._known

    def _attributes(self, url: str) -> Mapping[str, str]:
        return dict(self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])

    def _dead_letters_url(self, url: str) -> str:
        arn = _dead_letters_arn(self._attributes(url))
        if not arn:
            raise LookupError(f"queue {_name(url)} has no dead letters")
        return str(self.client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


def _dead_letters_arn(attributes: Mapping[str, str]) -> str:
    return str(json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", ""))


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _letter(message: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
    sent = int(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    return {"id": message["MessageId"], "body": message["Body"][:2000], "sent": sent, "told": told}
