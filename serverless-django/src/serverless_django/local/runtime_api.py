"""The Lambda Runtime API of one execution environment: hands `awslambdaric` its events and takes the replies.

Paths and headers are those of AWS's documentation, "Using the Lambda runtime API for custom runtimes".
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_django.local.port_guard import foreign_host

MAX_REQUEST_BYTES = 2**25

BROWSER_HEADERS = frozenset({"origin", "sec-fetch-site"})
"""Each browser sends one of them to an address of this machine; the runtime's client sends none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What the runtime is given: the event and what the context object is made from."""

    request_id: str
    payload: bytes
    deadline_ms: int
    """Unix time."""

    function_arn: str
    trace_id: str = ""

    def headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
        }
        return headers | ({"Lambda-Runtime-Trace-Id": self.trace_id} if self.trace_id else {})


@dataclass(frozen=True, slots=True)
class Reply:
    """What the handler returned, or the error it raised, as JSON."""

    payload: bytes
    is_error: bool


@dataclass
class RuntimeApi:
    """Listens on its own free port: the address is all that tells the environments apart."""

    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while the runtime waits for an event."""

    init_error: Mapping[str, Any] | None = None
    _waiting: "asyncio.Future[Invocation] | None" = None
    _reply: "asyncio.Future[Reply] | None" = None
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> str:
        """Listen, and return the value of AWS_LAMBDA_RUNTIME_API."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_REQUEST_BYTES)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._waiting is not None:
            self._waiting.cancel()
        for writer in self._connections:
            writer.close()

    def deliver(self, invocation: Invocation) -> "asyncio.Future[Reply]":
        """Hand `invocation` to the runtime, which must be idle, and return the future of its reply."""
        assert self._waiting is not None
        self.idle.clear()
        self._reply = asyncio.get_running_loop().create_future()
        self._waiting.set_result(invocation)
        return self._reply

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                path, headers, body = await _read_request(reader)
                if BROWSER_HEADERS & headers.keys() or foreign_host(headers):
                    _write(writer, 403)
                else:
                    await self._answer(path, body, writer)
                await writer.drain()
        self._connections.discard(writer)
        writer.close()

    async def _answer(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if path.endswith("/invocation/next"):
            self._waiting = asyncio.get_running_loop().create_future()
            self.idle.set()
            invocation = await self._waiting
            _write(writer, 200, invocation.payload, invocation.headers())
        elif path.endswith("/restore/next"):
            # Where Lambda takes the snapshot; here the process goes on at once, as if it had been restored.
            _write(writer, 200)
        elif path.endswith("/init/error"):
            self.init_error = json.loads(body or b"{}")
            _write(writer, 202)
        elif path.endswith(("/response", "/error")):
            if self._reply is not None and not self._reply.done():
                self._reply.set_result(Reply(body, is_error=path.endswith("/error")))
            _write(writer, 202)
        else:
            _write(writer, 404)


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return request.split(" ")[1], headers, body


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        chunks.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(chunks)


def _write(
    writer: asyncio.StreamWriter, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> None:
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
