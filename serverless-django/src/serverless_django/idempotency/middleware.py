"""`Idempotency-Key` on a POST or PATCH: repeated, it has one effect, and the same answer comes again.

As Stripe has it: 409 while the first request is at work, 422 if the key was used for another request.
The answer is stored in the transaction of the effect, so there is both or neither, whatever is killed.
A refusal (400 and above) rolls everything back and is not stored: the key is as good as new.
"""

import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from serverless_django.http.problems import UNAVAILABLE, unavailable
from serverless_django.idempotency.answers import Answer, RequestKey, State, claim, store
from serverless_django.tasks.commits import promised

logger = logging.getLogger(__name__)

METHODS = ("POST", "PATCH")
"""The others are idempotent by themselves."""

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY_LENGTH = 255


class StreamedAnswerError(TypeError):
    """A view that was asked to be idempotent streams, which cannot be stored."""


class IdempotencyMiddleware:
    """Last in the list: what stands before it is done at each repetition, the view only once.

    Requests without a key, or without a caller to whom it could belong, pass untouched.  Before an answer is
    replayed, settings.REPLAY_CHECK is asked, the path of a function of the request: it raises PermissionDenied
    if the caller has lost the right to it.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        path: str | None = getattr(settings, "REPLAY_CHECK", None)
        self._check_caller: Callable[[HttpRequest], None] = import_string(path) if path else _allow

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request.headers.get(HEADER) if request.method in METHODS else None
        claims: Mapping[str, Any] | None = getattr(request, "claims", None)
        # Callers without a subject would share their keys.
        if name is None or not claims or not claims.get("sub"):
            return self.get_response(request)
        if not 0 < len(name) <= MAX_KEY_LENGTH or not (name.isascii() and name.isprintable()):
            detail = f"{HEADER} should be 1 to {MAX_KEY_LENGTH} printable ASCII characters"
            return _refusal(HTTPStatus.BAD_REQUEST, detail)
        key = RequestKey.of(issuer=str(claims.get("iss", "")), subject=str(claims["sub"]), name=name)
        try:
            return self._answer(request, key, _fingerprint(request))
        except PermissionDenied as error:
            return _refusal(HTTPStatus.FORBIDDEN, str(error))
        except RequestDataTooBig:
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except UNAVAILABLE as error:
            return unavailable(request, error)

    def _answer(self, request: HttpRequest, key: RequestKey, fingerprint: bytes) -> HttpResponseBase:
        with transaction.atomic():
            found = claim(key)
            if found is State.OPEN:
                return self._answer_first(request, key, fingerprint)
        self._check_caller(request)
        if isinstance(found, Answer):
            return _replay(found, fingerprint)
        detail = f"a request with this {HEADER} is at work; ask again for its answer"
        return _refusal(HTTPStatus.CONFLICT, detail, **{"Retry-After": "1"})

    def _answer_first(self, request: HttpRequest, key: RequestKey, fingerprint: bytes) -> HttpResponseBase:
        with promised():
            response = self.get_response(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            transaction.set_rollback(True)
        elif isinstance(response, HttpResponse):
            headers = list(response.headers.items())
            store(key, Answer(fingerprint, response.status_code, headers, response.content))
        else:
            raise StreamedAnswerError(f"{request.method} {request.path} streams its answer, so it cannot be repeated")
        return response


def _allow(request: HttpRequest) -> None:
    """Let every caller have their answers again."""


def _fingerprint(request: HttpRequest) -> bytes:
    """Return a digest of what is asked for: the body as it is on the wire, under the method and the whole address."""
    asked = f"{request.method} {request.get_full_path()}\n".encode()
    return sha256(asked + request.body).digest()


def _replay(answer: Answer, fingerprint: bytes) -> HttpResponse:
    if answer.fingerprint != fingerprint:
        detail = f"this {HEADER} was used for another request; choose a new one"
        return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    response = HttpResponse(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.headers:
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response


def _refusal(status: HTTPStatus, detail: str, **headers: str) -> HttpResponse:
    return JsonResponse({"detail": detail}, status=status, headers=headers)
