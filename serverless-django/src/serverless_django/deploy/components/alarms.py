"""One topic, one composite alarm that speaks to it, and the alarms that it is made of."""

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from serverless_django.deploy.config import Stage

GREATER = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


class Alarms(Construct):
    """`add` makes an alarm; `finish` joins all of them.

    Only the composite sends: an outage that trips ten alarms is one message, and one more when it is over.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self.topic = AlarmTopic(self, "Topic", stage=stage)
        self._alarms: list[cloudwatch.Alarm] = []
        self._prefix = stage.prefix

    def add(
        self,
        id: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        *,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = GREATER,
    ) -> None:
        """Add the alarm `id` for `metric` above `threshold` in each of `periods`, or compared to it by `comparison`.

        `description` is what the e-mail says.  A metric without data is in order.
        """
        self._alarms.append(
            cloudwatch.Alarm(
                self,
                id,
                metric=metric,
                threshold=threshold,
                evaluation_periods=periods,
                comparison_operator=comparison,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
                alarm_description=description,
            )
        )

    def finish(self) -> None:
        composite = cloudwatch.CompositeAlarm(
            self,
            "Composite",
            composite_alarm_name=self._prefix,
            alarm_description="docs/operations.md says what to do about each",
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in self._alarms)
            ),
        )
        composite.add_alarm_action(actions.SnsAction(self.topic))
        composite.add_ok_action(actions.SnsAction(self.topic))


class AlarmTopic(sns.Topic):
    """Where alarms and the budget are heard.

    Not encrypted by AWS's key, which CloudWatch may not use: its messages would be lost without a word.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id, display_name=f"{stage.prefix} alarms", enforce_ssl=True)
        if stage.alarm_email:
            self.add_subscription(subscriptions.EmailSubscription(stage.alarm_email))
        # A policy of our own, as enforce_ssl makes one, takes the place of the one that lets the account publish.
        for service in ("cloudwatch.amazonaws.com", "budgets.amazonaws.com"):
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["sns:Publish"],
                    resources=[self.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                )
            )


class MonthlyBudget(budgets.CfnBudget):
    """A message when the month is forecast to cost more than the stage says."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, topic: sns.ITopic) -> None:
        limit: dict[str, Any] = {
            "comparison_operator": "GREATER_THAN",
            "threshold": 100,
            "threshold_type": "PERCENTAGE",
        }
        subscriber = budgets.CfnBudget.SubscriberProperty(address=topic.topic_arn, subscription_type="SNS")
        notifications = [
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(notification_type=kind, **limit),
                subscribers=[subscriber],
            )
            for kind in ("ACTUAL", "FORECASTED")
        ]
        super().__init__(
            scope,
            id,
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=stage.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=stage.monthly_budget_usd, unit="USD"),
            ),
            notifications_with_subscribers=notifications,
        )
