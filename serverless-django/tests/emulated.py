"""Queues and buckets of the topology on the emulator, behind the settings that a function would have.

`from tests.emulated import *` in a conftest.
"""

import json

import boto3
import pytest
from botocore.client import BaseClient

from lambda_app.topology import TOPOLOGY
from serverless_django.tasks import dead_letters, outbox, sqs
from tests.recorded_calls import unrecorded


@pytest.fixture(autouse=True)
def no_call_that_no_policy_allows(monkeypatch):
    """Whatever the code swallows: the emulator of these tests allows everything."""
    make_call, refused = BaseClient._make_api_call, []

    def check_and_make_call(client, operation, parameters):
        if fault := unrecorded(client.meta.service_model.service_name, operation):
            refused.append(fault)
        return make_call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", check_and_make_call)
    yield
    assert refused == []


@pytest.fixture
def endpoint(emulator, monkeypatch):
    """Stand for DNS: AWS is the emulator.  Clients made before or after are not shared with other tests."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    sqs.client.cache_clear()
    dead_letters.dead_letters_of.cache_clear()
    monkeypatch.setattr(outbox.Dispatch, "_paused_until", 0.0)
    yield emulator.url
    sqs.client.cache_clear()


@pytest.fixture
def queues(endpoint, settings):
    """Return the URL of each queue, empty; tasks are sent there."""
    client = boto3.client("sqs")
    names = [queue.name for queue in TOPOLOGY.task_queues]
    dead_letters = client.create_queue(QueueName="dead-letters")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})}
    urls = {name: client.create_queue(QueueName=name, Attributes=redrive)["QueueUrl"] for name in names}
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": names,
            "OPTIONS": {"queue_urls": dict(urls)},
        }
    }
    yield urls
    for url in (*urls.values(), dead_letters):
        client.delete_queue(QueueUrl=url)
    client.close()


@pytest.fixture
def receive(queues):
    """Return a reader of what waits in a queue: `receive("likes")`."""
    client = boto3.client("sqs")

    def receive(name: str):
        return client.receive_message(
            QueueUrl=queues["default"].replace("/default", f"/{name}"),
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])

    yield receive
    client.close()


@pytest.fixture
def buckets(endpoint, settings):
    """Make the buckets; `storages[name]` reads and writes them."""
    client = boto3.client("s3")
    names = {bucket.name: f"test-{bucket.name}" for bucket in TOPOLOGY.buckets}
    for bucket_name in names.values():
        client.create_bucket(Bucket=bucket_name)
    settings.BUCKET_NAMES = names
    settings.STORAGES = {
        name: {"BACKEND": "serverless_django.s3.storage.S3Storage", "OPTIONS": {"bucket_name": bucket_name}}
        for name, bucket_name in names.items()
    }
    yield names
    client.close()
