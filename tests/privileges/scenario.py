"""Everything that functions call in AWS beside what `make demo` shows: failures, burial, late photos, operators."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from uuid6 import uuid7

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.task_message import TaskMessage
from serverless_django.local.running import RunningCloud
from tests.demo.phone import Phone as Uploader
from tests.demo.phone import eventually
from tests.demo.photographs import photograph
from tests.e2e.conftest import PROJECT, Laptop, Phone
from tests.privileges.recording import KEPT_QUEUE

QUEUES = TOPOLOGY.every_queue
TASKS = "lambda_app.apps.feed.tasks"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Scenario:
    """Play it against a running laptop; it leaves no message behind."""

    laptop: Laptop
    cloud: RunningCloud
    aws: Any
    """Returns a boto3 client of the emulated AWS for the name of a service."""

    def play(self) -> None:
        self.fail_and_bury()
        self.operate()
        self.drain_a_kept_queue()
        self.settle_a_late_photo()
        self.delete_an_unposted_photo()

    def fail_and_bury(self) -> None:
        """Give each worker a message that it puts off, and one that it buries."""
        for queue in QUEUES:
            worker = self.worker(queue.name)
            for receives in (1, queue.max_attempts):
                self.invoke(worker, {"Records": [self.record(queue.name, "no task", receives)]})

    def operate(self) -> None:
        """Look at what was buried and drop it; send a message that is whole back to its queue."""
        self.manage("tasks", "stats")
        listed = self.manage("dead_letters", "list")
        assert all(f"{queue.name} " in listed for queue in QUEUES), listed
        for queue in QUEUES:
            self.manage("dead_letters", "drop", "--queue", queue.name)
            self.aws("sqs").send_message(
                QueueUrl=self.url(queue.name, "DeadLetters"), MessageBody=self.body(queue.name)
            )
        redriven = self.manage("dead_letters", "redrive")
        assert f"redrive: {len(QUEUES)}, refused: 0" in redriven, redriven

    def drain_a_kept_queue(self) -> None:
        """Find the queue that an earlier deploy kept, and send on what is not too old."""
        queues = self.aws("sqs")
        url = queues.create_queue(QueueName=KEPT_QUEUE)["QueueUrl"]
        for body in (self.body("default"), self.call("maintain_view_partitions", age=timedelta(days=90))):
            queues.send_message(QueueUrl=url, MessageBody=body)
        stats = self.manage("tasks", "stats")
        assert f"{KEPT_QUEUE} is kept with 2 messages" in stats, stats
        drained = self.manage("tasks", "drain", KEPT_QUEUE, "default")
        assert "moved: 1, refused: 1" in drained, drained
        queues.delete_queue(QueueUrl=url)

    def settle_a_late_photo(self) -> None:
        """Lose the event of an upload: the schedule finds the file, and its worker renders it."""
        photo, _ = self.photo()
        self.forget_renditions(photo)
        self.change(photo, "state='pending', rendering_until=None, check_after=timezone.now() - timedelta(hours=1)")
        self.expire_photos()
        self.wait_until("ready", photo)

    def delete_an_unposted_photo(self) -> None:
        photo, ada = self.photo()
        month_ago = "timezone.now() - timedelta(days=30)"
        self.change(photo, f"is_posted=False, created_at={month_ago}, check_after={month_ago}")
        self.expire_photos()
        assert ada.request("GET", f"/v1/photos/{photo}").status == 404
        eventually(
            lambda: self.objects_of(photo),
            lambda left: not left,
            what=f"no objects of photo {photo} are left",
            within_seconds=PATIENCE_SECONDS,
        )

    # --- what the steps are made of -----------------------------------------------------------------------------------

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        reply = self.aws("lambda").invoke(FunctionName=f"{function}:live", Payload=json.dumps(event).encode())
        payload = json.loads(reply["Payload"].read())
        assert "FunctionError" not in reply, payload
        return payload

    def manage(self, *command: str) -> str:
        return str(self.invoke(self.cloud.outputs["FunctionManagementName"], {"command": list(command)})["output"])

    def worker(self, queue: str) -> str:
        name = "Objects" if queue == TOPOLOGY.object_queue.name else f"Worker{queue.capitalize()}"
        return self.cloud.outputs[f"Function{name}Name"]

    def url(self, queue: str, kind: str = "") -> str:
        return self.cloud.outputs[f"Queue{queue.capitalize()}{kind}Url"]

    def record(self, queue: str, body: str, receives: int) -> dict[str, Any]:
        name = self.url(queue).rpartition("/")[2]
        return {
            "messageId": str(uuid7()),
            "receiptHandle": "of no message",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": "1795419005766"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{name}",
        }

    def body(self, queue: str) -> str:
        """Return a message that `queue` takes and that changes nothing."""
        if queue == TOPOLOGY.object_queue.name:
            [sample] = json.loads((PROJECT / "events/s3/eventbridge_in_sqs.json").read_text())["Records"]
            return str(sample["body"]).replace(
                '"name":"uploads"', f'"name":"{self.cloud.outputs["BucketUploadsName"]}"'
            )
        return self.call("maintain_view_partitions")

    def call(self, task: str, *, age: timedelta = timedelta()) -> str:
        enqueued_at = (datetime.now(UTC) - age).isoformat()
        return TaskMessage(id=str(uuid7()), task=f"{TASKS}.{task}", enqueued_at=enqueued_at).encode()

    def expire_photos(self) -> None:
        record = self.record("default", self.call("expire_abandoned_photos"), 1)
        assert self.invoke(self.worker("default"), {"Records": [record]}) == {"batchItemFailures": []}

    def photo(self) -> tuple[str, Phone]:
        """Upload a small photo as a new member, and return its id and the member's phone."""
        handle = f"member-{uuid7()}"[:20]
        token = self.cloud.issue_token(handle)
        uploader = Uploader(url=self.cloud.url, member=handle, token=token)
        file = photograph("PNG", width=64, height=48, seed=1)
        photo = uploader.upload(content_type="image/png", file=file, filename="a.png")
        uploader.settled_photo(photo, within_seconds=PATIENCE_SECONDS)
        return photo, Phone(self.cloud.url, token)

    def wait_until(self, state: str, photo: str) -> None:
        eventually(
            lambda: self.shell(f"print(Photo.objects.get(id='{photo}').state)"),
            lambda found: state in found,
            what=f"photo {photo} is {state}",
            within_seconds=PATIENCE_SECONDS,
        )

    def change(self, photo: str, values: str) -> None:
        assert "1 row" in self.shell(f"print(Photo.objects.filter(id='{photo}').update({values}), 'row')")

    def shell(self, code: str) -> str:
        """Run `code` beside the deployed settings, as the developer's machine does and no function."""
        names = "from datetime import timedelta; from django.utils import timezone"
        done = self.laptop.run(
            "manage", "shell", "-c", f"from lambda_app.apps.feed.models import Photo; {names}; {code}"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def objects_of(self, photo: str) -> list[str]:
        media = self.cloud.outputs["BucketMediaName"]
        listed = self.aws("s3").list_objects_v2(Bucket=media, Prefix=f"photos/{photo}/")
        return [item["Key"] for item in listed.get("Contents", [])]

    def forget_renditions(self, photo: str) -> None:
        for key in self.objects_of(photo):
            self.aws("s3").delete_object(Bucket=self.cloud.outputs["BucketMediaName"], Key=key)
