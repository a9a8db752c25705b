"""A message of a schedule → the moment that it is for, and whether that is too long ago."""

from datetime import UTC, datetime, timedelta

from serverless_django.conf import topology
from serverless_django.contract.resources import SCHEDULE_ID_PREFIX
from serverless_django.tasks.wire import Envelope


def is_skipped(envelope: Envelope) -> bool:
    """Return whether the schedule that sent this skips a moment as late as this one is now."""
    if not envelope.id.startswith(SCHEDULE_ID_PREFIX):
        return False
    late = datetime.now(UTC) - envelope.enqueued_at
    patience = _skip_after(envelope.id.removeprefix(SCHEDULE_ID_PREFIX).partition("/")[0])
    return patience is not None and late > patience


def _skip_after(name: str) -> timedelta | None:
    return next((schedule.skip_after for schedule in topology().every_schedule if schedule.name == name), None)
