"""The console over HTTP on 127.0.0.1: the page, its events, its buttons, and /metrics.

It costs nothing while no page is open.  Only this machine's own pages may press a button: another site's
can set neither the content type of its request without asking, nor hide its `Origin`.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from serverless_django.local.console.actions import Actions, RefusedActionError
from serverless_django.local.console.lines import find
from serverless_django.local.console.metrics import CONTENT_TYPE
from serverless_django.local.console.view import View
from serverless_django.local.port_guard import Message, Receive, Send, foreign_request, headers_of
from serverless_django.local.processes import ProcessError

if TYPE_CHECKING:
    from serverless_django.local.cloud import Cloud

DEFAULT_PORT = 8001
STATIC = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
TICK_SECONDS = 0.25
TICKS_PER_SAMPLE = 4
SAMPLES_PER_AWS = 2
"""SQS and S3 are asked every other time: that is most of what the console costs."""

MAX_WAITING_TICKS = 40
"""A page that is this far behind has stopped reading, and is let go."""

POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@dataclass
class Console:
    """The ASGI application."""

    view: View
    actions: Actions
    _watchers: set[asyncio.Queue[bytes]] = field(default_factory=set, init=False)
    _clock: "asyncio.Task[None] | None" = field(default=None, init=False)
    _closed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @classmethod
    def of(cls, cloud: "Cloud") -> "Console":
        view = View.of(cloud)
        return cls(view, Actions(cloud, view.queues))

    async def close(self) -> None:
        """Let every page go, and what was asked for them."""
        self._closed.set()
        if self._clock is not None:
            self._clock.cancel()
        self.view.connections.close()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        if refusal := foreign_request(headers):
            await _reply_json(send, refusal[0], {"error": refusal[1]})
        elif scope["method"] == "POST":
            await self._act(scope["path"], headers, receive, send)
        else:
            await self._show(scope, receive, send)

    async def _show(self, scope: Message, receive: Receive, send: Send) -> None:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        match scope["path"]:
            case "/events":
                await self._stream(receive, send)
            case "/metrics":
                await self.view.sample()
                self.view.catch_up()
                await _reply(send, 200, CONTENT_TYPE, self.view.exposition().encode())
            case "/lines":
                lines = await asyncio.to_thread(find, self.view.logs, query.get("id", "-"))
                await _reply_json(send, 200, {"lines": lines})
            case path:
                await _send_file(send, path)

    async def _act(self, path: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        action = self.actions.by_name().get(path.removeprefix("/actions/"))
        if action is None:
            return await _reply_json(send, 404, {"error": f"no action {path}"})
        if headers.get("content-type") != "application/json":
            return await _reply_json(send, 415, {"error": "an action takes application/json"})
        try:
            parameters = json.loads(await _read(receive) or b"{}")
            return await _reply_json(send, 200, await action(parameters))
        except (RefusedActionError, ProcessError, LookupError, ValueError, BotoCoreError, ClientError) as error:
            return await _reply_json(send, 409, {"error": str(error)})

    # --- events -------------------------------------------------------------------------------------------------------

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        queue = await self._watch()
        leaving = [asyncio.ensure_future(_left(receive)), asyncio.ensure_future(self._closed.wait())]
        try:
            while not any(future.done() for future in leaving):
                reading = asyncio.ensure_future(queue.get())
                await asyncio.wait([reading, *leaving], return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    reading.cancel()
                    break
                await send({"type": "http.response.body", "body": reading.result(), "more_body": True})
        finally:
            self._watchers.discard(queue)
            for future in leaving:
                future.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _watch(self) -> asyncio.Queue[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING_TICKS)
        if not self._watchers:
            # No page was open for a while: the first picture shows what happened since then.
            await self.view.sample()
            self.view.tick()
        queue.put_nowait(_event("picture", self.view.picture()))
        self._watchers.add(queue)
        if self._clock is None or self._clock.done():
            self._clock = asyncio.create_task(self._tick())
        return queue

    async def _tick(self) -> None:
        count = 0
        while self._watchers:
            await asyncio.sleep(TICK_SECONDS)
            count += 1
            if count % TICKS_PER_SAMPLE == 0:
                await self.view.sample(with_aws=count % (TICKS_PER_SAMPLE * SAMPLES_PER_AWS) == 0)
            event = _event("tick", self.view.tick())
            for queue in list(self._watchers):
                with contextlib.suppress(asyncio.QueueFull):
                    queue.put_nowait(event)


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data, enc_hook=str))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _send_file(send: Send, path: str) -> None:
    file = STATIC / (path.removeprefix("/") or "index.html")
    # By comparison with what is there, so that no path leads out of the folder.
    if file not in STATIC.iterdir() or file.suffix not in TYPES:
        return await _reply(send, 404, "text/plain", b"not here\n")
    return await _reply(send, 200, f"{TYPES[file.suffix]}; charset=utf-8", file.read_bytes())


async def _reply_json(send: Send, status: int, value: Mapping[str, Any]) -> None:
    await _reply(send, status, "application/json", json.dumps(value, default=str).encode())


async def _reply(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = {
        "content-type": content_type,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
