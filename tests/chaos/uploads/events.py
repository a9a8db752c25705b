"""A relay between EventBridge and the objects queue that loses some events and tells others twice."""

import random
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.running import RunningCloud

QUEUE = "chaos-object-events"


def client_of(cloud: RunningCloud, service: str) -> Any:
    return EmulatedAws(cloud.endpoint, cloud.credentials).client(service)


@dataclass
class EventRelay:
    """What S3 really sent, one event at a time, less what chance takes."""

    cloud: RunningCloud
    seed: int
    lost: float
    repeated: float
    counts: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Any:
        """Stand between the rule and its queue; what waits is forwarded before the end."""
        self.sqs, events = client_of(self.cloud, "sqs"), client_of(self.cloud, "events")
        self.url = self.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule, target = _object_rule(events, self.cloud.outputs["QueueObjectsUrl"].rpartition("/")[2])
        events.put_targets(Rule=rule, Targets=[{"Id": target["Id"], "Arn": arn}])
        thread = threading.Thread(target=self._forward_forever, name="event-relay")
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()
            events.put_targets(Rule=rule, Targets=[target])
            self.sqs.delete_queue(QueueUrl=self.url)

    def _forward_forever(self) -> None:
        chance = random.Random(self.seed)
        while not self._stop.is_set():
            received = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = received.get("Messages", [])
            # Out of order, too.
            chance.shuffle(messages)
            for message in messages:
                self._forward(message, chance.random())
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def _forward(self, message: Any, fate: float) -> None:
        self.counts["events"] += 1
        copies = 0 if fate < self.lost else 2 if fate < self.lost + self.repeated else 1
        self.counts["events_lost"] += copies == 0
        self.counts["events_repeated"] += copies == 2
        for _ in range(copies):
            self.sqs.send_message(QueueUrl=self.cloud.outputs["QueueObjectsUrl"], MessageBody=message["Body"])


def _object_rule(events: Any, queue: str) -> tuple[str, Any]:
    """Return the rule of the deployed template that feeds `queue`, and its target."""
    for rule in events.list_rules()["Rules"]:
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            if target["Arn"].rpartition(":")[2] == queue:
                return rule["Name"], target
    raise LookupError(f"no rule of EventBridge feeds {queue}")
