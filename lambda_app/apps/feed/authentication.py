"""Who is calling: the claims of the verified token → a member."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security.base import AuthBase

from lambda_app.apps.feed.errors import ForbiddenError
from lambda_app.apps.feed.models import Member
from lambda_app.apps.feed.services.members import register_member

MAX_SUBJECT_LENGTH = 255
NO_TOKEN = "a valid bearer token is needed"  # noqa: S105 (a sentence)
"""Whatever is wrong with the token: who tries others learns nothing."""
BLOCKED = "this member is blocked"


class Charge(Protocol):
    def __call__(self, what: str, amount: int, limits: Mapping[timedelta, int], /) -> timedelta | None:
        """Take `amount` from what the member may have in each period; return how long to wait if it is too much."""
        ...


class MemberRequest(HttpRequest):
    """A request that BearerToken let through."""

    auth: Member
    charge: Charge


class BearerToken(AuthBase):
    """The gateway has verified the token; `request.claims` is what it says, or None."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_bearerFormat = "JWT"  # noqa: N815 the name in OpenAPI

    def __call__(self, request: HttpRequest) -> Member:
        """Raise AuthenticationError without a token, ForbiddenError if its member may not call."""
        claims: Mapping[str, Any] | None = getattr(request, "claims", None)
        if not claims:
            raise AuthenticationError(message=NO_TOKEN)
        member = register_member(
            subject=_read_subject(claims), preferred_username=str(claims.get("preferred_username") or "")
        )
        if not member.is_active:
            raise ForbiddenError(BLOCKED)
        return member


def check_caller(request: HttpRequest) -> None:
    """Raise PermissionDenied if the token's member is blocked.  Asked before an answer is replayed."""
    claims: Mapping[str, Any] = getattr(request, "claims", None) or {}
    try:
        subject = _read_subject(claims)
    except AuthenticationError as error:
        raise PermissionDenied(NO_TOKEN) from error
    if Member.objects.filter(subject=subject, is_active=False).exists():
        raise PermissionDenied(BLOCKED)


def _read_subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or "\x00" in subject:
        raise AuthenticationError(message=NO_TOKEN)
    return subject
