"""Migrations, in every deploy after the new code is in place and before anyone is sent to it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import cast

from aws_cdk import CfnResource, Duration, Stack, triggers
from aws_cdk import aws_iam as iam
from constructs import Construct

from serverless_django.contract.environment import Environment
from serverless_django.deploy.components.database import MASTER_USER, Database
from serverless_django.deploy.components.functions import DjangoFunction, DjangoRuntime
from serverless_django.deploy.components.logs import ExpiringLogs

TIMEOUT = timedelta(minutes=14)
"""A minute less than Lambda's limit, for the function that waits for this one."""


class Migration(Construct):
    """The management function, which the deploy calls with an empty event whenever it changes.

    It connects to the database itself, as its master: locks and settings would pin a session of the proxy.
    """

    def __init__(
        self, scope: Construct, id: str, *, runtime: DjangoRuntime, database: Database, before: Iterable[DjangoFunction]
    ) -> None:
        super().__init__(scope, id)
        self.management = DjangoFunction(
            self,
            "Management",
            runtime=replace(runtime, environment=_as_master(runtime, database)),
            handler="management",
            memory_mb=1024,
            timeout=TIMEOUT,
            security_group=runtime.network.management,
        )
        iam.Grant.add_to_principal(
            grantee=self.management.function,
            actions=["secretsmanager:GetSecretValue"],
            resource_arns=[database.secret.secret_arn],
        )
        trigger = triggers.Trigger(
            self,
            "OnDeploy",
            handler=self.management.function,
            # Over the function's own: the caller would start a second migration beside the first.
            timeout=Duration.seconds(int(TIMEOUT.total_seconds()) + 30),
        )
        self._keep_logs_of_provider(runtime)
        trigger.execute_before(self.management.alias, *(function.alias for function in before))

    def _keep_logs_of_provider(self, runtime: DjangoRuntime) -> None:
        # Lambda would make a group for the CDK's function, which never expires and outlives the stack.
        provider = Stack.of(self).node.find_child("AWSCDK.TriggerCustomResourceProviderCustomResourceProvider")
        function = cast("CfnResource", provider.node.find_child("Handler"))
        logs = ExpiringLogs(self, "TriggerLogs", stage=runtime.stage)
        function.add_property_override("LoggingConfig.LogGroup", logs.log_group_name)


def _as_master(runtime: DjangoRuntime, database: Database) -> Environment:
    return replace(
        runtime.environment,
        database_host=database.host,
        database_user=MASTER_USER,
        database_secret_arn=database.secret.secret_arn,
        # No client waits for it, and it is not admitted to the cache.
        cache_url="",
        cache_name="",
        # It passes no proxy: locks and settings of a session are its business.
        pinning_statements="allow",
    )
