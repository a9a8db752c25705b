"""A declared schedule → EventBridge Scheduler, which sends the task message that an enqueue would."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from serverless_django.contract.resources import SCHEDULE_ID_PREFIX, Schedule
from serverless_django.contract.task_message import TaskMessage, message_group


class TaskSchedule(Construct):
    """A schedule and the role with which it sends to its one queue."""

    def __init__(self, scope: Construct, id: str, *, declaration: Schedule, queue: sqs.IQueue) -> None:
        super().__init__(scope, id)
        role = iam.Role(self, "Role", assumed_by=_scheduler_of_this_account(self))
        grant = iam.Grant.add_to_principal(grantee=role, actions=["sqs:SendMessage"], resource_arns=[queue.queue_arn])
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            schedule_expression=declaration.expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=queue.queue_arn,
                role_arn=role.role_arn,
                input=_message(declaration).encode(),
                sqs_parameters=scheduler.CfnSchedule.SqsParametersProperty(
                    message_group_id=message_group(declaration.task)
                )
                if queue.fifo
                else None,
                # The longest there is: a moment that comes late is caught up, or skipped as the schedule declares.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_event_age_in_seconds=86_400),
            ),
        )
        grant.apply_before(schedule)


def _message(declaration: Schedule) -> TaskMessage:
    # One id for each moment, so one receipt, whatever Scheduler or SQS repeats.
    return TaskMessage(
        id=f"{SCHEDULE_ID_PREFIX}{declaration.name}/{scheduler.ContextAttribute.scheduled_time}",
        task=declaration.task,
        enqueued_at=scheduler.ContextAttribute.scheduled_time,
    )


def _scheduler_of_this_account(scope: Construct) -> iam.ServicePrincipal:
    return iam.ServicePrincipal(
        "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    )
