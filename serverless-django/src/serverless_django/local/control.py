"""HTTP server of the launcher: the emulated AWS has it run functions, other commands read and steer the system."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serverless_django.local.port_guard import Message, Receive, Refusal, Send, headers_of, reply_json

type Action = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


@dataclass
class Control:
    """An ASGI application: POST /NAME with a JSON object runs the action NAME and answers its JSON object."""

    actions: Mapping[str, Action]
    token: str
    """Bearer token of every request: new at each start, and readable by processes of this user only."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if refusal := self._refusal_of(scope["method"], headers_of(scope)):
            await reply_json(send, refusal[0], {"error": refusal[1]})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, reply = await self._run(scope["path"].lstrip("/"), body)
        await reply_json(send, status, reply)

    def _refusal_of(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        wanted = f"Bearer {self.token}".encode()
        if not hmac.compare_digest(headers.get("authorization", "").encode(), wanted):
            return 401, "a request should bear the token that the launcher wrote to running.json"
        if method != "POST" or headers.get("content-type") != "application/json":
            return 415, "an action takes POST with application/json"
        return None

    async def _run(self, name: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        if (action := self.actions.get(name)) is None:
            return 404, {"error": f"no action {name!r}; there are {', '.join(sorted(self.actions))}"}
        try:
            return 200, await action(json.loads(body or b"{}"))
        except UnknownFunctionError as error:
            return 404, {"error": str(error)}


class UnknownFunctionError(Exception):
    """No such version of a function is deployed."""
