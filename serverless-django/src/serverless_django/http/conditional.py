"""Django's conditional GET, for HEAD as well, with an ETag that every execution environment makes alike."""

from collections.abc import Mapping
from hashlib import md5
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import http
from django.utils.cache import get_conditional_response
from django.utils.http import parse_http_date_safe

from serverless_django.presigning import has_signature, without_signer


class ConditionalGetMiddleware(http.ConditionalGetMiddleware):
    """Let a 304 know, as `whole`, the response in whose place it is sent."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return response
        headers = response.headers
        if "ETag" not in headers and "no-store" not in headers.get("Cache-Control", ""):
            _set_etag(response)
        return _answer_conditions(request, response) if _is_conditional(request.META) else response


def _set_etag(response: Any) -> None:
    if response.streaming or not response.content:
        return
    content, weak = response.content, ""
    if has_signature(content):
        # Environments sign with different credentials: their answers differ in bytes, and mean the same.
        content, weak = without_signer(content), "W/"
    response.headers["ETag"] = f'{weak}"{md5(content, usedforsecurity=False).hexdigest()}"'


def _answer_conditions(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    if not etag and not modified:
        return response
    last_modified = parse_http_date_safe(modified) if modified else None
    answer: Any = get_conditional_response(request, etag, last_modified, cast("HttpResponse", response))
    if answer.status_code == HTTPStatus.NOT_MODIFIED:
        answer.whole = response
    return cast("HttpResponseBase", answer)


def _is_conditional(meta: Mapping[str, Any]) -> bool:
    return (
        "HTTP_IF_NONE_MATCH" in meta
        or "HTTP_IF_MODIFIED_SINCE" in meta
        or "HTTP_IF_MATCH" in meta
        or "HTTP_IF_UNMODIFIED_SINCE" in meta
    )
