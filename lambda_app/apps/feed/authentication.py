"""Who is calling: the verified token → a member."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from lambda_app.apps.feed.errors import ForbiddenError
from lambda_app.apps.feed.models import Member
from lambda_app.apps.feed.services.members import register_member
from serverless_django.identity.caller import Caller, read_caller
from serverless_django.identity.ninja import BearerAuth

BLOCKED = "this member is blocked"


class Charge(Protocol):
    def __call__(self, what: str, amount: int, limits: Mapping[timedelta, int], /) -> timedelta | None:
        """Take `amount` from what the member may have in each period; return how long to wait if it is too much."""
        ...


class MemberRequest(HttpRequest):
    """A request that BearerToken let through."""

    auth: Member
    charge: Charge


class BearerToken(BearerAuth):
    def find_user(self, caller: Caller) -> Member:
        """Raise ForbiddenError if the member may not call."""
        name = str(caller.claims.get("preferred_username") or "")
        member = register_member(subject=caller.subject, preferred_username=name)
        if not member.is_active:
            raise ForbiddenError(BLOCKED)
        return member


def check_caller(request: HttpRequest) -> None:
    """Raise PermissionDenied if the token's member is blocked.  Asked before an answer is replayed."""
    if Member.objects.filter(subject=read_caller(request).subject, is_active=False).exists():
        raise PermissionDenied(BLOCKED)
