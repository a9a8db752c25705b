"""Two probes: /healthz says that the code runs, /readyz that it reaches its database."""

import time
from typing import Any

from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from serverless_django.http.problems import RETRY_AFTER_SECONDS, UNAVAILABLE

ANSWER_SECONDS = 5.0
"""How long the database's answer is reused: any client may ask, and a flood of probes must cost it nothing."""


class Readiness:
    """Remembers the last answer of the database, for the connection, or else the address, that gave it."""

    def __init__(self) -> None:
        self._source: Any = None
        self._fault = ""
        self._until = 0.0

    def check(self) -> None:
        """Raise OperationalError, or what the database raised, if it is unavailable."""
        is_known = self._source is not None and self._source in (connection.connection, _address())
        # Wall-clock time: the monotonic clock may stop while Lambda is frozen.
        if not is_known or not 0 < self._until - time.time() <= ANSWER_SECONDS:
            self._ask()
        elif self._fault:
            raise OperationalError(self._fault)

    def _ask(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except UNAVAILABLE as error:
            self._remember(_address(), f"a moment ago: {error}", RETRY_AFTER_SECONDS)
            raise
        self._remember(connection.connection, "", ANSWER_SECONDS)

    def _remember(self, source: Any, fault: str, seconds: float) -> None:
        self._source, self._fault, self._until = source, fault, time.time() + seconds


def _address() -> tuple[Any, ...]:
    return tuple(connection.settings_dict[part] for part in ("HOST", "PORT", "NAME"))


_readiness = Readiness()


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer without touching anything outside the process."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Query the database, at most once in ANSWER_SECONDS; if it is unavailable ProblemDetailsMiddleware answers 503."""
    _readiness.check()
    return JsonResponse({"status": "ok"})


urlpatterns = [path("healthz", healthz), path("readyz", readyz)]
