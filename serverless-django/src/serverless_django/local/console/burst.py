"""Many requests at the same time, as phones send them: each over its own connection, through the API."""

import asyncio
import json
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from serverless_django.local.console.routes import percentile

MIN_REQUESTS, MAX_REQUESTS = 1, 500
MAX_AT_ONCE = 50
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Request:
    """What every request of a burst asks for."""

    method: str
    path: str
    """With its query, as on the wire."""

    body: bytes = b""
    content_type: str = "application/json"

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Self:
        """Return the request that API Gateway would make this `event`, in payload format 2.0, of."""
        body = event.get("body") or ""
        query = event.get("rawQueryString")
        return cls(
            method=event["requestContext"]["http"]["method"],
            path=quote(event["rawPath"]) + (f"?{query}" if query else ""),
            body=b64decode(body) if event.get("isBase64Encoded") else body.encode(),
            content_type=event.get("headers", {}).get("content-type", "application/json"),
        )


def sample_requests(root: Path) -> dict[str, Request]:
    """Return the requests of events/api_gateway/*.json below `root` by the names of the files, those with GET first."""
    files = sorted((root / "events" / "api_gateway").glob("*.json"))
    samples = {file.stem: Request.of_event(json.loads(file.read_text())) for file in files}
    return dict(sorted(samples.items(), key=lambda sample: sample[1].method != "GET"))


@dataclass
class Burst:
    """Sends `requests` of one kind, `at_once` of them at a time."""

    url: str
    token: str
    """Bearer token of every request, or ""."""

    request: Request
    requests: int = 100
    at_once: int = 20
    statuses: Counter[int] = field(default_factory=Counter, init=False)
    milliseconds: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
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
        request = self.request
        head = [
            f"{request.method} {request.path} HTTP/1.1", f"Host: {host}", "Connection: close",
            f"Content-Type: {request.content_type}", f"Content-Length: {len(request.body)}",
            *([f"Authorization: Bearer {self.token}"] if self.token else []),
        ]  # fmt: skip
        return "\r\n".join([*head, "", ""]).encode() + request.body
