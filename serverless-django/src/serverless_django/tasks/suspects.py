"""Calls that were delivered before and left no word → which of them runs when, and alone.

A task that kills its worker, by its memory, by a hang or by os._exit(), takes the other calls of its batch with
it at each delivery, and no worker can tell which call it was.  So the calls of a delivery that left neither a
success nor a failure behind are suspects.  A suspect runs alone, and its attempt is counted before it runs: the
call that ends its worker again is known by that count, and after `max_attempts` goes to the dead-letter queue.

The suspects of a bulk task run together once more before that, because most deliveries without a word were an
outage that has passed.  A first delivery costs nothing.
"""

import logging
from collections.abc import Sequence

from django.db import DatabaseError

from serverless_django.tasks.deliveries import DeliveredCall, Suspicion
from serverless_django.tasks.failures import UNFINISHED, WorkerEndedError, note_attempts, read_failures
from serverless_django.tasks.retries import max_attempts_of
from serverless_django.tasks.transient_errors import OutageError, is_outage

logger = logging.getLogger(__name__)


def recall(calls: Sequence[DeliveredCall]) -> None:
    """Write into each of `calls` how often it has failed and what it is suspected of.

    Costs two statements if any of them was delivered before, else nothing.  Raise DatabaseError.
    """
    again = [call for call in calls if call.receives > 1]
    known = read_failures(again)
    for call in again:
        call.attempts, error = known.get(call.key.id, (0, ""))
        call.suspicion = _suspicion_of(call, error)


def begin(call: DeliveredCall) -> bool:
    """Count the attempt of a suspect before it runs; return False if it shall not run: `call.error` says why.

    Raise OutageError if the database takes no writes.
    """
    if call.suspicion == Suspicion.STRONG and call.attempts >= max_attempts_of(call):
        call.is_noted, call.error = True, WorkerEndedError()
        return False
    if call.suspicion:
        call.is_noted = _note([call], by=1)
    return call.is_noted or not call.suspicion


def begin_together(calls: Sequence[DeliveredCall]) -> bool:
    """Note that `calls`, suspects of one bulk task, run together, which counts as an attempt of none of them.

    Return False if they must run one by one.  Raise OutageError if the database takes no writes.
    """
    suspects = [call for call in calls if call.suspicion]
    return not suspects or _note(suspects, by=0)


def _suspicion_of(call: DeliveredCall, error: str) -> Suspicion:
    if error == UNFINISHED:
        return Suspicion.STRONG if call.attempts else Suspicion.ALONE
    # Each delivery before this one should have counted a failure.
    return Suspicion.VAGUE if call.attempts < call.receives - 1 else Suspicion.NONE


def _note(calls: Sequence[DeliveredCall], *, by: int) -> bool:
    try:
        note_attempts(calls, by=by)
    except DatabaseError as error:
        if is_outage():
            raise OutageError("the database takes no writes") from error
        logger.warning("%d calls that were delivered before cannot be noted and come again", len(calls), exc_info=True)
        return False
    return True
