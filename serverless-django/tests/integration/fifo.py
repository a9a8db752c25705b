"""A FIFO queue on the emulator, an SQS that fails as it is told, and a worker that takes what arrives."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.utils import timezone

from serverless_django.contract.resources import Queue, Topology
from serverless_django.handlers.sqs import handler
from serverless_django.maintenance import sweep_outbox
from serverless_django.tasks import outbox, retries, sqs, task
from serverless_django.tasks.models import DeferredCall
from serverless_django.tasks.sqs import QueueFaultError, QueueUnavailableError
from serverless_django.testing import LambdaContext

effects: list[tuple[str, object]] = []
"""Group and value of each call that has run, in the order in which they did."""

failing: set[object] = set()
"""Values whose next run fails."""


@task(group_by="group")
def move(group: str, value: object) -> None:
    _run(group, value)


@task(group_by="group", direct=True)
def move_directly(group: str, value: object) -> None:
    _run(group, value)


def _run(group: str, value: object) -> None:
    if value in failing:
        failing.discard(value)
        raise LookupError(value)
    effects.append((group, value))


ORDERED = Topology(queues=(Queue(name="default", fifo=True, max_attempts=10),))
FAULTS = ("away", "lost", "refuse", "gone")
"""SQS is not reached; takes what it gets and its answer is lost; takes some of it; says that there is no such queue."""


@dataclass
class FaultySqs:
    """Stands before the real one: `next_fault` is asked at each sending."""

    real: Callable[..., Any]
    next_fault: Callable[[], str] = lambda: ""
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def call(self, operation: str, **parameters: Any) -> Any:
        fault = self.next_fault() if operation == "send_message_batch" else ""
        if fault == "away":
            raise QueueUnavailableError("nothing answers")
        if fault == "gone":
            raise QueueFaultError("no such queue")
        if fault == "refuse":
            return self._take_some(operation, **parameters)
        answer = self.real(operation, **parameters)
        if fault == "lost":
            raise QueueUnavailableError("the answer is lost")
        return answer

    def _take_some(self, operation: str, *, Entries: list[Any], **parameters: Any) -> Any:  # noqa: N803
        refused = [entry["Id"] for entry in Entries if self.chance.random() < 0.5]
        taken = [entry for entry in Entries if entry["Id"] not in refused]
        if taken:
            self.real(operation, Entries=taken, **parameters)
        return {"Failed": [{"Id": name, "Code": "InternalError", "SenderFault": False} for name in refused]}


@dataclass
class Line:
    """The FIFO queue `default`, and what tests do with it."""

    client: Any
    url: str
    sqs: FaultySqs

    def sweep(self) -> None:
        """Let every lease be over, and sweep; what SQS does not take stays."""
        DeferredCall.objects.update(send_after=timezone.now() - timedelta(seconds=1))
        try:
            sweep_outbox.call()
        except QueueUnavailableError:
            return

    def settle(self) -> None:
        """Sweep without faults until nothing is left."""
        self.sqs.next_fault = lambda: ""
        while DeferredCall.objects.exists():
            self.sweep()

    def work(self) -> int:
        """Take a batch as Lambda does, and acknowledge what the handler does not report; return its size."""
        messages = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        if messages:
            left = handler({"Records": [self._record(message) for message in messages]}, LambdaContext())
            reported = {item["itemIdentifier"] for item in left["batchItemFailures"]}
            for message in messages:
                if message["MessageId"] not in reported:
                    self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def run(self) -> list[tuple[str, object]]:
        """Send and run everything; return the effects."""
        self.settle()
        while self.work():
            pass
        return effects

    def arrived(self) -> list[str]:
        """Return what SQS gives for each call, without the groups that it holds back: the first ten."""
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"])["kwargs"]["value"] for message in answer.get("Messages", [])]

    def _record(self, message: Any) -> dict[str, Any]:
        arn = f"arn:aws:sqs:us-east-1:000000000000:{self.url.rpartition('/')[2]}"
        names = {"messageId": "MessageId", "receiptHandle": "ReceiptHandle", "body": "Body", "attributes": "Attributes"}
        return {"eventSource": "aws:sqs", "eventSourceARN": arn} | {ours: message[sqs] for ours, sqs in names.items()}


@contextmanager
def fifo_line(settings: Any, monkeypatch: pytest.MonkeyPatch, topology: Topology = ORDERED) -> Iterator[Line]:
    """Yield the queue `default` as a FIFO queue of `topology`; needs the fixture `endpoint`."""
    client = boto3.client("sqs")
    dead = client.create_queue(QueueName="line-dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})
    url = client.create_queue(QueueName="line.fifo", Attributes={"FifoQueue": "true", "RedrivePolicy": redrive})
    effects.clear()
    failing.clear()
    settings.SERVERLESS = {"TOPOLOGY": topology}
    monkeypatch.setattr(retries, "backoff", lambda *args, **kwargs: 0)
    monkeypatch.setattr(outbox, "PAUSE_SECONDS", 0.0)
    faulty = FaultySqs(sqs._call)
    monkeypatch.setattr(sqs, "_call", faulty.call)
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": ["default"],
            "OPTIONS": {"queue_urls": {"default": url["QueueUrl"]}},
        }
    }
    yield Line(client, url["QueueUrl"], faulty)
    for made in (url["QueueUrl"], dead):
        client.delete_queue(QueueUrl=made)
    client.close()
