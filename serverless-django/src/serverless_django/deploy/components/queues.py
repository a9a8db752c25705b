"""A declared queue → SQS, its dead letters, and the function that drains it."""

from datetime import timedelta

from aws_cdk import Aws, Duration, Names, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from serverless_django.contract.resources import Queue
from serverless_django.deploy.components.functions import DjangoRuntime, TaskingFunction

MAX_MESSAGE_BYTES = 1024 * 1024
"""The most that SQS takes.  The application refuses larger calls when they are enqueued."""

KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""A queue that is renamed, removed or becomes FIFO stays with its messages, until an operator deletes it."""

KEPT_PREFIX = f"{Aws.STACK_NAME}-Queue"
"""What the names of a stage's task queues begin with: CloudFormation makes them of the names of stack and construct."""


class TaskQueue(Construct):
    """A queue and its dead letters.  `add_worker` makes the function that drains it.

    In two steps, because every function is told the URL of every queue.
    """

    def __init__(self, scope: Construct, id: str, *, declaration: Queue) -> None:
        super().__init__(scope, id)
        self.declaration = declaration
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            fifo=declaration.fifo or None,
            max_message_size_bytes=MAX_MESSAGE_BYTES,
            retention_period=Duration.days(14),
            removal_policy=KEPT,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            fifo=declaration.fifo or None,
            # EventBridge Scheduler names no deduplication id.  The text of each moment differs, and a sender of ours
            # names an id, which counts instead.
            content_based_deduplication=declaration.fifo or None,
            max_message_size_bytes=MAX_MESSAGE_BYTES,
            # As long as the dead letters: a task may wait out a weekend of the database.
            retention_period=Duration.days(14),
            visibility_timeout=_whole_seconds(declaration.visibility_timeout),
            removal_policy=KEPT,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=declaration.max_receives),
        )

    def add_worker(self, runtime: DjangoRuntime, *, handler: str) -> TaskingFunction:
        worker = TaskingFunction(
            self,
            "Worker",
            runtime=runtime,
            handler=handler,
            memory_mb=self.declaration.memory_mb,
            timeout=self.declaration.batch_timeout,
        )
        worker.alias.add_event_source_mapping(
            f"SqsEventSource:{Names.node_unique_id(self.queue.node)}",
            event_source_arn=self.queue.queue_arn,
            batch_size=self.declaration.batch_size,
            # A FIFO queue has none, and Lambda refuses even none at all.
            max_batching_window=None if self.declaration.fifo else _whole_seconds(self.declaration.batch_window),
            max_concurrency=self.declaration.max_concurrency,
            report_batch_item_failures=True,
        )
        self._grant_drain(worker.function, self.queue)
        # The worker itself sends a message that failed often enough there, with the reason beside it.
        iam.Grant.add_to_principal(
            grantee=worker.function, actions=["sqs:SendMessage"], resource_arns=[self.dead_letters.queue_arn]
        )
        return worker

    def _grant_drain(self, grantee: iam.IGrantable, queue: sqs.Queue) -> None:
        # CDK's own event source would also grant GetQueueUrl, which no code calls.
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            resource_arns=[queue.queue_arn],
        )

    def grant_operate(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` count messages, and look at the dead letters, redrive and drop them."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sqs:GetQueueAttributes", "sqs:SendMessage"],
            resource_arns=[self.queue.queue_arn],
        )
        self._grant_drain(grantee, self.dead_letters)


def grant_drain_kept(grantee: iam.IGrantable, scope: Construct) -> None:
    """Let `grantee` find the queues that earlier deploys of the stack of `scope` kept, and take their messages off."""
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        resource_arns=[Stack.of(scope).format_arn(service="sqs", resource=f"{KEPT_PREFIX}*")],
    )
    iam.Grant.add_to_principal(grantee=grantee, actions=["sqs:ListQueues"], resource_arns=["*"])


def _whole_seconds(duration: timedelta) -> Duration:
    return Duration.seconds(int(duration.total_seconds()))
