"""A crowd uploads while events are lost and repeated and workers die; then the books are read."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from serverless_django.contract.task_message import TaskMessage
from serverless_django.local.running import RunningCloud
from tests.chaos.uploads.books import Books, open_books
from tests.chaos.uploads.events import EventRelay, client_of
from tests.demo.phone import Phone
from tests.demo.photographs import photograph, text_in_disguise
from tests.demo.totals import Totals

SWEEP = "lambda_app.apps.feed.tasks.expire_abandoned_photos"
PHONES_AT_ONCE = 4
UPLOADS_PER_MEMBER = 60
"""Half of what a member may ask for in an hour."""

BAD_SHARE = 0.1
MAX_SWEEPS = 12
WORKERS = ("s3", "sqs")
QUEUES = ("Objects", "Renderings")
VISIBILITY_SECONDS = "30"
"""The template's 6 min, after which a killed worker's message comes again, would only be waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    uploads: int
    kills: int
    seed: int
    lost: float = 0.05
    repeated: float = 0.05


@dataclass
class Crowd:
    """Uploads good and bad files and remembers which must end as what."""

    cloud: RunningCloud
    state: Path
    plan: Plan
    expected: dict[str, str] = field(default_factory=dict)

    def upload_all(self) -> None:
        with ThreadPoolExecutor(PHONES_AT_ONCE) as pool:
            list(pool.map(self._upload, range(self.plan.uploads)))

    def _upload(self, number: int) -> None:
        handle = f"crowd-{self.plan.seed}-{number % (self.plan.uploads // UPLOADS_PER_MEMBER + 1)}"
        phone = Phone(url=self.cloud.url, member=handle, token=self.cloud.issue_token(handle))
        bad = random.Random(f"{self.plan.seed}/{number}").random() < BAD_SHARE
        file = text_in_disguise() if bad else photograph("JPEG", width=400, height=300, seed=number)
        photo = phone.upload(content_type="image/jpeg", file=file, filename="IMG_1.jpg")
        self.expected[photo] = "rejected" if bad else "ready"


@dataclass
class Killer:
    """Ends workers of photos with SIGKILL, in the middle of something, until it has had its number."""

    cloud: RunningCloud
    plan: Plan
    killed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._kill, name="killer")
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _kill(self) -> None:
        chance = random.Random(self.plan.seed)
        while self.killed < self.plan.kills and not self._stop.wait(chance.uniform(0.05, 0.8)):
            workers = [item["pid"] for item in self.cloud.environments() if item["source"] in WORKERS]
            busy = [pid for pid in workers if _runs(pid)]
            if busy:
                self.killed += _end(chance.choice(busy))


def run(cloud: RunningCloud, state: Path, plan: Plan) -> dict[str, float]:
    """Return the figures of a run; `settled` counts photos that ended as they must."""
    relay = EventRelay(cloud, plan.seed, plan.lost, plan.repeated)
    killer, crowd, started = Killer(cloud, plan), Crowd(cloud, state, plan), time.monotonic()
    with open_books(cloud, state) as books, _quick_redelivery(cloud), relay.running():
        with killer.running():
            crowd.upload_all()
            print(f"  {len(crowd.expected):,} uploaded in {time.monotonic() - started:.0f} s")
            _wait_for_quiet(cloud, books)
        print(f"  {books.pending():,} wait for the sweep; {killer.killed} workers were killed")
        sweeps = _sweep_until_settled(cloud, books)
        return {
            **_read_books(cloud, books, crowd.expected),
            **relay.counts,
            "kills": killer.killed,
            "sweeps": sweeps,
            "dead_letters": Totals.of(cloud.totals()).dead,
            "seconds": time.monotonic() - started,
        }


def _sweep_until_settled(cloud: RunningCloud, books: Books) -> int:
    for sweep in range(MAX_SWEEPS):
        if not books.pass_time():
            return sweep
        message = TaskMessage(id=str(uuid4()), task=SWEEP, enqueued_at=datetime.now(UTC).isoformat())
        client_of(cloud, "sqs").send_message(QueueUrl=cloud.outputs["QueueDefaultUrl"], MessageBody=message.encode())
        _wait_for_quiet(cloud, books)
    return MAX_SWEEPS


def _wait_for_quiet(
    cloud: RunningCloud, books: Books, *, quiet_seconds: float = 4, within_seconds: float = 300
) -> None:
    """Wait until no message is left, or only such as wait for their next delivery."""
    last, since, deadline = -1, time.monotonic(), time.monotonic() + within_seconds
    while time.monotonic() - since < quiet_seconds and time.monotonic() < deadline:
        left = books.pending() + Totals.of(cloud.totals()).waiting
        if left != last:
            last, since = left, time.monotonic()
        time.sleep(0.3)


def _read_books(cloud: RunningCloud, books: Books, expected: Mapping[str, str]) -> dict[str, float]:
    states, outcome = books.states(), Counter[str]()
    for photo, state in expected.items():
        outcome["settled" if states.get(photo) == state else "lost"] += 1
    return {
        "uploads": len(expected),
        "settled": outcome["settled"],
        "lost": outcome["lost"],
        "doubled": books.settled_more_than_once() + _strays(cloud, books.renditions(), expected),
    }


def _strays(cloud: RunningCloud, named: Mapping[str, set[str]], expected: Mapping[str, str]) -> int:
    """Count photos whose objects are not exactly those that their row names."""
    stored: dict[str, set[str]] = {}
    pages = client_of(cloud, "s3").get_paginator("list_objects_v2").paginate(Bucket=cloud.outputs["BucketMediaName"])
    for page in pages:
        for item in page.get("Contents", []):
            stored.setdefault(item["Key"].split("/")[1], set()).add(item["Key"])
    return sum(stored.get(photo, set()) != named.get(photo, set()) for photo in expected)


@contextlib.contextmanager
def _quick_redelivery(cloud: RunningCloud) -> Iterator[None]:
    sqs, urls = client_of(cloud, "sqs"), [cloud.outputs[f"Queue{name}Url"] for name in QUEUES]
    before = sqs.get_queue_attributes(QueueUrl=urls[0], AttributeNames=["VisibilityTimeout"])["Attributes"]
    for url in urls:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": VISIBILITY_SECONDS})
    try:
        yield
    finally:
        for url in urls:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def _runs(pid: int) -> bool:
    """Return whether the process works: an environment between two invocations is stopped."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "RSD"
    return False


def _end(pid: int) -> int:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def table(figures: Mapping[str, Any]) -> str:
    return "\n".join(f"  {name.replace('_', ' '):<20} {value:>10,.0f}" for name, value in figures.items())
