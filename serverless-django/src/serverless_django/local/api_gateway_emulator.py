"""API Gateway on the laptop: HTTP on 127.0.0.1 → route, authorizer, event, function → HTTP."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from serverless_django.local.api_gateway import (
    MAX_PAYLOAD_BYTES,
    MAX_REQUEST_BYTES,
    Caller,
    HttpRequest,
    InvalidEscapeError,
    Origin,
    http_api_event,
)
from serverless_django.local.authorizer import ForbiddenError, KeySetOf, UnauthorizedError, authorize
from serverless_django.local.deployed_api import DeployedApi, Route
from serverless_django.local.environments import ThrottledError
from serverless_django.local.http_replies import HttpReply, InvalidReplyError, message_reply, read_reply

DEFAULT_PORT = 8000

MAX_HEADER_BYTES = 10_240
"""What the request line and all header values together may have."""

INTEGRATION_TIMEOUT_SECONDS = 30.0
"""How long API Gateway waits for a function, which then runs on unheard."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class InvokeResult(Protocol):
    """What the emulator tells of a finished invocation."""

    @property
    def payload(self) -> bytes: ...
    @property
    def error(self) -> object | None:
        """Anything but None if the function failed or ran out of time."""

    @property
    def cold(self) -> bool: ...


class Invoke(Protocol):
    """Run a deployed function, named by its ARN.  Raise ThrottledError if it may not run now."""

    def __call__(self, function_arn: str, payload: bytes, *, trace_id: str) -> Awaitable[InvokeResult]: ...


class RefusedError(Exception):
    """The gateway answers itself, and no function runs."""

    def __init__(self, status: HTTPStatus, *headers: tuple[str, str]) -> None:
        super().__init__(status)
        self.reply = message_reply(status, *headers)


@dataclass
class Exchange:
    """A request and what became of it."""

    request: HttpRequest
    reply: HttpReply
    milliseconds: float
    cold: bool | None = None
    """None if no function ran."""

    def __str__(self) -> str:
        target = f"{self.request.path}?{self.request.query}" if self.request.query else self.request.path
        note = {None: "", False: "warm", True: "cold"}[self.cold]
        line = f"{self.request.method:<6} {target:<50} {self.reply.status}  {self.milliseconds:7.1f} ms  {note}"
        return line.rstrip()

    def fields(self) -> dict[str, Any]:
        """Return it for a program to read."""
        return {
            "method": self.request.method, "path": self.request.path, "status": self.reply.status,
            "request_id": self.request.request_id, "duration_ms": round(self.milliseconds, 1), "cold": self.cold,
        }  # fmt: skip


def print_line(exchange: Exchange) -> None:
    print(exchange, flush=True)


@dataclass
class ApiGatewayEmulator:
    """The ASGI application.  Assign `api` after a deployment: the next request sees it."""

    api: DeployedApi
    invoke: Invoke
    keys: KeySetOf
    on_exchange: Callable[[Exchange], None] = print_line
    timeout_seconds: float = INTEGRATION_TIMEOUT_SECONDS

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        body = await _read_body(receive)
        request = _request(scope, body or b"")
        too_large = message_reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        reply, cold = (too_large, None) if body is None else await self.answer(request)
        await _send_reply(send, reply, request_id=request.request_id)
        self.on_exchange(Exchange(request, reply, (time.monotonic() - started) * 1000, cold))

    async def answer(self, request: HttpRequest) -> tuple[HttpReply, bool | None]:
        """Return the reply, and whether an environment had to start for it: None if no function ran."""
        try:
            route, event = self._admit(request)
            return await self._run(route, event)
        except RefusedError as refusal:
            return refusal.reply, None

    def _admit(self, request: HttpRequest) -> tuple[Route, dict[str, Any]]:
        if _header_bytes(request) > MAX_HEADER_BYTES:
            raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        try:
            return self._event(request)
        except InvalidEscapeError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST) from error
        except UnauthorizedError as error:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, ("www-authenticate", str(error))) from error
        except ForbiddenError as error:
            raise RefusedError(HTTPStatus.FORBIDDEN) from error

    def _event(self, request: HttpRequest) -> tuple[Route, dict[str, Any]]:
        # API Gateway chooses as if a path began with one slash only.
        selected = self.api.select(request.method, "/" + request.routed_path.lstrip("/"))
        if selected is None:
            raise RefusedError(HTTPStatus.NOT_FOUND)
        route, path_parameters = selected
        caller = self._caller(request, route)
        return route, http_api_event(request, self._origin(route), path_parameters=path_parameters, caller=caller)

    def _caller(self, request: HttpRequest, route: Route) -> Caller | None:
        if route.authorizer is None:
            return None
        return authorize(request.fields, route.authorizer, scopes=route.scopes, keys=self.keys)

    def _origin(self, route: Route) -> Origin:
        return Origin(
            api_id=self.api.api_id,
            domain_name=self.api.domain_name,
            route_key=route.route_key,
            account_id=self.api.account_id,
        )

    async def _run(self, route: Route, event: Mapping[str, Any]) -> tuple[HttpReply, bool | None]:
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        trace_id = event["headers"]["x-amzn-trace-id"]
        invocation = asyncio.ensure_future(self.invoke(route.function_arn, payload, trace_id=trace_id))
        await asyncio.wait({invocation}, timeout=self.timeout_seconds)
        if not invocation.done():
            invocation.add_done_callback(_forget)
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            result = invocation.result()
        except ThrottledError as error:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE) from error
        return _reply(result), result.cold


def _reply(result: InvokeResult) -> HttpReply:
    try:
        if result.error is None:
            return read_reply(result.payload)
    except InvalidReplyError as error:
        print(f"API Gateway would answer 500: {error}", flush=True)
    return message_reply(HTTPStatus.INTERNAL_SERVER_ERROR)


def _forget(invocation: "asyncio.Future[InvokeResult]") -> None:
    # The client has gone; asyncio would report an error that is never read as one of ours.
    if not invocation.cancelled():
        invocation.exception()


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body, or None if it is larger than MAX_REQUEST_BYTES."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        # Read to the end also what is refused: a client that still sends would miss the reply.
        if size <= MAX_REQUEST_BYTES:
            chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks) if size <= MAX_REQUEST_BYTES else None


def _request(scope: Message, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
        source_ip=scope["client"][0] if scope.get("client") else "127.0.0.1",
        protocol=f"HTTP/{scope['http_version']}",
    )


def _header_bytes(request: HttpRequest) -> int:
    line = len(f"{request.method} {request.path}?{request.query} {request.protocol}")
    return line + sum(len(value) for _, value in request.headers)


async def _send_reply(send: Send, reply: HttpReply, *, request_id: str) -> None:
    headers = [*reply.headers, ("apigw-requestid", request_id)]
    if reply.has_body:
        headers.append(("content-length", str(len(reply.body))))
    encoded = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": reply.body})
