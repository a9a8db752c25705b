"""Middleware for a project: HEAD for views that know only GET, verified claims, and Django's CSP, faster."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import csp
from django.utils.csp import CSP, build_policy

from serverless_django.http.gateway import verified_claims
from serverless_django.middleware import InlineMiddleware


class HeadMiddleware(InlineMiddleware):
    """Ask the view again by GET if it refuses HEAD and names GET; a server leaves the body out of the answer."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.method != "HEAD":
            response: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
            return response
        return self._ask_async(request) if self._is_async else self._ask(request)

    def _ask(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = self.get_response(request)
        if not _knows_only_get(response):
            return response
        request.method = "GET"
        try:
            answer: HttpResponseBase = self.get_response(request)
        finally:
            request.method = "HEAD"
        return answer

    async def _ask_async(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        if not _knows_only_get(response):
            return response
        request.method = "GET"
        try:
            answer: HttpResponseBase = await self.get_response(request)
        finally:
            request.method = "HEAD"
        return answer


def _knows_only_get(response: HttpResponseBase) -> bool:
    allowed = response.headers.get("Allow", "").replace(" ", "").split(",")
    return response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and "GET" in allowed


class ClaimsMiddleware(InlineMiddleware):
    """Set `request.claims`, a mapping with `sub` among others, or None without a verified token."""

    def before(self, request: HttpRequest) -> None:
        request.claims = verified_claims(request)  # type: ignore[attr-defined]


HEADER = str(CSP.HEADER_ENFORCE)


class ContentSecurityPolicyMiddleware(csp.ContentSecurityPolicyMiddleware):
    """Django's middleware; a policy without a nonce is put together once instead of for each response."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        policy = "" if settings.SECURE_CSP_REPORT_ONLY else build_policy(settings.SECURE_CSP)
        # Without a nonce to fill in, Django leaves out what asks for one.
        self._usual = "" if _has_nonce(settings.SECURE_CSP) else policy

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        # What a decorator of Django's asks for is Django's to do.
        if not self._usual or hasattr(response, "_csp_config") or hasattr(response, "_csp_ro_config"):
            return super().process_response(request, response)
        if HEADER not in response.headers:
            response.headers[HEADER] = self._usual
        return response


def _has_nonce(policy: dict[str, Any]) -> bool:
    return any(CSP.NONCE in ([value] if isinstance(value, str) else value or ()) for value in policy.values())
