"""Requests as the gateway delivers them, through the deployed handler, in this process."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from serverless_django.local.api_gateway import Caller, HttpRequest, Origin, http_api_event

# Django's settings for tests answer to this name.
HOST = "testserver"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    method: str,
    path: str,
    *,
    claims: Mapping[str, Any] | None = None,
    body: object = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request, with the claims that an authorizer found; `body` as JSON, unless it is bytes."""
    from serverless_django.handlers.api_gateway import handler
    from tests.conftest import LambdaContext

    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = {"host": HOST, "content-type": "application/json"} | dict(headers or {})
    request = HttpRequest(method=method, path=path, query=query, headers=list(fields.items()), body=data)
    origin = Origin(api_id="api", domain_name=HOST, route_key="$default")
    caller = None if claims is None else Caller(claims=claims)
    reply = handler(http_api_event(request, origin, caller=caller), LambdaContext())  # type: ignore[arg-type]
    return Answer(reply["statusCode"], reply["headers"], reply["body"])


@contextmanager
def kept_connection() -> Iterator[None]:
    """Keep the connection of a test, and so its transaction, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
