"""`make demo`: a phone's afternoon against the whole system, with every figure checked."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Protocol
from uuid import uuid4

from cdk.app import PROJECT
from serverless_django.local.running import STATE, RunningCloud
from tests.demo.phone import MismatchError, Phone, download, eventually, expect, send
from tests.demo.photographs import image_size, photograph, text_in_disguise
from tests.demo.totals import Totals
from tests.figures import write_figures

FANS = 50
REPORTS = 5
"""Times that each fan reports to have seen the posts: a post counts once for a member in an hour."""

HOUR_SECONDS = 3600

TIME_FOR_REPORTS_SECONDS = 60
"""The reports of one hour need no more on a busy machine: nearer to its end, the demo waits for the next."""

PHONES_AT_ONCE = 10

PATIENCE_SECONDS = 60
"""For what goes through a queue on a busy machine; the goals in GOALS are what a quiet one should do."""

INTERRUPTED = 130
"""Exit status, as shells have it for Ctrl-C."""

GOALS = {"photos_settled_s": "<= 10", "counters_exact_s": "<= 10", "mismatches": "== 0"}


class System(Protocol):
    """What the demo needs to know of the running system."""

    @property
    def url(self) -> str: ...
    def issue_token(self, member: str) -> str: ...
    def totals(self) -> Mapping[str, int]: ...


@dataclass
class Story:
    """Prints each step with its time, and remembers times by name."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, what: str, *, name: str = "") -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except BaseException:
            print(f"   FAILED  {what}", flush=True)
            raise
        elapsed = time.monotonic() - started
        print(f"{elapsed:7.2f} s  {what}", flush=True)
        if name:
            self.seconds[name] = elapsed


@dataclass
class Afternoon:
    """The script.  Handles are new at every run, because what was posted is kept."""

    system: System
    story: Story
    run: str = field(default_factory=lambda: uuid4().hex[:6])

    def play(self) -> None:
        """Raise MismatchError at the first thing that is not as promised."""
        before = Totals.of(self.system.totals())
        ada, grace = self.phone("ada"), self.phone("grace")
        self.meet(ada, grace)
        ready = self.upload(ada)
        self.look_at_renditions(ready)
        posts = self.publish(ada, [photo["id"] for photo in ready])
        self.read_feed(ada, grace, posts)
        self.like(posts[0])
        self.view(posts)
        self.count(ada, posts)
        self.settle(ada, posts, before)

    def phone(self, name: str) -> Phone:
        handle = f"{name}-{self.run}"
        return Phone(url=self.system.url, member=handle, token=self.system.issue_token(handle))

    def meet(self, *phones: Phone) -> None:
        with self.story.step("a stranger without a valid token is turned away"):
            for headers in ({}, {"Authorization": "Bearer forged.by.me"}):
                answer = send("GET", f"{self.system.url}/v1/feed", headers=headers)
                expect("status without a valid token", expected=401, seen=answer.status)
        with self.story.step("two members are made by their first request"):
            for phone in phones:
                expect("own handle", expected=phone.member, seen=phone.profile(phone.member)["handle"])

    def upload(self, ada: Phone) -> list[Any]:
        with self.story.step("three files are uploaded straight to the storage: a JPEG, a PNG, a text named .jpg"):
            jpeg = photograph("JPEG", width=1600, height=1200, seed=1)
            png = photograph("PNG", width=900, height=1350, seed=2)
            photos = [
                ada.upload(content_type="image/jpeg", file=jpeg, filename="beach.jpg"),
                ada.upload(content_type="image/png", file=png, filename="tower.png"),
                ada.upload(content_type="image/jpeg", file=text_in_disguise(), filename="letter.jpg"),
            ]
        with self.story.step("two are rendered, the text is rejected", name="photos_settled_s"):
            settled = [ada.settled_photo(photo, within_seconds=PATIENCE_SECONDS) for photo in photos]
        states = [photo["state"] for photo in settled]
        expect("states of the photos", expected=["ready", "ready", "rejected"], seen=states)
        expect("there is a reason for the rejection", expected=True, seen=bool(settled[2]["reason"]))
        expect("size of the JPEG", expected=(1600, 1200), seen=(settled[0]["width"], settled[0]["height"]))
        print(f"           the reason given: {settled[2]['reason']}")
        return settled[:2]

    def look_at_renditions(self, photos: list[Any]) -> None:
        renditions = [rendition for photo in photos for rendition in photo["renditions"]]
        with self.story.step(f"each of the {len(renditions)} renditions is an image of the size that it claims"):
            expect("every photo has renditions", expected=True, seen=all(photo["renditions"] for photo in photos))
            for rendition in renditions:
                size = image_size(download(rendition["url"]))
                expect("size of a rendition", expected=(rendition["width"], rendition["height"]), seen=size)

    def publish(self, ada: Phone, photos: list[str]) -> list[str]:
        with self.story.step(f"{len(photos)} photos are posted"):
            return [ada.publish(photo_id=photo, caption=f"Photo {photo[-4:]} ☀")["id"] for photo in photos]

    def read_feed(self, ada: Phone, grace: Phone, posts: list[str]) -> None:
        with self.story.step("grace follows ada and reads her feed, a page at a time, newest first"):
            expect("feed before following", expected=[[]], seen=list(grace.feed_pages(limit=1)))
            grace.follow(ada.member)
            pages = [[post["id"] for post in page] for page in grace.feed_pages(limit=1)]
            expect("pages of the feed", expected=[[post] for post in reversed(posts)], seen=[p for p in pages if p])
            expect("followers of ada", expected=1, seen=grace.profile(ada.member)["follower_count"])

    def like(self, post: str) -> None:
        with self.story.step(f"{FANS} members like one post, {PHONES_AT_ONCE} at once"):
            fans = [self.phone(f"fan{number:02}") for number in range(FANS)]
            with ThreadPoolExecutor(PHONES_AT_ONCE) as pool:
                list(pool.map(lambda fan: fan.like(post), fans))

    def view(self, posts: list[str]) -> None:
        left = HOUR_SECONDS - time.time() % HOUR_SECONDS
        if left < TIME_FOR_REPORTS_SECONDS:
            with self.story.step("a new hour begins, in which each member's view counts once"):
                time.sleep(left)
        with self.story.step(f"each of them reports {REPORTS} times that they saw every post"):
            fans = [self.phone(f"fan{number:02}") for number in range(FANS)]
            with ThreadPoolExecutor(PHONES_AT_ONCE) as pool:
                list(pool.map(lambda fan: fan.view(posts), fans * REPORTS))

    def count(self, phone: Phone, posts: list[str]) -> None:
        wanted = wanted_counts(posts)
        with self.story.step("the counters, which follow through queues, are exact", name="counters_exact_s"):
            seen = eventually(
                lambda: self.counts(phone, posts),
                lambda counts: all(has >= should for has, should in zip(counts, wanted, strict=True)),
                what=f"likes and views of each post reach {wanted}",
                within_seconds=PATIENCE_SECONDS,
            )
            expect("likes and views of each post", expected=wanted, seen=seen)

    def settle(self, phone: Phone, posts: list[str], before: Totals) -> None:
        with self.story.step("the queues run empty, and nothing is counted twice by then"):
            after = eventually(
                lambda: Totals.of(self.system.totals()),
                lambda totals: totals.waiting == 0,
                what="queues are empty",
                within_seconds=PATIENCE_SECONDS,
            )
            expect("likes and views of each post", expected=wanted_counts(posts), seen=self.counts(phone, posts))
        print(f"\n{after.since(before)}")
        expect("messages among the dead letters", expected=before.dead, seen=after.dead)

    def counts(self, phone: Phone, posts: list[str]) -> list[tuple[int, int]]:
        return [(post["like_count"], post["view_count"]) for post in map(phone.post, posts)]


