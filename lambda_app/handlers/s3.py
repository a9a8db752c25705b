"""S3 objects → the tasks that topology names for them; reports only what failed."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_app.serverless.bootstrap import start_django
from lambda_app.serverless.objects.triggers import run_body, run_event
from lambda_app.serverless.observability.logs import logger
from lambda_app.serverless.sources import source_of, wrong_source
from lambda_app.serverless.tasks.batch import PartialBatchResponse, attempt_of, run_batch

start_django()


def run_record(record: Mapping[str, Any]) -> None:
    with logger.append_context_keys(message_id=record["messageId"]):
        run_body(record["body"], attempt=attempt_of(record))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialBatchResponse | None:
    """Take a batch from SQS, or an event straight from S3 or EventBridge, which is tried again as a whole."""
    source = source_of(event)
    if source == "sqs":
        return run_batch(event, run_record, context, handler="s3")
    if source != "s3":
        raise wrong_source(event, wanted="s3")
    run_event(event)
    return None
