"""`make load`: phones that arrive as they like, at a rate that rises, and what the system makes of it, live."""

import argparse
import asyncio
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.demo.demo import System, system_at_hand
from tests.demo.load_report import Second, Table, draw
from tests.demo.phone import Phone
from tests.demo.photographs import photograph
from tests.demo.totals import Totals
from tests.figures import BENCH, write_figures

MIX: Mapping[str, int] = {"feed": 70, "like": 15, "post": 10, "upload": 5}
"""Of a hundred requests of a phone."""

MEMBERS = 20
PATIENCE_SECONDS = 30
GOALS = {"errors": "== 0", "feed_p99_ms": "<= 100"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One request."""

    kind: str
    at: float
    """Seconds after the start at which it should have been sent: waiting for a free connection is latency too."""

    ms: float
    is_error: bool


@dataclass
class Visitor:
    """A member with what requests need: a photo that is ready, and posts to like."""

    phone: Phone
    photo: str
    posts: Sequence[str] = ()


def arrivals(*, rate: float, ramp: float, hold: float) -> list[float]:
    """Return when each request should be sent: a rate that rises for `ramp` seconds, and then stays for `hold`."""
    rising = int(rate * ramp / 2)
    # The n-th arrives when the area under the rate is n.
    first = [ramp * ((number + 1) / rising) ** 0.5 for number in range(rising)] if rising else []
    return first + [ramp + number / rate for number in range(int(rate * hold))]


def kinds(count: int, *, seed: int) -> list[str]:
    """Return `count` kinds of requests in the proportions of MIX, the same for the same seed."""
    return random.Random(seed).choices(list(MIX), weights=list(MIX.values()), k=count)


@dataclass
class Load:
    system: System
    visitors: Sequence[Visitor]
    watch: Callable[[], Mapping[str, int]]
    """Counts of the system, asked once a second."""

    samples: list[Sample] = field(default_factory=list)
    connections: list[http.client.HTTPConnection] = field(default_factory=list)
    _local: threading.local = field(default_factory=threading.local)

    def run(self, times: Sequence[float], *, phones: int, seed: int = 1) -> list[Second]:
        """Send every request at its time, over `phones` connections; print a line a second; return these."""
        table = Table()
        started = time.monotonic()
        with ThreadPoolExecutor(phones) as pool:
            for number, (at, kind) in enumerate(zip(times, kinds(len(times), seed=seed), strict=True)):
                while (ahead := at - (time.monotonic() - started)) > 0:
                    time.sleep(min(ahead, 0.2))
                    table.catch_up(self.samples, time.monotonic() - started, self.watch)
                pool.submit(self._send, kind, self.visitors[number % len(self.visitors)], started, at)
        table.catch_up(self.samples, time.monotonic() - started + 1, self.watch)
        return table.seconds

    def _send(self, kind: str, visitor: Visitor, started: float, at: float) -> None:
        method, path, body = request_of(kind, visitor, number=int(at * 1000))
        try:
            status = self._status(method, path, body, visitor.phone.token)
        except (OSError, http.client.HTTPException):
            self._forget_connection()
            status = 0
        ms = (time.monotonic() - started - at) * 1000
        self.samples.append(Sample(kind, at, ms, is_error=not 200 <= status < 300))

    def _status(self, method: str, path: str, body: Any, token: str) -> int:
        connection = self._connection()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status

    def _connection(self) -> http.client.HTTPConnection:
        if getattr(self._local, "connection", None) is None:
            address = urlsplit(self.system.url).netloc
            self._local.connection = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
            self.connections.append(self._local.connection)
        connection: http.client.HTTPConnection = self._local.connection
        return connection

    def _forget_connection(self) -> None:
        self._connection().close()
        self._local.connection = None


def request_of(kind: str, visitor: Visitor, *, number: int) -> tuple[str, str, Any]:
    """Return method, path and body.  Each may be sent any number of times."""
    if kind == "feed":
        return "GET", "/v1/feed?limit=20", None
    if kind == "like":
        return "PUT", f"/v1/posts/{visitor.posts[number % len(visitor.posts)]}/like", None
    if kind == "post":
        return "POST", "/v1/posts", {"photo_id": visitor.photo, "caption": "under load"}
    return "POST", "/v1/photos", {"content_type": "image/jpeg", "size": 1_000_000}


def prepare(system: System, *, members: int = MEMBERS) -> list[Visitor]:
    """Make members who follow each other and have posted a photo each."""
    run = f"{time.time_ns() % 10**8:08}"
    phones = [
        Phone(url=system.url, member=(name := f"load-{run}-{number}"), token=system.issue_token(name))
        for number in range(members)
    ]
    for phone in phones:
        phone.profile(phone.member)
    photos = [_upload(phone, seed) for seed, phone in enumerate(phones)]
    posts = [
        str(phone.publish(photo_id=photo, caption="under load")["id"])
        for phone, photo in zip(phones, photos, strict=True)
    ]
    for phone in phones:
        for other in phones:
            if other is not phone:
                phone.follow(other.member)
    return [Visitor(phone, photo, posts) for phone, photo in zip(phones, photos, strict=True)]


def _upload(phone: Phone, seed: int) -> str:
    file = photograph("JPEG", width=320, height=240, seed=seed)
    photo = phone.upload(content_type="image/jpeg", file=file, filename="load.jpg")
    return str(phone.settled_photo(photo, within_seconds=60)["id"])


def watch(system: System) -> Mapping[str, int]:
    """Return how many execution environments were started, and how many messages wait."""
    totals = Totals.of(system.totals())
    return {
        "environments": sum(counts["cold starts"] for counts in totals.functions.values()),
        "waiting": totals.waiting,
        "dead": totals.dead,
    }


def figures(samples: Sequence[Sample], seconds: Sequence[Second], *, after: float) -> dict[str, float]:
    """Return what is judged: requests that were sent once the rate had risen."""
    held = sorted((sample for sample in samples if sample.at >= after), key=lambda sample: sample.ms)
    feed = [sample.ms for sample in held if sample.kind == "feed"]
    return {
        "requests": len(samples),
        "errors": sum(sample.is_error for sample in samples),
        **{f"p{share}_ms": percentile([sample.ms for sample in held], share) for share in (50, 95, 99)},
        "feed_p99_ms": percentile(feed, 99),
        "environments": max(second.counts["environments"] for second in seconds),
        "most_waiting": max(second.counts["waiting"] for second in seconds),
        "dead_letters": seconds[-1].counts["dead"],
    }


def percentile(values: Sequence[float], share: int) -> float:
    """Return the smallest of `values`, which are sorted, that `share` percent do not pass; 0 if there are none."""
    return values[min(len(values) - 1, len(values) * share // 100)] if values else 0.0


async def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="requests a second, once it has risen")
    parser.add_argument("--ramp", type=float, default=20, help="seconds in which it rises")
    parser.add_argument("--hold", type=float, default=40, help="seconds for which it stays")
    parser.add_argument("--phones", type=int, default=64, help="connections")
    arguments = parser.parse_args()
    async with system_at_hand() as system:
        return await asyncio.to_thread(_load, system, arguments)


def _load(system: System, arguments: argparse.Namespace) -> int:
    print(f"preparing {MEMBERS} members with a photo each")
    load = Load(system, prepare(system), watch=lambda: watch(system))
    times = arrivals(rate=arguments.rate, ramp=arguments.ramp, hold=arguments.hold)
    seconds = load.run(times, phones=arguments.phones)
    path = BENCH / "load.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw(seconds, title=f"make load: {arguments.rate:g} requests a second"))
    print(f"\ndrew {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name}")
    return 0 if write_figures("load", figures(load.samples, seconds, after=arguments.ramp), GOALS) else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
