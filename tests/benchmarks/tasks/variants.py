"""Ways from an SQS batch to rows, each complete: what comes in is an event, what goes out is the reply."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from django.db import DatabaseError, connection, transaction

from serverless_django.handlers.sqs import handler
from serverless_django.testing import LambdaContext
from tests.benchmarks.tasks.models import Reading
from tests.benchmarks.tasks.tasks import NewReading

type Variant = Callable[[Mapping[str, Any]], Any]

COLUMNS = ("id", "device_id", "position", "value", "read_at")
_decoder = msgspec.json.Decoder(NewReading)


def ours(event: Mapping[str, Any]) -> Any:
    """The deployed handler: envelope, types, receipts, one transaction."""
    return handler(dict(event), LambdaContext(remaining_ms=60_000))


def powertools(event: Mapping[str, Any]) -> Any:
    """One ORM save per record, each its own transaction: the usual loop."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(dict(event), _save, processor, LambdaContext())


def bulk_create(event: Mapping[str, Any]) -> Any:
    """Django's own bulk insert, for the whole batch or, if one is bad, for each of its halves."""
    return _reply(_create_halves([(record["messageId"], record["body"]) for record in event["Records"]]))


def copy(event: Mapping[str, Any]) -> Any:
    """COPY to a temporary table and a merge: the limit, without receipts; behind RDS Proxy it pins the session."""
    rows = [_decoder.decode(record["body"]) for record in event["Records"]]
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with transaction.atomic(), psycopg.Cursor(raw) as cursor:
        cursor.execute("CREATE TEMPORARY TABLE arrived (LIKE tasks_reading) ON COMMIT DROP")
        with cursor.copy(b"COPY arrived FROM STDIN") as stream:
            for row in rows:
                stream.write_row([getattr(row, name) for name in COLUMNS])
        cursor.execute("INSERT INTO tasks_reading SELECT * FROM arrived ON CONFLICT DO NOTHING")
    return _reply([])


VARIANTS: Mapping[str, Variant] = {variant.__name__: variant for variant in (ours, powertools, bulk_create, copy)}


def _save(record: SQSRecord) -> None:
    values = json.loads(record.body)
    Reading(**values).save(force_insert=True)


def _create_halves(messages: list[tuple[str, str]]) -> list[str]:
    try:
        with transaction.atomic():
            Reading.objects.bulk_create([_reading(body) for _, body in messages], ignore_conflicts=True)
    except DatabaseError:
        if len(messages) == 1:
            return [messages[0][0]]
        half = len(messages) // 2
        return [*_create_halves(messages[:half]), *_create_halves(messages[half:])]
    return []


def _reading(body: str) -> Reading:
    values = json.loads(body)
    values |= {"id": UUID(values["id"]), "device_id": UUID(values["device_id"])}
    return Reading(**values | {"read_at": datetime.fromisoformat(values["read_at"])})


def _reply(failed: list[str]) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