def wanted_counts(posts: list[str]) -> list[tuple[int, int]]:
    """Return likes and views of each post, as `like` and `view` send them."""
    return [(FANS if index == 0 else 0, FANS) for index in range(len(posts))]


def play_and_report(system: System) -> int:
    """Play against `system`; return 1 if anything was not as promised, else 0."""
    story, started, mismatches = Story(), time.monotonic(), 0
    print(f"\na phone against {system.url}\n")
    try:
        Afternoon(system, story).play()
    except (MismatchError, OSError, HTTPException, LookupError, ValueError) as error:
        print(f"\nnot as promised: {type(error).__name__}: {error}", flush=True)
        mismatches = 1
    figures = {**story.seconds, "demo_s": time.monotonic() - started, "mismatches": mismatches}
    write_figures("demo", figures, {key: goal for key, goal in GOALS.items() if key in figures})
    return mismatches


async def run_demo() -> int:
    """Use the system that is running, or start one and stop it at the end, also at SIGTERM.  Return the exit status."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        async with system_at_hand() as system:
            return await asyncio.to_thread(play_and_report, system)
    except asyncio.CancelledError:
        print("\nstopped before the end", flush=True)
        return INTERRUPTED


@contextlib.asynccontextmanager
async def system_at_hand() -> AsyncIterator[System]:
    """Yield the system that is running, or one that ends with the caller."""
    state = PROJECT.root / STATE
    if RunningCloud.is_there(state):
        yield RunningCloud.find(state)
        return
    # The launcher brings uvicorn, boto3 and the emulator: not for a demo against a running system.
    from serverless_django.local.cloud import Cloud

    async with Cloud(project=PROJECT, on_exchange=lambda _: None).running() as cloud:
        yield cloud


if __name__ == "__main__":
    raise SystemExit(asyncio.run(run_demo()))
