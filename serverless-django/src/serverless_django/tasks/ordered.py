"""Calls of FIFO groups → SQS, which keeps the order in which it accepts them.

A call is sent when SQS has accepted all before it in its group: its sender saw that, or found them gone from the
outbox.  That alone keeps the order, however many send at once and wherever one of them fails: what two of them send
has one id, and so one effect.  A group is left to who has its first call only to spare the second sending.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from serverless_django.postgresql.cursors import array_of, run_statement
from serverless_django.tasks.rows import Call, delete_rows

type Group = tuple[str, str]
"""A queue, and the name of a group in it."""

type Send = Callable[[str, Sequence[Call]], Collection[str]]
"""Sends calls to a queue and returns the ids of those that it accepted."""

READ = """
    SELECT id::text, call.queue, call.message_group, body, priority, run_after, send_after <= statement_timestamp()
    FROM unnest(%s::text[], %s::text[]) AS line (queue, message_group) CROSS JOIN LATERAL (
        SELECT * FROM serverless_outbox AS waiting
        WHERE waiting.queue = line.queue AND waiting.message_group = line.message_group AND message_group <> ''
        AND (run_after IS NULL OR run_after <= statement_timestamp())
        ORDER BY position, id LIMIT 10
    ) AS call ORDER BY position, id
"""
TAKE = """
    UPDATE serverless_outbox SET send_after = statement_timestamp() + %s
    WHERE id = ANY (%s::uuid[]) AND send_after <= statement_timestamp() RETURNING id::text
"""
RELEASE = "UPDATE serverless_outbox SET send_after = statement_timestamp() WHERE id = ANY (%s::uuid[])"


@dataclass(slots=True)
class OrderedDelivery:
    """One sender at work on some groups."""

    ours: Collection[str]
    """Ids of calls that no other sender has."""

    send: Send
    lease: timedelta
    until: float
    """When the monotonic clock shows it, what is left is left to others."""

    _taken: set[Group] = field(default_factory=set)

    def run(self, groups: Collection[Group]) -> int:
        """Send what waits in `groups`, of each until a call is refused, and return how many were accepted."""
        sent = 0
        while groups:
            lines = {group: line for group, line in read_lines(groups).items() if self._is_ours(group, line)}
            self._taken.update(lines)
            accepted = self._send_lines(lines)
            sent += len(accepted)
            # Who came after us has left its calls to us: look again until there are none.
            groups = [group for group, line in lines.items() if line[-1].id in accepted]
        return sent

    def _is_ours(self, group: Group, line: Sequence[Call]) -> bool:
        first = line[0]
        return group in self._taken or first.id in self.ours or (first.is_free and first.id in self._take(line))

    def _take(self, line: Sequence[Call]) -> set[str]:
        return {id for (id,) in run_statement(TAKE, [self.lease, array_of([call.id for call in line])])}

    def _send_lines(self, lines: Mapping[Group, Sequence[Call]]) -> set[str]:
        accepted: set[str] = set()
        try:
            for place in range(max(map(len, lines.values()), default=0)):
                if time.monotonic() >= self.until:
                    _release([call for line in lines.values() for call in line if call.id not in accepted])
                    break
                accepted.update(self._send_one_of_each(lines.values(), place, accepted))
        finally:
            delete_rows(list(accepted))
        return accepted

    def _send_one_of_each(
        self, lines: Collection[Sequence[Call]], place: int, accepted: Collection[str]
    ) -> Iterator[str]:
        # Not ten of one group together, of which SQS may refuse any and take the next.
        heads = [line[place] for line in lines if place < len(line) and (not place or line[place - 1].id in accepted)]
        for queue, calls in groupby(sorted(heads, key=attrgetter("queue")), key=attrgetter("queue")):
            yield from self.send(queue, list(calls))


def read_lines(groups: Collection[Group]) -> dict[Group, list[Call]]:
    """Return the first calls of each of `groups` that are due, in order; a group without any is left out."""
    names = ("id", "queue", "group", "body", "priority", "run_after", "is_free")
    lines: dict[Group, list[Call]] = {}
    for row in run_statement(READ, [list(column) for column in zip(*groups, strict=True)]):
        call = Call(**dict(zip(names, row, strict=True)))
        lines.setdefault((call.queue, call.group), []).append(call)
    return lines


def _release(calls: Sequence[Call]) -> None:
    run_statement(RELEASE, [array_of([call.id for call in calls])])
