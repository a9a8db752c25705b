"""Bearer tokens for django-ninja: `NinjaAPI(auth=BearerAuth())`, and `request.auth` is the caller."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from ninja.security.base import AuthBase
from ninja.utils import is_async_callable

from serverless_django.identity.caller import NO_TOKEN, Caller, find_caller


class BearerAuth(AuthBase):
    """Lets a request pass whose token was verified by the gateway, or by `BearerTokenMiddleware`.

    Override `find_user` where the project has its own users.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_bearerFormat = "JWT"  # noqa: N815 - the name in OpenAPI

    def __init__(self) -> None:
        super().__init__()
        self.is_async = is_async_callable(self.find_user)

    def __call__(self, request: HttpRequest) -> Any:
        """Return what becomes `request.auth`, or None without a valid token, so that another `auth=` may try."""
        caller = find_caller(request)
        return None if caller is None else self.find_user(caller)

    def find_user(self, caller: Caller) -> Any:
        """Return the user of `caller`, or None to refuse the token with 401.  It may be async.

        Raise django.core.exceptions.PermissionDenied for a user who may not call: 403.
        """
        return caller


def ask_for_token(request: HttpRequest, error: object) -> JsonResponse:
    """Return the 401 for `request`, with the header `WWW-Authenticate`, whatever `error` says.

    Register it with `api.add_exception_handler(AuthenticationError, ask_for_token)`: django-ninja itself leaves out
    that header, which HTTP requires.
    """
    return JsonResponse({"detail": NO_TOKEN}, status=401, headers={"WWW-Authenticate": "Bearer"})
