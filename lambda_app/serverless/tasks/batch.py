"""SQS batch → partial batch response: whatever is not done is delivered again, and nothing else."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_app.serverless.sources import source_of, wrong_source
from lambda_app.serverless.tasks.execution import TaskFailedError

logger = logging.getLogger(__name__)

MARGIN = timedelta(milliseconds=500)
"""Left over for the response when a batch is stopped before its deadline."""


class ItemFailure(TypedDict):
    itemIdentifier: str


class PartialBatchResponse(TypedDict):
    batchItemFailures: list[ItemFailure]


class Stopwatch:
    """Tells whether another record, as slow as the slowest so far, still fits into the invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._slowest = timedelta(0)

    def has_time(self) -> bool:
        remaining = timedelta(milliseconds=self._context.get_remaining_time_in_millis())
        return remaining > self._slowest + MARGIN

    def time(self, function: Callable[[], bool]) -> bool:
        started = time.monotonic()
        try:
            return function()
        finally:
            self._slowest = max(self._slowest, timedelta(seconds=time.monotonic() - started))


def run_batch(
    event: Any, run: Callable[[Mapping[str, Any]], object], context: LambdaContext, *, handler: str
) -> PartialBatchResponse:
    """Call `run` with each record, and report every record that did not finish.

    Raise WrongEventSourceError if `event` is no SQS batch.
    """
    if source_of(event) != "sqs":
        raise wrong_source(event, wanted=handler)
    records = event["Records"]
    # All less done: an empty list means "all succeeded" to Lambda, so a record must earn its absence.
    done = _finished(records, run, Stopwatch(context))
    left = [record["messageId"] for record in records if record["messageId"] not in done]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in left]}


def attempt_of(record: Mapping[str, Any]) -> int:
    """Return how often SQS has delivered `record`, this time included."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def _finished(
    records: list[Mapping[str, Any]], run: Callable[[Mapping[str, Any]], object], stopwatch: Stopwatch
) -> set[str]:
    done: set[str] = set()
    for index, record in enumerate(records):
        if not stopwatch.has_time():
            logger.warning("stopped before the deadline: %d of %d messages go back", len(records) - index, len(records))
            break
        if stopwatch.time(lambda record=record: _succeeds(record, run)):  # type: ignore[misc]
            done.add(record["messageId"])
    return done


def _succeeds(record: Mapping[str, Any], run: Callable[[Mapping[str, Any]], object]) -> bool:
    try:
        run(record)
    except TaskFailedError as error:
        # Django has logged the traceback.
        logger.warning("message %s goes back at attempt %d: %s", record["messageId"], attempt_of(record), error)
        return False
    except Exception:
        logger.exception("message %s goes back at attempt %d", record["messageId"], attempt_of(record))
        return False
    return True
