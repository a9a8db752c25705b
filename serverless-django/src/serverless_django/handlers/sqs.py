"""SQS batch → tasks; only the messages that did not finish are delivered again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from serverless_django.bootstrap import start_django
from serverless_django.observability.invocations import observed
from serverless_django.priming import prime_tasks
from serverless_django.tasks.batch import PartialBatchResponse, run_batch
from serverless_django.tasks.wire import read_envelope

start_django()
prime_tasks()


@observed("sqs")
def handler(event: dict[str, Any], context: LambdaContext) -> PartialBatchResponse:
    """Run the tasks in the SQS batch `event` and return the messages that SQS must deliver again."""
    return run_batch(event, lambda body: [read_envelope(body)], context, handler="sqs")
