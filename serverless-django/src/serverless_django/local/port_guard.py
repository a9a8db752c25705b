"""Which requests the HTTP ports of the laptop answer: any web page can send requests to 127.0.0.1, too.

A browser names the page's site in `Origin`.  A page whose own host name was pointed at 127.0.0.1 (DNS rebinding)
counts as the same site; its requests have that name in `Host`.
"""

import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Message, Receive, Send], Awaitable[None]]
type Refusal = tuple[int, str]


@dataclass(frozen=True)
class Guarded:
    """An ASGI application that gets only what may come in."""

    application: Application
    find_refusal: "Callable[[Message], Refusal | None]" = lambda scope: foreign_request(headers_of(scope))
    """Returns the status and the reason if the request is refused."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and (refusal := self.find_refusal(scope)):
            await reply_json(send, refusal[0], {"error": refusal[1]})
        else:
            await self.application(scope, receive, send)


def headers_of(scope: Message) -> dict[str, str]:
    """Return the headers of the ASGI `scope`, with names in lower case; the values of a repeated one are joined."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def foreign_request(headers: Mapping[str, str]) -> Refusal | None:
    """Return the refusal of a request with `headers` of a page of another site, else None."""
    if foreign := foreign_host(headers):
        return foreign
    origin = headers.get("origin", "http://localhost")
    if not _is_this_machine(origin):
        return 403, f"Origin should be a page of this machine such as http://localhost:3000, got {origin[:200]!r}"
    return None


def foreign_host(headers: Mapping[str, str]) -> Refusal | None:
    """Return the refusal of a request whose Host among `headers` is a DNS name, else None."""
    # Any address will do, such as 10.0.2.2, by which Android's emulator reaches its host: DNS cannot rebind one.
    host = headers.get("host", "")
    name = _host_of(f"//{host}")
    if name == "localhost" or _address(name):
        return None
    return 421, f"Host should be localhost or an IP address, got {host[:200]!r}"


def _is_this_machine(origin: str) -> bool:
    name = _host_of(origin)
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


async def reply_json(send: Send, status: int, value: Mapping[str, Any]) -> None:
    """Send a response with `status` and `value` as JSON."""
    payload = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})
