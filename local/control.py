"""The launcher's own address: the emulator has functions run here, and other commands ask and steer here."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

type Message = MutableMapping[str, Any]
type Action = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


@dataclass
class Control:
    """An ASGI application: POST /NAME with a JSON object runs the action NAME and answers its JSON object."""

    actions: Mapping[str, Action]

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, reply = await self._run(scope["path"].lstrip("/"), body)
        payload = json.dumps(reply).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    async def _run(self, name: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        if (action := self.actions.get(name)) is None:
            return 404, {"error": f"no action {name!r}; there are {', '.join(sorted(self.actions))}"}
        return 200, await action(json.loads(body or b"{}"))
