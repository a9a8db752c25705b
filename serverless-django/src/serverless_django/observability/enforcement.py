"""Holds every request and every task to its budget: a breach fails a test, and is a metric in production.

BUDGET_BREACHES in the settings says which: "refuse" raises BudgetExceededError for what does not depend on the
machine, "report" writes a metric of each route and a warning with the lines, "ignore" looks at nothing.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.tasks import TaskResultStatus
from django.tasks.backends.immediate import ImmediateBackend
from django.tasks.signals import task_finished, task_started

from serverless_django.middleware import InlineMiddleware
from serverless_django.observability.budgets import (
    TIMES,
    Breach,
    BudgetExceededError,
    breaches_of,
    budget_of,
    is_within,
    report_of,
)
from serverless_django.observability.logs import metric_fields
from serverless_django.observability.recordings import Recording, current_recording

logger = logging.getLogger(__name__)


class BudgetMiddleware(InlineMiddleware):
    """Records each request from here inwards, and holds it to `request.budget`, or to the default."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self._is_cold = True

    def before(self, request: HttpRequest) -> None:
        if (mode := _mode()) != "ignore":
            request.recording = _start(mode)  # type: ignore[attr-defined]

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        recording: Recording | None = getattr(request, "recording", None)
        if recording is not None:
            recording.stop()
            # The first request of a process imports and connects, which no budget counts.
            elapsed_ms = 0.0 if self._is_cold else recording.elapsed_ms
            self._is_cold = False
            recording.name = _Route(request)  # type: ignore[assignment]
            _judge(recording, getattr(request, "budget", None), _size_of(response), elapsed_ms)
        return response


class _Route:
    """The name of a route, formatted only when it is read."""

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __str__(self) -> str:
        match = self._request.resolver_match
        return f"{self._request.method} /{match.route}" if match else f"{self._request.method} of no route"


def hold_tasks() -> None:
    """Hold every task to the budget that its function declares.  Safe to repeat."""
    task_started.connect(_start_task, dispatch_uid="serverless.budgets")
    task_finished.connect(_finish_task, dispatch_uid="serverless.budgets")


def _start_task(sender: Any, **_: Any) -> None:
    # A worker runs one task after the other; what is recorded still, belongs to one that was given up.
    if not issubclass(sender, ImmediateBackend) and (left := current_recording()):
        left.stop()
    if (mode := _mode()) != "ignore":
        _start(mode)


def _finish_task(task_result: Any, **_: Any) -> None:
    recording = current_recording()
    if recording is None:
        return
    recording.stop()
    if task_result.status == TaskResultStatus.SUCCESSFUL:
        recording.name = task_result.task.module_path
        _judge(recording, getattr(task_result.task.func, "budget", None))


def _mode() -> str:
    mode: str = getattr(settings, "BUDGET_BREACHES", "report")
    return mode


def _start(mode: str) -> Recording:
    return Recording(finds_sites=mode == "refuse")


def _judge(
    recording: Recording, declared: Mapping[str, Any] | None, response_bytes: int = 0, elapsed_ms: float = 0
) -> None:
    budget = budget_of(declared)
    if is_within(recording, budget, response_bytes=response_bytes, elapsed_ms=elapsed_ms):
        return
    breaches = breaches_of(recording, budget, response_bytes=response_bytes, elapsed_ms=elapsed_ms)
    if _mode() == "refuse":
        _refuse(recording, breaches)
    elif breaches:
        _report(recording, breaches, response_bytes, elapsed_ms)


def _refuse(recording: Recording, breaches: list[Breach]) -> None:
    if certain := [breach for breach in breaches if breach.limit not in TIMES]:
        raise BudgetExceededError(report_of(recording, certain))


def _report(recording: Recording, breaches: list[Breach], response_bytes: int, elapsed_ms: float) -> None:
    metrics = {
        "BudgetBreaches": len(breaches),
        "Queries": recording.count,
        "SqlMs": round(recording.sql_ms, 2),
        "ResponseMs": round(elapsed_ms, 2),
        "ResponseBytes": response_bytes,
    }
    # By route, and for all together: one alarm covers routes that are not written yet.
    fields = metric_fields(metrics, {"route": str(recording.name)}, by=[["route"], []])
    logger.warning("%s", report_of(recording, breaches), extra=fields)


def _size_of(response: HttpResponseBase) -> int:
    return 0 if response.streaming else len(response.content)  # type: ignore[attr-defined]
