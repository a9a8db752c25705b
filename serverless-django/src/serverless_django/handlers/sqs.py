"""SQS batch → tasks; only the messages that did not finish are delivered again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from serverless_django.observability.invocations import observed
from serverless_django.tasks.batch import PartialBatchResponse, run_batch
from serverless_django.tasks.wire import read_envelope
from serverless_django.warmup import prime_tasks, start_django

start_django()
prime_tasks()


@observed("sqs")
def handler(event: dict[str, Any], context: LambdaContext) -> PartialBatchResponse:
    """Run the tasks in the SQS batch `event` and return the messages that SQS must deliver again."""
    return run_batch(event, lambda body: [read_envelope(body)], context, handler="sqs")
