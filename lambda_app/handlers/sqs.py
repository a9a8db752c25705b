"""SQS batch → tasks; only the messages that failed are delivered again."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_app.serverless.bootstrap import start_django
from lambda_app.serverless.observability.logs import logger
from lambda_app.serverless.tasks.batch import PartialBatchResponse, attempt_of, run_batch
from lambda_app.serverless.tasks.execution import run_body

start_django()


def run_record(record: Mapping[str, Any]) -> None:
    with logger.append_context_keys(message_id=record["messageId"]):
        run_body(record["body"], attempt=attempt_of(record))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialBatchResponse:
    return run_batch(event, run_record, context, handler="sqs")
