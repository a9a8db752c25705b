"""What a function returned → HTTP reply, by the rules of an API Gateway HTTP API (payload 2.0)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from serverless_django.local.api_gateway import HOP_BY_HOP

NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class InvalidReplyError(ValueError):
    """A function returned something that API Gateway cannot turn into an HTTP reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """What goes back to the client."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case; `set-cookie` may repeat."""

    body: bytes = b""

    @property
    def has_body(self) -> bool:
        """Whether HTTP allows one at all."""
        return self.status not in NO_BODY


def message_reply(status: HTTPStatus, *headers: tuple[str, str]) -> HttpReply:
    """Return a reply of the gateway itself, such as 404 {"message":"Not Found"} for `status`, with `headers`."""
    # Newer editions of HTTP call it "Content Too Large"; AWS does not.
    phrase = "Request Entity Too Large" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else status.phrase
    body = json.dumps({"message": phrase}, separators=(",", ":")).encode()
    return HttpReply(status=status, headers=(("content-type", "application/json"), *headers), body=body)


def read_reply(payload: bytes) -> HttpReply:
    """Return the reply in `payload`, which a function returned, by the rules of format 2.0.

    Raise InvalidReplyError if it has a `statusCode` but is not an HTTP reply.
    """
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise InvalidReplyError(f"the function returned no JSON: {payload[:200]!r}") from error
    if isinstance(value, dict) and "statusCode" in value:
        return _explicit_reply(value)
    # Anything else is the body itself: the gateway infers the rest.
    body = value.encode() if isinstance(value, str) else payload
    return HttpReply(status=200, headers=(("content-type", "application/json"),), body=body)


def _explicit_reply(value: Mapping[str, Any]) -> HttpReply:
    status = value["statusCode"]
    if type(status) is not int or not 200 <= status <= 599:
        raise InvalidReplyError(f"statusCode should be an integer from 200 to 599, got {status!r}")
    body = b"" if status in NO_BODY else _reply_body(value)
    headers = _reply_headers(value)
    if body and not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=utf-8"))
    cookies = [("set-cookie", cookie) for cookie in _texts("cookies", value.get("cookies") or [])]
    return HttpReply(status=status, headers=(*headers, *cookies), body=body)


def _reply_headers(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = value.get("headers") or {}
    if not isinstance(headers, dict):
        raise InvalidReplyError(f"headers should be an object, got {headers!r}")
    names = [name.lower() for name in headers]
    kept = zip(names, _texts("headers", list(headers.values())), strict=True)
    return [(name, text) for name, text in kept if name not in HOP_BY_HOP | {"content-length"}]


def _texts(key: str, values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(item, str) and _fits_a_header(item) for item in values):
        raise InvalidReplyError(f"{key} should hold text that fits one header line, got {values!r}"[:300])
    return values


def _fits_a_header(text: str) -> bool:
    return not any(character in text for character in "\r\n\0")


def _reply_body(value: Mapping[str, Any]) -> bytes:
    body = value.get("body") or ""
    if not isinstance(body, str):
        raise InvalidReplyError(f"body should be text, got {type(body).__name__}")
    try:
        return base64.b64decode(body, validate=True) if value.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        raise InvalidReplyError(f"body cannot be decoded: {body[:80]!r}") from error
