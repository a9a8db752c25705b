"""No cache on the way keeps what is one member's: a response is private unless its view says otherwise, and may."""

import logging

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import has_vary_header

from serverless_django.middleware import InlineMiddleware

logger = logging.getLogger(__name__)

PRIVATE = "private, no-cache"
_SHARED = ("public", "s-maxage")


class PrivateByDefaultMiddleware(InlineMiddleware):
    """Completes, or corrects, Cache-Control.

    A response that sets a cookie, or that depends on who asks, is never kept by what many share, whatever it says.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        said = response.headers.get("Cache-Control")
        if said is None:
            response.headers["Cache-Control"] = PRIVATE
        elif _is_shared(said) and (reason := _reason_against(response)):
            logger.error("%s %s says %r and %s", request.method, request.path, said, reason)
            response.headers["Cache-Control"] = PRIVATE
        return response


def _is_shared(cache_control: str) -> bool:
    lowered = cache_control.lower()
    return any(word in lowered for word in _SHARED)


def _reason_against(response: HttpResponseBase) -> str:
    if response.cookies:
        return "sets a cookie"
    if response.status_code >= 400:
        return "is an error"
    for header in ("Cookie", "Authorization", "*"):
        if has_vary_header(response, header):
            return f"varies by {header}"
    return ""
