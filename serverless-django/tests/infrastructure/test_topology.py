"""What one more line of a topology deploys, without a change anywhere else."""

from collections import Counter
from dataclasses import replace

import pytest

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import Bucket, ObjectTrigger, Queue, Schedule, Topology
from tests.deployment import STAGES, make_deployment


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    topology = replace(
        TOPOLOGY,
        queues=(*TOPOLOGY.queues, Queue(name="mail-out", max_concurrency=2)),
        buckets=(*TOPOLOGY.buckets, Bucket(name="exports")),
        object_triggers=(
            *TOPOLOGY.object_triggers,
            ObjectTrigger(bucket="uploads", prefix="contacts/csv/", task="lambda_app.tasks.tidy"),
        ),
        schedules=(*TOPOLOGY.schedules, Schedule(name="nightly", expression="cron(0 3 * * ? *)", task="a.b.c")),
    )
    return make_deployment(STAGES["local"], topology, tmp_path_factory.mktemp("larger"))


@pytest.fixture(scope="module")
def least(tmp_path_factory):
    return make_deployment(STAGES["local"], Topology(queues=(Queue(name="default"),)), tmp_path_factory.mktemp("least"))


def test_a_queue_brings_its_dead_letters_function_and_mapping(local, larger):
    added = _added(local, larger)

    assert added["AWS::SQS::Queue"] == 2
    assert added["AWS::Lambda::Function"] == added["AWS::Lambda::Alias"] == 1
    assert added["AWS::Lambda::EventSourceMapping"] == 1
    assert {"QueueMailOutUrl", "QueueMailOutDeadLettersUrl", "FunctionWorkerMailOutName"} <= set(
        larger.application["Outputs"]
    )


def test_every_function_is_told_of_a_new_queue(larger):
    told = [
        str(function["Environment"]["Variables"]["SERVERLESS_TASK_QUEUE_URLS"])
        for function in larger.functions().values()
    ]

    assert len(told) == len(TOPOLOGY.task_queues) + 4
    assert all("mail-out" in urls for urls in told)


def test_a_bucket_a_trigger_and_a_schedule_bring_one_of_each(local, larger):
    added = _added(local, larger)

    assert added["AWS::S3::Bucket"] == added["AWS::Events::Rule"] == added["AWS::Scheduler::Schedule"] == 1


def test_nothing_that_was_there_is_replaced(local, larger):
    for before, after in ((local.data, larger.data), (local.application, larger.application)):
        lost = set(before["Resources"]) - set(after["Resources"])

        assert all("CurrentVersion" in name for name in lost)


def test_a_fifo_queue_has_fifo_dead_letters_and_no_window(tmp_path):
    topology = Topology(queues=(Queue(name="default"), Queue(name="payments", fifo=True)))
    deployment = make_deployment(STAGES["local"], topology, tmp_path)

    queues = [queue["Properties"].get("FifoQueue") for queue in deployment.resources("AWS::SQS::Queue").values()]
    mappings = deployment.properties("AWS::Lambda::EventSourceMapping")
    assert queues.count(True) == 2
    assert _deduplicating(deployment) == 1
    assert sum("MaximumBatchingWindowInSeconds" not in mapping for mapping in mappings) == 1


def test_a_topology_of_one_queue_can_be_deployed(least):
    assert len(least.resources("AWS::SQS::Queue")) == 6
    assert least.resources("AWS::S3::Bucket") == {}


def _added(before, after):
    return _counts(after) - _counts(before)


def _counts(deployment):
    return Counter(
        resource["Type"]
        for template in (deployment.data, deployment.application)
        for resource in template["Resources"].values()
    )


def test_a_schedule_of_a_fifo_queue_is_sent_with_its_group_to_a_queue_that_takes_no_id(tmp_path):
    topology = Topology(
        queues=(Queue(name="default"), Queue(name="payments", fifo=True)),
        schedules=(Schedule(name="settle", expression="rate(1 day)", task="a.b.c", queue="payments"),),
    )
    deployment = make_deployment(STAGES["local"], topology, tmp_path)

    groups = [item["Target"].get("SqsParameters") for item in deployment.properties("AWS::Scheduler::Schedule")]
    assert [group for group in groups if group] == [{"MessageGroupId": "a.b.c"}]
    assert _deduplicating(deployment) == 1


def _deduplicating(deployment):
    """Return how many FIFO queues tell messages apart by their content, as EventBridge Scheduler needs it."""
    queues = deployment.properties("AWS::SQS::Queue")
    return sum(bool(queue.get("FifoQueue") and queue.get("ContentBasedDeduplication")) for queue in queues)
