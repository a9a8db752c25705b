"""New code for a tenth of the requests, for five minutes, under alarms that take it back."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from constructs import Construct

from serverless_django.deploy.components.api import Api
from serverless_django.deploy.components.functions import ALIAS, DjangoFunction
from serverless_django.deploy.nag import accept

MINUTE = Duration.minutes(1)


class Canary(Construct):
    """Shifts the function's alias.  A failed shift fails the deploy, and all of it is rolled back."""

    def __init__(self, scope: Construct, id: str, *, function: DjangoFunction, api: Api) -> None:
        super().__init__(scope, id)
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            alias=function.alias,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            alarms=[self._errors_of_new_version(function), self._failed_responses(api)],
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )
        accept(
            group,
            {
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AWSCodeDeployRoleForLambdaLimited]": "AWS's own policy for this, and as narrow as can be",
            },
        )

    def _errors_of_new_version(self, function: DjangoFunction) -> cloudwatch.Alarm:
        # By version: what the old one does must not take the new one back.
        metric = cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name="Errors",
            statistic="Sum",
            period=MINUTE,
            dimensions_map={
                "FunctionName": function.function.function_name,
                "Resource": f"{function.function.function_name}:{ALIAS}",
                "ExecutedVersion": function.function.current_version.version,
            },
        )
        return _alarm(self, "NewVersionErrors", metric, 0, "the new version crashed, timed out or could not start")

    def _failed_responses(self, api: Api) -> cloudwatch.Alarm:
        # Django turns an exception into a response, which Lambda counts as a success.
        stage = api.deployed
        share = cloudwatch.MathExpression(
            expression="IF(requests > 10, 100 * failed / requests, 0)",
            using_metrics={
                "failed": stage.metric_server_error(period=MINUTE, statistic="Sum"),
                "requests": stage.metric_count(period=MINUTE, statistic="Sum"),
            },
            period=MINUTE,
        )
        return _alarm(self, "FailedResponses", share, 2, "over 2 % of responses were 5xx while a tenth met new code")


def _alarm(
    scope: Construct, id: str, metric: cloudwatch.IMetric, threshold: float, description: str
) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        id,
        metric=metric,
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"While a deploy shifts: {description}",
    )
