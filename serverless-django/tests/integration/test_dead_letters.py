"""What fails often enough is buried with its reason; an operator looks, redrives or drops."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import boto3
import pytest
from django.core.management import CommandError, call_command
from uuid6 import uuid7

from serverless_django.contract.task_message import TaskMessage
from serverless_django.handlers.sqs import handler
from serverless_django.tasks import sqs
from serverless_django.tasks.models import FailedCall, Receipt
from serverless_django.testing import LambdaContext
from tests import sample_tasks
from tests.tasks_in_batches import failed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls():
    sample_tasks.calls.clear()
    return sample_tasks.calls


@pytest.fixture
def deliver(receive, queues, monkeypatch):
    """Let a worker take what waits in the queue, as Lambda does; return what it reports as failed."""
    monkeypatch.setattr("serverless_django.tasks.retries.backoff", lambda *args, **kwargs: 0)
    client = boto3.client("sqs")
    arn = client.get_queue_attributes(QueueUrl=queues["default"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def deliver():
        records = [_record(message, arn) for message in receive("default")]
        response = handler({"Records": records}, LambdaContext()) if records else {"batchItemFailures": []}
        for record in records:
            if record["messageId"] not in failed(response):
                client.delete_message(QueueUrl=queues["default"], ReceiptHandle=record["receiptHandle"])
        return failed(response)

    yield deliver
    client.close()


@pytest.fixture
def send(queues):
    client = boto3.client("sqs")
    yield lambda body: client.send_message(QueueUrl=queues["default"], MessageBody=body)
    client.close()


def _record(message, arn):
    return {
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
    }


def call(name, *, enqueued_at=None):
    moment = enqueued_at or datetime.now(UTC).isoformat()
    return TaskMessage(id=str(uuid7()), task=f"tests.sample_tasks.{name}", enqueued_at=moment).encode()


def manage(*arguments):
    output = StringIO()
    call_command("dead_letters", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def letters():
    return [json.loads(line) for line in manage("list", "--json", "--queue", "default").splitlines()]


def bury(send, deliver, body):
    send(body)
    for _ in range(3):
        deliver()


def test_a_task_is_given_up_after_exactly_its_attempts_with_its_reason(send, deliver):
    send(call("fail"))

    reported = [len(deliver()) for _ in range(4)]

    (letter,) = letters()
    assert reported == [1, 1, 0, 0]
    assert (letter["task"], letter["attempts"]) == ("tests.sample_tasks.fail", 3)
    assert letter["reason"] == "builtins.LookupError: no such row"


def test_what_is_no_call_is_given_up_too(send, deliver):
    bury(send, deliver, "not json")

    (letter,) = letters()
    assert (letter["task"], letter["body"]) == ("", "not json")
    assert "not a task message" in letter["reason"]


@pytest.mark.nightly
def test_a_look_changes_nothing(send, deliver):
    bury(send, deliver, call("fail"))

    assert letters() == letters()
    assert "1 dead letters" in manage("list")


def test_a_redriven_message_has_all_its_attempts_again(send, deliver):
    bury(send, deliver, call("fail"))

    assert "redrive: 1" in manage("redrive")
    assert (letters(), FailedCall.objects.count()) == ([], 0)
    assert [len(deliver()) for _ in range(3)] == [1, 1, 0]


@pytest.fixture
def move(queues):
    """Send every dead letter back as SQS's own redrive does: body and attributes as they are, a new message."""
    client = boto3.client("sqs")
    dead = queues["default"].replace("/default", "/dead-letters")

    def move():
        for message in client.receive_message(QueueUrl=dead, MessageAttributeNames=["All"]).get("Messages", []):
            told = message.get("MessageAttributes", {})
            client.send_message(QueueUrl=queues["default"], MessageBody=message["Body"], MessageAttributes=told)
            client.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])

    yield move
    client.close()


def test_a_message_that_sqs_itself_redrives_has_all_its_attempts_again(send, deliver, move):
    bury(send, deliver, call("fail"))

    move()

    assert [len(deliver()) for _ in range(3)] == [1, 1, 0]


def test_what_failed_before_sqs_gave_the_message_up_does_not_count_after_a_redrive(send, deliver, receive, move):
    send(call("fail"))
    deliver(), deliver()
    [message] = receive("default")
    client = boto3.client("sqs")
    client.send_message(QueueUrl=dead_letters_of(client), MessageBody=message["Body"])
    client.purge_queue(QueueUrl=client.get_queue_url(QueueName="default")["QueueUrl"])

    move()

    assert [len(deliver()) for _ in range(3)] == [1, 1, 0]


def dead_letters_of(client):
    return client.get_queue_url(QueueName="dead-letters")["QueueUrl"]


def test_bad_letters_stay_with_their_reason_and_the_others_are_redriven(send, deliver, receive):
    old = call("fail", enqueued_at=(datetime.now(UTC) - timedelta(days=36)).isoformat())
    for body in (call("fail"), *[old] * 12, call("fail")):
        bury(send, deliver, body)

    told = manage("redrive", "--queue", "default")

    assert "redrive: 2, refused: 12" in told
    assert told.count("days old, receipts are kept for 35") == 12
    assert (len(letters()), len(receive("default"))) == (12, 2)


def test_a_letter_that_sqs_refuses_does_not_stop_the_run(send, deliver, receive, monkeypatch):
    for _ in range(3):
        bury(send, deliver, call("fail"))
    first, *_ = letters()
    real = sqs.send_messages
    refuse = lambda url, messages: {messages[0].id: "InvalidMessageContents"} if is_first(messages) else {}  # noqa: E731
    is_first = lambda messages: messages[0].id == first["message_id"]  # noqa: E731
    monkeypatch.setattr(sqs, "send_messages", lambda url, messages: refuse(url, messages) or real(url, messages))

    told = manage("redrive", "--queue", "default", "--json")

    assert json.loads(told.splitlines()[-1]) == {"action": "redrive", "done": 2, "refused": 1, "dry_run": False}
    assert [letter["message_id"] for letter in letters()] == [first["message_id"]]


