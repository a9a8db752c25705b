"""A queue that the topology no longer declares is found, shown and alarmed, and none of its messages is lost."""

import json
from io import StringIO
from uuid import uuid4

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.tasks import task_backends
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_django.contract.resources import Queue, Topology
from serverless_django.tasks import kept, sqs
from serverless_django.tasks.dead_letters import dead_letters_of
from tests.deployment import STAGES, make_deployment
from tests.tasks_in_batches import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(endpoint, settings):
    """Return a function that makes queues of a stage, in which "mail" and the FIFO queue "payments" are declared."""
    client, prefix, made = boto3.client("sqs"), f"stage-{uuid4().hex[:8]}-", []

    def make(name):
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
        made.append(client.create_queue(QueueName=f"{prefix}{name}", Attributes=attributes)["QueueUrl"])
        return made[-1]

    def declare(name):
        url, dead = make(name), make(f"DeadLetters-{name}")
        arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})
        client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
        return url

    urls = {"mail": declare("mail"), "payments": declare("payments.fifo")}
    declare_queues(settings, prefix, urls)
    yield make
    for url in made:
        client.delete_queue(QueueUrl=url)
    client.close()


def urls():
    return task_backends["default"].queue_urls


def send(url, group, value):
    sqs.send_messages(url, [sqs.Outgoing(id=str(uuid4()), body=call("note", value), group=group)])


def take_all(url):
    """Return the group and the argument of each message in `url`, in the order in which it gives them."""
    found = []
    while messages := sqs.receive_messages(url, hide_seconds=30):
        for message in messages:
            found.append((message["Attributes"].get("MessageGroupId", ""), json.loads(message["Body"])["args"][0]))
            sqs.delete_message(url, message["ReceiptHandle"])
    return found


def drain(url, queue):
    output = StringIO()
    call_command("tasks", "drain", sqs.name_of(url), queue, stdout=output, stderr=output)
    return output.getvalue()


def stats(*flags):
    output = StringIO()
    call_command("tasks", "stats", *flags, stdout=output)
    return output.getvalue()


def test_a_kept_queue_is_shown_with_its_messages_and_a_declared_one_is_not(stage):
    url = stage("old")
    send(url, "", 1)

    assert json.loads(stats("--json"))["kept"] == {sqs.name_of(url): 1}
    assert f"{sqs.name_of(url)} is kept with 1 messages" in stats()


def test_a_deploy_raises_the_alarm_for_a_kept_queue_that_holds_messages(stage, caplog):
    url = stage("old")
    stage("empty")
    send(url, "", 1)

    kept.report_kept()

    [record] = [record for record in caplog.records if hasattr(record, "UnsentCalls")]
    assert (record.queue, record.UnsentCalls) == (sqs.name_of(url), 1)


def test_a_deploy_does_not_fail_because_sqs_does_not_answer(stage, monkeypatch, caplog):
    def fail(prefix):
        raise sqs.QueueUnavailableError("no answer")

    monkeypatch.setattr(sqs, "find_queues", fail)

    kept.report_kept()

    assert "is not known: no answer" in caplog.text


@pytest.mark.parametrize("old", ["old", "old.fifo"])
@pytest.mark.parametrize("new", ["mail", "payments"])
@pytest.mark.daily(1)
def test_a_drained_queue_has_lost_nothing(stage, old, new):
    url = stage(old)
    for value in range(25):
        send(url, f"group {value % 3}", value)

    assert drain(url, new) == "moved: 25, refused: 0\n"
    moved = take_all(urls()[new])
    assert sorted(value for _, value in moved) == list(range(25))
    assert kept.count_messages(url) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=25), st.sets(st.integers(0, 24), max_size=3))
