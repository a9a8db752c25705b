"""What API Gateway knows of a request beyond HTTP, read only from where a client cannot write."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def event_of(request: HttpRequest) -> Mapping[str, Any]:
    """Return the Lambda event of `request`; empty where no gateway stands in front.

    The adapter puts it beside the headers: no header can become the key "aws.event",
    neither in an ASGI scope nor in a WSGI environment, where they begin with HTTP_.
    """
    event = getattr(request, "scope", request.META).get("aws.event")
    return event if isinstance(event, Mapping) else {}


def request_context_of(request: HttpRequest) -> Mapping[str, Any]:
    return _mapping(event_of(request), "requestContext")


def verified_claims(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return the claims of the token that the gateway's JWT authorizer accepted, or None."""
    claims: Mapping[str, Any] = request_context_of(request)
    for key in ("authorizer", "jwt", "claims"):
        claims = _mapping(claims, key)
    return claims or None


def _mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}
