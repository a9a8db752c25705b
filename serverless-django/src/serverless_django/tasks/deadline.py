"""Time that is left → whether another piece of work, as slow as the slowest so far, still fits into the invocation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from aws_lambda_powertools.utilities.typing import LambdaContext

MARGIN = timedelta(milliseconds=750)
"""Left over for the response and for what SQS is told when a batch is stopped before its deadline."""


class Deadline:
    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._slowest = timedelta(0)

    @property
    def remaining(self) -> timedelta:
        """What work may use."""
        return timedelta(milliseconds=self._context.get_remaining_time_in_millis()) - MARGIN

    def has_time(self) -> bool:
        return self.remaining > self._slowest

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Let the work inside count for what comes next."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._slowest = max(self._slowest, timedelta(seconds=time.monotonic() - started))
