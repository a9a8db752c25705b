"""S3 objects → the tasks that topology names for them; reports only what failed."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from serverless_django.observability.invocations import observed
from serverless_django.s3.triggers import calls_in_body, calls_of_event
from serverless_django.sources import source_of, wrong_source
from serverless_django.tasks.batch import PartialBatchResponse, run_batch, run_directly
from serverless_django.warmup import prime_tasks, start_django

start_django()
prime_tasks()


@observed("s3")
def handler(event: dict[str, Any], context: LambdaContext) -> PartialBatchResponse | None:
    """Take a batch from SQS, or an event straight from S3 or EventBridge, which is tried again as a whole."""
    source = source_of(event)
    if source == "sqs":
        return run_batch(event, calls_in_body, context, handler="s3")
    if source != "s3":
        raise wrong_source(event, wanted="s3")
    run_directly(calls_of_event(event))
    return None
