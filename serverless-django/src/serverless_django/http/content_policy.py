"""Django's content security policy, put together once instead of for each response, where it has no nonce."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware import csp
from django.utils.csp import CSP, build_policy

HEADER = str(CSP.HEADER_ENFORCE)


class ContentSecurityPolicyMiddleware(csp.ContentSecurityPolicyMiddleware):
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