@pytest.mark.nightly
def test_each_group_of_a_fifo_queue_keeps_its_order_also_if_a_message_is_refused(stage, groups, refused):
    url, target, sent = stage(f"old-{uuid4().hex[:8]}.fifo"), urls()["payments"], sqs.send_messages
    for value, group in enumerate(groups):
        send(url, group, value)

    def refuse(queue_url, messages):
        [message] = messages
        value = json.loads(message.body)["args"][0]
        return {message.id: "InternalError"} if value in refused else sent(queue_url, messages)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqs, "send_messages", refuse)
        drain(url, "payments")
    drain(url, "payments")

    assert sorted(take_all(target)) == sorted((group, value) for value, group in enumerate(groups))
    assert kept.count_messages(url) == 0


class Stack:
    """The queues of a deployed topology, made and changed by CloudFormation from the template that the CDK writes."""

    def __init__(self, name, folder):
        self.name, self.folder, self.client = name, folder, boto3.client("cloudformation")

    def deploy(self, *queues):
        """Return the URL of each queue of `queues` and of the default one."""
        self.folder.joinpath(str(len(list(self.folder.iterdir())))).mkdir()
        declared = Topology(queues=(Queue(name="default"), *queues))
        made = make_deployment(STAGES["local"], declared, max(self.folder.iterdir())).resources("AWS::SQS::Queue")
        found = [item["StackName"] for item in self.client.describe_stacks()["Stacks"]]
        change = "update" if self.name in found else "create"
        getattr(self.client, f"{change}_stack")(StackName=self.name, TemplateBody=json.dumps({"Resources": made}))
        self.client.get_waiter(f"stack_{change}_complete").wait(StackName=self.name, WaiterConfig={"Delay": 0.1})
        items = self.client.describe_stack_resources(StackName=self.name)["StackResources"]
        return {
            queue.name: item["PhysicalResourceId"]
            for item in items
            for queue in declared.task_queues
            if item["LogicalResourceId"].startswith(f"Queue{queue.name}Queue")
        }


@pytest.fixture
def stack(endpoint, tmp_path):
    stack = Stack(f"stage-{uuid4().hex[:8]}", tmp_path)
    yield stack
    stack.client.delete_stack(StackName=stack.name)
    stack.client.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig={"Delay": 0.1})
    for url in sqs.find_queues(stack.name):
        boto3.client("sqs").delete_queue(QueueUrl=url)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Queue(name="mail"), ()),
        (Queue(name="mail"), (Queue(name="letters"),)),
        (Queue(name="mail"), (Queue(name="mail", fifo=True),)),
        (Queue(name="mail", fifo=True), (Queue(name="mail"),)),
        (Queue(name="mail", fifo=True), (Queue(name="letters", fifo=True),)),
    ],
    ids=["removed", "renamed", "turned FIFO", "FIFO no more", "renamed FIFO"],
)
@pytest.mark.daily(1)
def test_a_queue_that_a_deploy_removes_is_drained_and_declared_again_without_loss(stack, settings, before, after):
    old = stack.deploy(before)["mail"]
    buried = dead_letters_of(old)
    for value in range(22):
        send(old if value < 20 else buried, f"group {value % 3}" if before.fifo else "", value)

    declare_queues(settings, f"{stack.name}-Queue", stack.deploy(*after))
    for url, count in ((old, 20), (buried, 2)):
        assert f"{sqs.name_of(url)} is kept with {count} messages" in stats()
        assert drain(url, "default") == f"moved: {count}, refused: 0\n"
    again = stack.deploy(before)
    declare_queues(settings, f"{stack.name}-Queue", again)
    send(again["mail"], "group 0" if before.fifo else "", 22)

    moved = [value for name in ("default", "mail") for _, value in take_all(again[name])]
    assert sorted(moved) == list(range(23))


def declare_queues(settings, prefix, urls):
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": list(urls),
            "OPTIONS": {"queue_urls": urls, "queue_prefix": prefix},
        }
    }


def test_only_a_kept_queue_can_be_drained_and_only_into_a_declared_one(stage):
    url = stage("old")

    with pytest.raises(CommandError, match=r"no queue 'mail' is kept; there are: stage-.*-old"):
        drain("mail", "payments")
    with pytest.raises(CommandError, match="there is no queue 'old'; there are mail, payments"):
        drain(url, "old")
