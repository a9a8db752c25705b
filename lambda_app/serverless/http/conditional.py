"""Django's conditional GET, where a request without conditions pays for its ETag and nothing else."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import http
from django.utils.cache import set_response_etag


class ConditionalGetMiddleware(http.ConditionalGetMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.method != "GET" or _is_conditional(request.META):
            return super().process_response(request, response)
        headers = response.headers
        if "ETag" not in headers and "no-store" not in headers.get("Cache-Control", ""):
            set_response_etag(response)
        return response


def _is_conditional(meta: Mapping[str, Any]) -> bool:
    return (
        "HTTP_IF_NONE_MATCH" in meta
        or "HTTP_IF_MODIFIED_SINCE" in meta
        or "HTTP_IF_MATCH" in meta
        or "HTTP_IF_UNMODIFIED_SINCE" in meta
    )
