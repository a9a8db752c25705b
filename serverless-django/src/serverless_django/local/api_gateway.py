"""HTTP request → the event that an API Gateway HTTP API sends (payload 2.0).

Shapes are those of the AWS documentation and of events captured live in July 2026 (github.com/hotsock/voker).
"""

import base64
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class InvalidEscapeError(ValueError):
    """A "%" in a path is not followed by two hexadecimal digits."""


def strictly_unquoted(text: str) -> str:
    """Decode "%41" to "A" everywhere in `text`; "+" stays.  Raise InvalidEscapeError if a "%" starts no escape."""
    if stray := _STRAY_PERCENT.search(text):
        raise InvalidEscapeError(
            f"{text!r} has a % at position {stray.start()} that starts no escape; send %25 instead"
        )
    return unquote(text)


MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""The largest body that an HTTP API accepts."""

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""The largest event that Lambda accepts, and, within a hundred bytes, the largest that it returns."""

HOP_BY_HOP = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that concern one connection only: the gateway keeps them to itself, both ways."""

TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
"""Beside text/*, the types of body that travel as text; every other travels as base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a JWT authorizer found in a token."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...] | None = None
    """None if the route asks for no scope."""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request as it was on the wire."""

    method: str
    path: str
    """Percent-encoded."""

    query: str = ""
    """Percent-encoded, without the "?"."""

    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"
    request_id: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(11)).decode())
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def routed_path(self) -> str:
        """The path by which a route is chosen: decoded once, and cut at a question mark that was encoded.

        Raise InvalidEscapeError if a "%" is not followed by two hexadecimal digits.
        """
        return strictly_unquoted(self.path).partition("?")[0]

    @cached_property
    def delivered_path(self) -> str:
        """The path that the function sees.  API Gateway decodes it once more: "%252F" arrives as "/".

        Raise InvalidEscapeError where that is impossible: "/100%25" is refused.
        """
        return strictly_unquoted(self.routed_path)

    @cached_property
    def fields(self) -> dict[str, str]:
        """Headers with lower-case names; repeated ones joined by a comma."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            key = name.lower()
            joined[key] = f"{joined[key]},{value}" if key in joined else value
        return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where in the deployment a request arrived."""

    api_id: str
    domain_name: str
    route_key: str
    account_id: str = "000000000000"
    stage: str = "$default"


def http_api_event(
    request: HttpRequest,
    origin: Origin,
    *,
    path_parameters: Mapping[str, str] | None = None,
    caller: Caller | None = None,
) -> dict[str, Any]:
    """Return the event of `request`, which came in at `origin`.  Keys without a value are left out, as AWS does.

    `path_parameters` are those of the route; `caller` is the caller that the authorizer verified.

    Raise InvalidEscapeError if the path cannot be decoded.
    """
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": origin.route_key,
        "rawPath": request.delivered_path,
        "rawQueryString": request.query,
        "headers": _event_headers(request, origin),
        "requestContext": _request_context(request, origin, caller),
        "isBase64Encoded": False,
    }
    if cookies := _cookies(request):
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _query_parameters(request.query)
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    return event | _body(request)


def _event_headers(request: HttpRequest, origin: Origin) -> dict[str, str]:
    headers = {name: value for name, value in request.fields.items() if name not in HOP_BY_HOP | {"cookie"}}
    if request.body:
        headers["content-length"] = str(len(request.body))
    forwarded_for = [headers["x-forwarded-for"]] if "x-forwarded-for" in headers else []
    return headers | {
        "host": origin.domain_name,
        "x-amzn-trace-id": headers.get("x-amzn-trace-id") or _trace_id(request),
        "x-forwarded-for": ", ".join([*forwarded_for, request.source_ip]),
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }


def _trace_id(request: HttpRequest) -> str:
    return f"Root=1-{int(request.received_at.timestamp()):08x}-{secrets.token_hex(12)}"


def _cookies(request: HttpRequest) -> list[str]:
    values = [value for name, value in request.headers if name.lower() == "cookie"]
    return [cookie for value in values for part in value.split(";") if (cookie := part.strip())]


def _query_parameters(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _request_context(request: HttpRequest, origin: Origin, caller: Caller | None) -> dict[str, Any]:
    context: dict[str, Any] = {
        "accountId": origin.account_id,
        "apiId": origin.api_id,
        "domainName": origin.domain_name,
        "domainPrefix": origin.domain_name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.delivered_path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.fields.get("user-agent", ""),
        },
        "requestId": request.request_id,
        "routeKey": origin.route_key,
        "stage": origin.stage,
        "time": request.received_at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.received_at.timestamp() * 1000),
    }
    if caller is not None:
        context["authorizer"] = {"jwt": _jwt(caller)}
    return context


def _jwt(caller: Caller) -> dict[str, Any]:
    return {
        "claims": {name: claim_text(value) for name, value in caller.claims.items()},
        "scopes": None if caller.scopes is None else list(caller.scopes),
    }


def claim_text(value: Any) -> str:
    """Return the claim `value` as API Gateway passes it: always text, a list as "[first second]"."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(claim_text, value))}]"
    return json.dumps(value)


def _body(request: HttpRequest) -> dict[str, Any]:
    if not request.body:
        return {}
    if _travels_as_text(request.fields):
        return {"body": request.body.decode(errors="replace")}
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def _travels_as_text(headers: Mapping[str, str]) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return "content-encoding" not in headers and (media_type.startswith("text/") or media_type in TEXT_TYPES)
