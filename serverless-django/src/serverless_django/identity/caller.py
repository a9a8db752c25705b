"""The claims of a verified token → the caller, with a subject that a database can store and compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest

MAX_SUBJECT_LENGTH = 255
"""Characters; OpenID Connect allows no more."""

NO_TOKEN = "a valid bearer token is needed"  # noqa: S105 (a sentence)
"""The same for every fault of a token, so that a caller who tries out tokens learns nothing."""


class NoTokenError(PermissionDenied):
    """A request has no valid token, or one whose subject cannot be used.  Django answers it with 403."""

    def __init__(self) -> None:
        super().__init__(NO_TOKEN)


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a verified token.  A project that stores no users can take it for `request.user`."""

    subject: str
    claims: Mapping[str, Any]

    @property
    def pk(self) -> str:
        """The subject, by which Django REST Framework counts requests."""
        return self.subject

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_anonymous(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.subject


def find_caller(request: HttpRequest) -> Caller | None:
    """Return who sends `request`, or None if it has no valid token or its `sub` cannot be used.

    A subject should be text of 1 to 255 characters without NUL, which PostgreSQL cannot store.

    Raise ImproperlyConfigured if no middleware has set `request.claims`.
    """
    try:
        claims: Mapping[str, Any] = request.claims or {}  # type: ignore[attr-defined]
    except AttributeError as error:
        raise ImproperlyConfigured(
            "the request has no claims; add serverless_django.http.middleware.ClaimsMiddleware to MIDDLEWARE, or "
            "serverless_django.identity.middleware.BearerTokenMiddleware where no gateway verifies tokens"
        ) from error
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or "\x00" in subject:
        return None
    return Caller(subject, claims)


def read_caller(request: HttpRequest) -> Caller:
    """Return who sends `request`.

    Raise NoTokenError if it has no valid token or its `sub` cannot be used, ImproperlyConfigured if no middleware
    has set `request.claims`.
    """
    caller = find_caller(request)
    if caller is None:
        raise NoTokenError
    return caller
