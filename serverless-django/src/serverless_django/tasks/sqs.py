"""Messages ↔ SQS, and what it did not accept.  boto3 is loaded by the first message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import batched
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

MAX_MESSAGE_BYTES = 1024 * 1024
"""SQS takes no larger message, and no larger batch."""

MAX_BATCH_ENTRIES = 10


class QueueUnavailableError(ConnectionError):
    """SQS did not accept a message."""


class QueueFaultError(QueueUnavailableError):
    """SQS answered with an error for one queue, such as one that was deleted; other queues may work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way to a queue."""

    id: str
    body: str
    delay_seconds: int = 0
    group: str = ""
    """Of a FIFO queue, which gets `id` against sending twice; any other gets neither."""

    attributes: Mapping[str, str] = field(default_factory=dict)


def send_messages(queue_url: str, messages: Sequence[Outgoing]) -> dict[str, str]:
    """Send `messages` to the queue at `queue_url`, and return why SQS did not accept some of them, by their ids.

    Raise QueueUnavailableError if SQS cannot be asked.
    """
    refused: dict[str, str] = {}
    for batch in _batches(messages):
        entries = [_entry(str(index), message, is_fifo(queue_url)) for index, message in enumerate(batch)]
        answer = _call("send_message_batch", QueueUrl=queue_url, Entries=entries)
        for fault in answer.get("Failed", []):
            refused[batch[int(fault["Id"])].id] = f"{fault['Code']}: {fault.get('Message', '')}"
    return refused


def change_visibility(queue_url: str, seconds: Mapping[str, int]) -> None:
    """Hide messages of the queue at `queue_url`: `seconds` gives for each receipt handle how long from now.

    A message that SQS does not know any more is passed over.  Raise QueueUnavailableError if SQS cannot be asked.
    """
    for batch in batched(seconds.items(), MAX_BATCH_ENTRIES, strict=False):
        entries = [
            {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": timeout}
            for index, (handle, timeout) in enumerate(batch)
        ]
        _call("change_message_visibility_batch", QueueUrl=queue_url, Entries=entries)


def delete_messages(queue_url: str, handles: Sequence[str]) -> None:
    """Delete the messages with the receipt `handles` from the queue at `queue_url`.

    A message that SQS does not know any more is passed over.  Raise QueueUnavailableError if SQS cannot be asked.
    """
    for batch in batched(handles, MAX_BATCH_ENTRIES, strict=False):
        entries = [{"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(batch)]
        _call("delete_message_batch", QueueUrl=queue_url, Entries=entries)


def receive_messages(queue_url: str, *, hide_seconds: int) -> list[Any]:
    """Receive up to 10 messages of the queue at `queue_url`, with all attributes, hidden for `hide_seconds`."""
    answer = _call(
        "receive_message",
        QueueUrl=queue_url,
        MaxNumberOfMessages=MAX_BATCH_ENTRIES,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
        VisibilityTimeout=hide_seconds,
        WaitTimeSeconds=1,
    )
    return list(answer.get("Messages", []))


def delete_message(queue_url: str, handle: str) -> None:
    """Delete the message with the receipt `handle` from the queue at `queue_url`."""
    _call("delete_message", QueueUrl=queue_url, ReceiptHandle=handle)


def queue_attributes(queue_url: str) -> Mapping[str, str]:
    """Return all attributes of the queue at `queue_url`, as SQS names them."""
    return dict(_call("get_queue_attributes", QueueUrl=queue_url, AttributeNames=["All"])["Attributes"])


def find_queues(prefix: str) -> list[str]:
    """Return the URLs of up to 1,000 queues whose names begin with `prefix`."""
    return list(_call("list_queues", QueueNamePrefix=prefix, MaxResults=1000).get("QueueUrls", []))


def name_of(queue_url: str) -> str:
    """Return the last part of `queue_url`, the name of the queue in SQS."""
    return queue_url.rpartition("/")[2]


def url_of(arn: str) -> str:
    """Return the URL of the queue `arn` at the endpoint that this process talks to."""
    account, name = arn.split(":")[4:6]
    return f"{client().meta.endpoint_url}/{account}/{name}"


@cache
def client() -> "SQSClient":
    """Return the client that everything shares; making one takes as long as many requests."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("sqs", config=config)


def _call(operation: str, **parameters: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(client(), operation)(**parameters)
    except (BotoCoreError, ClientError) as error:
        kind = QueueFaultError if isinstance(error, ClientError) else QueueUnavailableError
        subject = f"queue {parameters['QueueUrl']}" if "QueueUrl" in parameters else "SQS"
        raise kind(f"{subject} did not answer {operation}: {error}") from error


def _batches(messages: Sequence[Outgoing]) -> list[list[Outgoing]]:
    batches: list[list[Outgoing]] = []
    room = 0
    for message in messages:
        size = len(message.body.encode()) + sum(map(len, (*message.attributes, *message.attributes.values())))
        if not batches or size > room or len(batches[-1]) == MAX_BATCH_ENTRIES:
            batches.append([])
            room = MAX_MESSAGE_BYTES
        batches[-1].append(message)
        room -= size
    return batches


def is_fifo(queue_url: str) -> bool:
    """Return whether the queue at `queue_url` keeps an order: the names of those end in ".fifo"."""
    return queue_url.endswith(".fifo")


def _entry(name: str, message: Outgoing, in_group: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": name, "MessageBody": message.body}
    if in_group:
        entry |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.id}
    elif message.delay_seconds:
        entry["DelaySeconds"] = message.delay_seconds
    if message.attributes:
        entry["MessageAttributes"] = {
            key: {"DataType": "String", "StringValue": value} for key, value in message.attributes.items()
        }
    return entry
