"""Many requests at once, as phones send them: over connections of their own, through the front door."""

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from serverless_django.local.console.routes import percentile

MIN_REQUESTS, MAX_REQUESTS = 1, 500
MAX_AT_ONCE = 50
PATIENCE_SECONDS = 60


@dataclass
class Burst:
    """Sends `requests` of one kind, `at_once` of them at a time."""

    url: str
    token: str
    kind: str = "feed"
    """"feed" reads a page; "views" reports views, which go through a queue."""

    requests: int = 100
    at_once: int = 20
    statuses: Counter[int] = field(default_factory=Counter, init=False)
    milliseconds: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Raise ValueError at a kind that there is not."""
        if self.kind not in KINDS:
            raise ValueError(f"no kind {self.kind!r} of request; there are {', '.join(KINDS)}")
        self.requests = max(MIN_REQUESTS, min(self.requests, MAX_REQUESTS))
        self.at_once = max(1, min(self.at_once, MAX_AT_ONCE))

    async def run(self) -> Mapping[str, Any]:
        """Return how it went: status 0 is a request without an answer."""
        started = time.monotonic()
        left = iter(range(self.requests))
        await asyncio.gather(*(self._client(left) for _ in range(min(self.at_once, self.requests))))
        ordered = sorted(self.milliseconds)
        return {
            "requests": self.requests,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "seconds": round(time.monotonic() - started, 2),
            "p50": percentile(ordered, 0.5),
            "p95": percentile(ordered, 0.95),
        }

    async def _client(self, left: Any) -> None:
        for _ in left:
            started = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    self.statuses[await self._request()] += 1
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                self.statuses[0] += 1
            self.milliseconds.append((time.monotonic() - started) * 1000)

    async def _request(self) -> int:
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(self._message(address.netloc))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.read()
            return int(head.split(b" ", 2)[1])
        finally:
            writer.close()

    def _message(self, host: str) -> bytes:
        method, path, body = KINDS[self.kind]()
        head = [
            f"{method} {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {self.token}", "Connection: close",
            "Content-Type: application/json", f"Content-Length: {len(body)}",
        ]  # fmt: skip
        return "\r\n".join([*head, "", ""]).encode() + body


def _feed() -> tuple[str, str, bytes]:
    return "GET", "/v1/feed", b""


def _views() -> tuple[str, str, bytes]:
    # Of a post that does not exist: the message travels, and changes nothing.
    views = [{"post_id": str(uuid.uuid4()), "duration_ms": 900}]
    return "POST", "/v1/views", json.dumps({"views": views}).encode()


KINDS = {"feed": _feed, "views": _views}
