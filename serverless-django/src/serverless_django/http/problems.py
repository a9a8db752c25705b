"""Every error leaves as RFC 9457 problem details, and every response with the id to look for in the logs."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from serverless_django.http.bad_input import is_of_request
from serverless_django.http.gateway import request_id
from serverless_django.middleware import InlineMiddleware
from serverless_django.observability.invocations import note_route

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

UNAVAILABLE = (OperationalError, InterfaceError, ConnectionError)
"""Errors of the database and of AWS when they are unavailable: the client may try again later."""

RETRY_AFTER_SECONDS = 1

REFUSED_INPUT = "a value of the request is out of range, too long, no valid JSON, or holds a NUL character"

MAX_ERRORS = 20
"""Of what is wrong with a request, the first: a client could otherwise make an answer of many times its size."""


class ProblemDetailsMiddleware(InlineMiddleware):
    """Outermost, so that it also sees what other middlewares refuse."""

    def before(self, request: HttpRequest) -> None:
        request.request_id = request_id(request)  # type: ignore[attr-defined]

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        note_route(request)
        response.headers["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        if response.status_code >= HTTPStatus.BAD_REQUEST and isinstance(response, HttpResponse):
            _become_problem(response, request.request_id)  # type: ignore[attr-defined]
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503 if something we depend on is unavailable, and 400 if a value of the request is at fault.

        Django logs any other exception once and answers 500.
        """
        if isinstance(exception, RequestDataTooBig):
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if isinstance(exception, UNAVAILABLE):
            return unavailable(request, exception)
        return _refuse_input(request, exception) if is_of_request(exception, request) else None


def unavailable(request: HttpRequest, reason: Exception) -> HttpResponse:
    """Return the 503 for `request` while a service that we depend on is unavailable, and log `reason`."""
    logger.error("%s %s: unavailable", request.method, request.path, exc_info=reason)
    return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _refuse_input(request: HttpRequest, reason: Exception) -> HttpResponse:
    # With the place in the code: a view that checks its input says better what is wrong with it.
    logger.warning("%s %s: a value of the request was refused", request.method, request.path, exc_info=reason)
    return JsonResponse({"detail": REFUSED_INPUT}, status=HTTPStatus.BAD_REQUEST)


def problem_body(status: int, request_id: str, fields: Mapping[str, Any] | None = None) -> bytes:
    """Return the problem document of `status` for `request_id`, with `fields` such as `detail` added."""
    problem = {"type": "about:blank", "title": _title(status), "status": status, "request_id": request_id}
    return json.dumps(problem | dict(fields or {})).encode()


def _become_problem(response: HttpResponse, request_id: str) -> None:
    if response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
        return
    response.content = problem_body(response.status_code, request_id, _details(response))
    response.headers["Content-Type"] = CONTENT_TYPE
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))


def _details(response: HttpResponse) -> dict[str, Any]:
    # Django's own error pages are HTML and say no more than the title; what an app says is JSON.
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return {}
    try:
        said = json.loads(response.content)
        detail = said["detail"]
    except (ValueError, TypeError, KeyError):
        return {}
    if not isinstance(detail, list):
        return {"detail": detail}
    return {"errors": detail[:MAX_ERRORS], "error_count": said.get("error_count", len(detail))}


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
