"""A call as a row of the outbox."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from serverless_django.postgresql.cursors import array_of, run_statement
from serverless_django.tasks.sqs import Outgoing

MAX_DELAY = timedelta(minutes=15)
"""SQS delays no message for longer: a later call stays a row until then."""

DELETE = "DELETE FROM serverless_outbox WHERE id = ANY (%s::uuid[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A row of the outbox, or what would be one."""

    id: str
    queue: str
    body: str
    group: str = ""
    """Of a call that was made for a FIFO queue."""

    priority: int = 0
    run_after: datetime | None = None
    is_free: bool = False
    """Whether it was read and no other sender has it."""

    @property
    def is_due(self) -> bool:
        """Whether SQS can take it by now; a FIFO queue delays nothing."""
        return self.run_after is None or self.run_after - timezone.now() <= (timedelta(0) if self.group else MAX_DELAY)

    def outgoing(self) -> Outgoing:
        return Outgoing(id=self.id, body=self.body, group=self.group, delay_seconds=delay_seconds(self.run_after))


def delay_seconds(run_after: datetime | None) -> int:
    """Return the seconds that SQS should delay a message until `run_after`, 0 to 900."""
    if run_after is None:
        return 0
    return max(0, min(math.ceil((run_after - timezone.now()).total_seconds()), int(MAX_DELAY.total_seconds())))


def delete_rows(ids: Sequence[str]) -> None:
    """Delete the rows of the outbox with `ids`."""
    if ids:
        run_statement(DELETE, [array_of(ids)])
