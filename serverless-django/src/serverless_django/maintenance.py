"""Tasks that the platform schedules for itself: each keeps a promise of the others."""

import logging
import time
from collections.abc import Mapping
from datetime import timedelta

from django.apps import apps
from django.tasks import task, task_backends
from django.utils import timezone

from serverless_django.contract.resources import HOUSEKEEPING
from serverless_django.observability.logs import metric_fields
from serverless_django.postgresql.cursors import run_statement
from serverless_django.tasks import outbox
from serverless_django.tasks.backend import SqsBackend
from serverless_django.tasks.models import FailedCall, StoredResult

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 20.0
"""Well within a batch; the next sweep goes on."""

KEPT = timedelta(days=35)
"""Failures and results, as long as receipts."""


@task(queue_name=HOUSEKEEPING.name)
def sweep_outbox() -> int:
    """Send what was committed and not sent: nothing waits for more than 90 s."""
    backend = task_backends["default"]
    if not isinstance(backend, SqsBackend):
        return 0
    try:
        sent = outbox.sweep(backend.queue_urls, until=time.monotonic() + SWEEP_SECONDS)
    finally:
        _report_overdue(backend.queue_urls)
    if sent:
        logger.info("the sweep sent %d calls", sent)
    return sent


def _report_overdue(urls: Mapping[str, str]) -> None:
    for queue, count in outbox.count_overdue(urls).items():
        reason = "SQS does not accept them" if queue in urls else "lambda_app.topology declares no such queue"
        logger.error(
            "%d calls for queue %r are not sent: %s", count, queue, reason,
            extra=metric_fields({"UnsentCalls": count}, {"queue": queue}, by=[["queue"], []]),
        )  # fmt: skip


@task(queue_name=HOUSEKEEPING.name)
def purge_receipts() -> None:
    """Delete receipts that are older than any copy of their message, old results and failures, and let each app purge.

    An app takes part by a method `purge` of its AppConfig, without arguments.
    """
    run_statement("SELECT serverless_purge_receipts()")
    for config in apps.get_app_configs():
        if purge := getattr(config, "purge", None):
            purge()
    before = timezone.now() - KEPT
    FailedCall.objects.filter(failed_at__lt=before).delete()
    StoredResult.objects.filter(enqueued_at__lt=before).delete()
