"""HTTP requests with a verified token: by Django's test client, or as events through a handler."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from serverless_django.local.api_gateway import Caller, HttpRequest, Origin, http_api_event
from serverless_django.testing import LambdaContext

HOST = "testserver"
"""Which Django's settings for tests answer."""

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returns to API Gateway."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def client_with_claims(**claims: Any) -> Client:
    """Return a Django test client whose requests carry a token with `claims`, such as sub="ada".

    `ClaimsMiddleware` finds them where the gateway's authorizer would have put them.
    """
    environment: dict[str, Any] = {"aws.event": {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}}
    return Client(**environment)


def call_api(
    handler: Handler,
    method: str,
    path: str,
    *,
    claims: Mapping[str, Any] | None = None,
    body: object = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request to `handler` as the event of an HTTP API of API Gateway, and return the answer.

    `method` is such as "GET"; `path` and `query` are percent-encoded; `claims` are those of a verified token; `body` is
    sent as JSON, unless it is bytes; `headers` are added to the host and the content type.

    Raise InvalidEscapeError if `path` cannot be decoded.
    """
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = {"host": HOST, "content-type": "application/json"} | dict(headers or {})
    request = HttpRequest(method=method, path=path, query=query, headers=list(fields.items()), body=data)
    origin = Origin(api_id="api", domain_name=HOST, route_key="$default")
    caller = None if claims is None else Caller(claims=claims)
    reply = handler(http_api_event(request, origin, caller=caller), LambdaContext())
    return Answer(reply["statusCode"], reply["headers"], reply["body"])


@contextmanager
def kept_connection() -> Iterator[None]:
    """Keep the connection of a test, and so its transaction, through requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
