"""SQS batch → tasks; only the messages that did not finish are delivered again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_app.serverless.bootstrap import start_django
from lambda_app.serverless.observability.invocations import observed
from lambda_app.serverless.priming import prime_tasks
from lambda_app.serverless.tasks.batch import PartialBatchResponse, run_batch
from lambda_app.serverless.tasks.wire import read_envelope

start_django()
prime_tasks()


@observed("sqs")
def handler(event: dict[str, Any], context: LambdaContext) -> PartialBatchResponse:
    return run_batch(event, lambda body: [read_envelope(body)], context, handler="sqs")
