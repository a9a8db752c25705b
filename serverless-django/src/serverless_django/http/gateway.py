"""What API Gateway knows of a request beyond HTTP, read only from where a client cannot write."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from serverless_django.observability.correlation import request_id_of


def event_of(request: HttpRequest) -> Mapping[str, Any]:
    """Return the Lambda event of `request`; empty where no gateway stands in front.

    The adapter puts it beside the headers: no header can become the key "aws.event",
    neither in an ASGI scope nor in a WSGI environment, where they begin with HTTP_.
    """
    event = _beside_headers(request).get("aws.event")
    return event if isinstance(event, dict) else {}


def request_id(request: HttpRequest) -> str:
    """Return the id by which the gateway's access log, and so the logs of the function, know `request`."""
    return request_id_of(event_of(request), _beside_headers(request).get("aws.context"))


def verified_claims(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return the claims of the token that the gateway's JWT authorizer accepted, or None."""
    claims = _mapping(event_of(request), "requestContext")
    for key in ("authorizer", "jwt", "claims"):
        claims = _mapping(claims, key)
    return claims or None


def _beside_headers(request: HttpRequest) -> Mapping[str, Any]:
    beside: Mapping[str, Any] = getattr(request, "scope", request.META)
    return beside


def _mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    # Parsed JSON; asking for a Mapping costs ten times as much.
    return value if isinstance(value, dict) else {}
