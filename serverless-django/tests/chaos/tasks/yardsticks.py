"""What is usually built, under the same faults: sending after the commit, and a batch of records one by one.

`naive` keeps no receipts; `separate` adds Powertools' idempotency, whose records lie in a store of their
own and so cannot commit with the effect.
"""

import json
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psycopg
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from django.db import close_old_connections, transaction

from serverless_django.tasks.sqs import Outgoing, send_messages
from tests.chaos.tasks import bank


def send(queue: str, transfers: list[bank.Transfer]) -> None:
    url = f"{os.environ['AWS_ENDPOINT_URL']}/000000000000/{queue}"
    send_messages(url, [Outgoing(id=item.key, body=json.dumps(_fields(item))) for item in transfers])


def place_orders(transfers: list[bank.Transfer]) -> None:
    with transaction.atomic():
        statement = "SELECT key FROM bank_order WHERE key = ANY (%s)"
        placed = {key for (key,) in bank.execute(statement, [[item.key for item in transfers]])}
        new = [item for item in transfers if item.key not in placed]
        bank._insert("bank_order", new)
        transaction.on_commit(lambda: send("default", new))


def _apply(body: str) -> None:
    transfer = bank.Transfer(**json.loads(body))
    if transfer.key.startswith("poison"):
        raise bank.PoisonError("never succeeds")
    with transaction.atomic():
        bank.write_transfers([transfer])
        transaction.on_commit(lambda: send("views", [transfer]))


def _note(body: str) -> None:
    bank.execute("INSERT INTO bank_notice VALUES (%s)", [json.loads(body)["key"]])


def _is_notice(record: SQSRecord) -> bool:
    return record.event_source_arn.endswith(":views")


def run_naive(record: SQSRecord) -> None:
    (_note if _is_notice(record) else _apply)(record.body)


class SeparateStore(BasePersistenceLayer):
    """Powertools' records in a table, over their own connection that commits at once, as DynamoDB would."""

    def _get_record(self, idempotency_key: str) -> DataRecord:
        rows = self._run(
            "SELECT status, expires_at, in_progress_until, data FROM idempotency_record WHERE id = %s",
            [idempotency_key],
        )
        if not rows:
            raise IdempotencyItemNotFoundError
        status, expires_at, until, data = rows[0]
        return DataRecord(
            idempotency_key, status=status, expiry_timestamp=expires_at,
            in_progress_expiry_timestamp=until, response_data=data or "",
        )  # fmt: skip

    def _put_record(self, data_record: DataRecord) -> None:
        now = datetime.now(UTC).timestamp()
        rows = self._run(
            "INSERT INTO idempotency_record AS stored VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO UPDATE"
            " SET status = excluded.status, expires_at = excluded.expires_at,"
            " in_progress_until = excluded.in_progress_until"
            " WHERE stored.expires_at < %s OR (stored.status = 'INPROGRESS' AND stored.in_progress_until < %s)"
            " RETURNING id",
            [data_record.idempotency_key, data_record.status, data_record.expiry_timestamp,
             data_record.in_progress_expiry_timestamp, int(now), int(now * 1000)],
        )  # fmt: skip
        if not rows:
            raise IdempotencyItemAlreadyExistsError

    def _update_record(self, data_record: DataRecord) -> None:
        self._run(
            "UPDATE idempotency_record SET status = %s, expires_at = %s, data = %s WHERE id = %s",
            [data_record.status, data_record.expiry_timestamp, data_record.response_data, data_record.idempotency_key],
        )

    def _delete_record(self, data_record: DataRecord) -> None:
        self._run("DELETE FROM idempotency_record WHERE id = %s", [data_record.idempotency_key])

    def _run(self, statement: str, parameters: list[Any]) -> list[Any]:
        if _store().closed:
            _store.cache_clear()
        cursor = _store().execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


@cache
def _store() -> "psycopg.Connection[Any]":
    from django.db import connection

    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"],
        autocommit=True, prepare_threshold=None,
    )  # fmt: skip


_config = IdempotencyConfig(expires_after_seconds=3600, raise_on_no_idempotency_key=True)


@idempotent_function(data_keyword_argument="call", persistence_store=SeparateStore(), config=_config)
def _run_once(call: dict[str, str]) -> None:
    (_note if call["kind"] == "notice" else _apply)(call["body"])


def run_separate(record: SQSRecord) -> None:
    _run_once(call={"kind": "notice" if _is_notice(record) else "transfer", "body": record.body})


def _handler(run: Any) -> Any:
    def handle(event: dict[str, Any], context: Any) -> Any:
        # A record that is in progress is free again after this time, as Powertools does at a function's deadline.
        context.remaining_ms = 1_000
        _config.register_lambda_context(context)
        close_old_connections()
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return process_partial_response(event, run, processor, context)

    return handle


def _fields(transfer: bank.Transfer) -> dict[str, Any]:
    return {"key": transfer.key, "account": transfer.account, "amount": transfer.amount}


HANDLERS = {"naive": _handler(run_naive), "separate": _handler(run_separate)}
