"""A message → SQS, or an error that says that it was not accepted.  boto3 is loaded by the first message."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class QueueUnavailableError(ConnectionError):
    """SQS did not accept a message."""


def send_message(queue_url: str, body: str, *, delay_seconds: int = 0) -> None:
    """Raise QueueUnavailableError if SQS did not accept `body`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client().send_message(QueueUrl=queue_url, MessageBody=body, DelaySeconds=delay_seconds)
    except (BotoCoreError, ClientError) as error:
        raise QueueUnavailableError(f"queue {queue_url} did not accept a message: {error}") from error


@cache
def client() -> "SQSClient":
    """Return the client that everything shares; making one takes as long as many requests."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("sqs", config=config)
