"""Bearer tokens for Django REST Framework: `request.user` is the caller, and without a token the answer is 401.

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["serverless_django.identity.drf.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "UNAUTHENTICATED_USER": None,  # where django.contrib.auth is not installed
}
"""

from collections.abc import Mapping
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from serverless_django.identity.caller import Caller, find_caller


class BearerAuthentication(BaseAuthentication):  # type: ignore[misc]
    """Knows a caller whose token was verified by the gateway, or by `BearerTokenMiddleware`.

    Override `find_user` where the project has its own users.
    """

    def authenticate(self, request: Request) -> tuple[Any, Mapping[str, Any]] | None:
        """Return the user and the claims, which become `request.user` and `request.auth`.

        Return None without a valid token: another class may try, and the permissions of the view decide.
        """
        caller = find_caller(request._request)
        user = None if caller is None else self.find_user(caller)
        return None if caller is None or user is None else (user, caller.claims)

    def authenticate_header(self, request: Request) -> str:
        """Return the value of `WWW-Authenticate`, which makes the framework answer 401 and not 403."""
        return "Bearer"

    def find_user(self, caller: Caller) -> Any:
        """Return the user of `caller`, or None if there is no such user.

        Raise django.core.exceptions.PermissionDenied for a user who may not call: 403.
        """
        return caller