def test_what_others_write_beside_a_letter_is_no_reason_to_stop(queues):
    client = boto3.client("sqs")
    odd = {
        "attempts": {"DataType": "String", "StringValue": "many"},
        "reason": {"DataType": "Binary", "BinaryValue": b"\xff"},
    }
    client.send_message(QueueUrl=dead_letters_of(client), MessageBody=call("note"), MessageAttributes=odd)

    assert [(letter["attempts"], letter["reason"]) for letter in letters()] == [(0, "")]
    assert "redrive: 1, refused: 0" in manage("redrive", "--queue", "default")


@pytest.fixture
def fifo(endpoint, settings):
    """Return a client, and the URLs of a FIFO queue and of its dead letters."""
    client = boto3.client("sqs")
    ordered = {"FifoQueue": "true"}
    dead = client.create_queue(QueueName="payments-dead.fifo", Attributes=ordered)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})}
    url = client.create_queue(QueueName="payments.fifo", Attributes=ordered | policy)["QueueUrl"]
    backend = {"BACKEND": "serverless_django.tasks.backend.SqsBackend", "QUEUES": ["default"]}
    settings.TASKS = {"default": backend | {"OPTIONS": {"queue_urls": {"default": url}}}}
    yield client, url, dead
    client.delete_queue(QueueUrl=url)
    client.delete_queue(QueueUrl=dead)
    client.close()


def test_letters_of_a_fifo_queue_go_back_in_their_groups_and_their_order(fifo):
    client, url, dead = fifo
    bodies = [call("note") for _ in range(25)]
    for number, body in enumerate(bodies):
        client.send_message(
            QueueUrl=dead, MessageBody=body, MessageGroupId=f"account {number % 2}".replace(" ", "-"),
            MessageDeduplicationId=str(number),
        )  # fmt: skip

    assert "redrive: 25, refused: 0" in manage("redrive")

    received = {"account-0": [], "account-1": []}
    while messages := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages", []):
        for message in messages:
            received[message["Attributes"]["MessageGroupId"]].append(message["Body"])
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert received == {"account-0": bodies[::2], "account-1": bodies[1::2]}


def test_a_bad_letter_of_a_fifo_group_does_not_hide_those_behind_it(fifo):
    client, _, dead = fifo
    old = call("fail", enqueued_at=(datetime.now(UTC) - timedelta(days=36)).isoformat())
    for number, body in enumerate([old, *(call("note") for _ in range(14))]):
        client.send_message(QueueUrl=dead, MessageBody=body, MessageGroupId="a", MessageDeduplicationId=str(number))

    assert "redrive: 14, refused: 1" in manage("redrive")


@pytest.mark.nightly
def test_a_redrive_of_what_was_done_in_between_does_nothing(send, deliver, calls):
    body = call("meet_conflicts").replace('"args":[]', '"args":["22001",3]')
    bury(send, deliver, body)
    send(body)
    deliver()

    manage("redrive")
    deliver()

    assert (calls, Receipt.objects.count()) == (["22001"], 1)


@pytest.mark.nightly
def test_a_dry_run_says_what_it_would_do(send, deliver):
    bury(send, deliver, call("fail"))

    assert "would redrive" in manage("redrive", "--dry-run")
    assert len(letters()) == 1


@pytest.mark.nightly
def test_a_letter_older_than_its_receipt_would_be_is_not_redriven(send, deliver):
    bury(send, deliver, call("fail", enqueued_at=(datetime.now(UTC) - timedelta(days=36)).isoformat()))

    assert "is 36 days old, receipts are kept for 35" in manage("redrive")


def test_only_what_is_named_is_dropped(send, deliver):
    bury(send, deliver, call("fail"))
    bury(send, deliver, "not json")
    chosen = next(letter for letter in letters() if not letter["task"])

    manage("drop", chosen["message_id"])

    assert [letter["task"] for letter in letters()] == ["tests.sample_tasks.fail"]


def test_nothing_is_dropped_by_default(queues):
    with pytest.raises(CommandError, match="what is dropped is gone"):
        manage("drop")


def test_an_unknown_queue_is_named_with_those_there_are(queues):
    with pytest.raises(
        CommandError, match="there is no queue 'mail'; there are default, housekeeping, likes, renderings, views"
    ):
        manage("list", "--queue", "mail")


def test_without_sqs_the_command_says_where_to_go(settings):
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}

    with pytest.raises(CommandError, match="no SQS behind their tasks"):
        manage("list")


def test_the_stats_count_what_waits_what_is_dead_and_what_was_done(send, deliver):
    bury(send, deliver, call("fail"))
    for name in ("note", "fail"):
        send(call(name))
        deliver()
    output = StringIO()

    call_command("tasks", "stats", "--json", stdout=output)

    stats = json.loads(output.getvalue())
    assert stats["queues"]["default"] | {"in_flight": 0} == {
        "waiting": 1, "in_flight": 0, "delayed": 0, "dead": 1, "unsent": 0, "oldest_unsent_s": 0,
    }  # fmt: skip
    assert (stats["done_last_minute"], stats["failing"]) == (1, 1)


def test_the_stats_are_a_table_too(queues):
    output = StringIO()

    call_command("tasks", "stats", stdout=output)

    assert [line.split()[0] for line in output.getvalue().splitlines()[:6]] == [
        "queue", "default", "housekeeping", "likes", "renderings", "views",
    ]  # fmt: skip
