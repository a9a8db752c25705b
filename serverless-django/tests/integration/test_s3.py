"""Objects in S3 call the tasks of the topology, in every format of S3's events."""

from dataclasses import replace

import boto3
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import ObjectTrigger
from serverless_django.handlers.s3 import handler
from serverless_django.sources import WrongEventSourceError
from serverless_django.tasks.deliveries import TaskFailedError
from tests import sample_tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """Let every upload call `note_object`, which writes down what it is told."""
    sample_tasks.calls.clear()
    trigger_tasks(monkeypatch, "note_object")
    return sample_tasks.calls


def trigger_tasks(monkeypatch, *names):
    declared = tuple(
        ObjectTrigger(bucket="uploads", prefix="pictures/", task=f"tests.sample_tasks.{name}") for name in names
    )
    monkeypatch.setattr(settings, "SERVERLESS", {"TOPOLOGY": replace(TOPOLOGY, object_triggers=declared)})


def record(message):
    return {"eventSource": "aws:sqs", "messageId": message["MessageId"], "body": message["Body"], "attributes": {}}


def key_of(event):
    return event("s3/eventbridge")["detail"]["object"]["key"]


@pytest.fixture
def object_queue(endpoint, buckets):
    """Let the bucket of uploads announce its objects in a queue, and return a reader of it."""
    client, s3 = boto3.client("sqs"), boto3.client("s3")
    url = client.create_queue(QueueName="objects")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(
        Bucket=buckets["uploads"],
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    yield lambda: client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    client.delete_queue(QueueUrl=url)
    client.close()
    s3.close()


@pytest.mark.parametrize("name", ["native", "eventbridge", "native_in_sqs", "eventbridge_in_sqs"])
def test_the_task_is_told_bucket_and_key(event, calls, lambda_context, name):
    handler(event(f"s3/{name}"), lambda_context)

    assert calls == [("uploads", key_of(event))]


def test_an_upload_with_an_odd_name_reaches_the_task_under_that_name(calls, object_queue, lambda_context):
    key = "pictures/a b+c%25é/😀 100%.png"
    storages["uploads"].save(key, ContentFile(b"x"))

    response = handler({"Records": [record(message) for message in object_queue()]}, lambda_context)

    assert response == {"batchItemFailures": []}
    assert calls == [("uploads", key)]


def test_the_test_event_of_s3_is_acknowledged(event, calls, lambda_context):
    assert handler(event("s3/test_event"), lambda_context) == {"batchItemFailures": []}
    assert calls == []


def test_a_record_that_is_not_s3s_is_refused_alone(event, calls, lambda_context, caplog):
    batch = event("s3/native_in_sqs")
    batch["Records"].insert(0, event("sqs/like")["Records"][0] | {"messageId": "not-s3"})

    response = handler(batch, lambda_context)

    assert response == {"batchItemFailures": [{"itemIdentifier": "not-s3"}]}
    assert len(calls) == 1
    assert "not an event of S3: keys args, enqueued_at" in caplog.text


def test_an_object_whose_task_fails_is_reported_alone(event, calls, lambda_context, monkeypatch):
    trigger_tasks(monkeypatch, "refuse_odd_objects")
    batch = event("s3/native_in_sqs")
    odd = batch["Records"][0]["body"].replace("000d", "odd")
    batch["Records"].append(batch["Records"][0] | {"messageId": "odd", "body": odd})

    assert handler(batch, lambda_context) == {"batchItemFailures": [{"itemIdentifier": "odd"}]}


def test_a_direct_event_whose_task_fails_is_an_error(event, lambda_context, monkeypatch):
    trigger_tasks(monkeypatch, "fail_for_object")

    with pytest.raises(TaskFailedError, match="fail_for_object"):
        handler(event("s3/native"), lambda_context)


def test_an_object_that_no_trigger_names_is_acknowledged_and_logged(event, calls, lambda_context, caplog):
    batch = event("s3/native_in_sqs")
    batch["Records"][0]["body"] = batch["Records"][0]["body"].replace("pictures/", "other/")

    assert handler(batch, lambda_context) == {"batchItemFailures": []}
    assert calls == []
    assert "no trigger of lambda_app.topology for object 'other/" in caplog.text


def test_a_bucket_is_known_by_the_name_that_the_deploy_gave_it(event, calls, lambda_context, settings):
    settings.BUCKET_NAMES = {"uploads": "dev-uploads-1x"}
    sent = event("s3/eventbridge")
    sent["detail"]["bucket"]["name"] = "dev-uploads-1x"

    handler(sent, lambda_context)

    assert calls == [("uploads", key_of(event))]


@pytest.mark.parametrize("name", ["api_gateway/healthz", "management/migrate"])
def test_an_event_of_another_source_is_an_error(event, lambda_context, name):
    with pytest.raises(WrongEventSourceError, match=f"invoke the function of handlers/{name.split('/')[0]}.py"):
        handler(event(name), lambda_context)
