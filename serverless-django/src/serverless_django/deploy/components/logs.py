"""Log groups that expire, made before the service that would make one forever."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from serverless_django.deploy.config import Stage

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


class ExpiringLogs(logs.LogGroup):
    """A log group with the stage's retention.

    `name` is for services that write to a group of a certain name; the rest get a generated one.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, name: str | None = None) -> None:
        super().__init__(
            scope,
            id,
            log_group_name=name,
            retention=RETENTION[stage.log_retention_days],
            removal_policy=removal_policy_of(stage),
        )


def removal_policy_of(stage: Stage) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY
