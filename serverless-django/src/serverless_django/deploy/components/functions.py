"""What every function of the service shares: code, variables, network, logs, and rights that name one thing each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from serverless_django.contract.environment import Environment
from serverless_django.deploy.bundling.tools import PYTHON_VERSION
from serverless_django.deploy.components.cache import Cache
from serverless_django.deploy.components.logs import ExpiringLogs
from serverless_django.deploy.components.network import Network
from serverless_django.deploy.components.proxy import DatabaseProxy
from serverless_django.deploy.components.secrets import ProjectSecrets
from serverless_django.deploy.config import Stage

ALIAS = "live"

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_INTERFACE_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoRuntime:
    """What every function of the service shares."""

    stage: Stage
    handlers: str
    """Package of the handlers, such as "lambda_app.handlers"."""

    code: lambda_.Code
    environment: Environment
    """Variables of the functions that connect through the proxy; strings may be CDK tokens."""

    secrets: ProjectSecrets
    network: Network
    proxy: DatabaseProxy
    queues: Collection[sqs.IQueue]
    """Every queue that a task may be sent to."""

    cache: Cache | None = None


class DjangoFunction(Construct):
    """A function with a role and its own log group, called only through its alias.

    It may write its logs, and nothing else: the component that makes it grants the rest.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: DjangoRuntime,
        handler: str,
        memory_mb: int,
        timeout: timedelta,
        security_group: ec2.ISecurityGroup | None = None,
    ) -> None:
        """`handler` names a module of the package of handlers, such as "sqs"."""
        super().__init__(scope, id)
        logs = ExpiringLogs(self, "Logs", stage=runtime.stage)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        logs.grant_write(role)
        for statement in _network_interface_statements(Stack.of(self)):
            role.add_to_policy(statement)
        self.timeout = timeout
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=getattr(lambda_.Runtime, f"PYTHON_{PYTHON_VERSION.replace('.', '_')}"),
            architecture=_ARCHITECTURES[runtime.stage.architecture],
            code=runtime.code,
            handler=f"{runtime.handlers}.{handler}.handler",
            memory_size=memory_mb,
            timeout=Duration.seconds(int(timeout.total_seconds())),
            role=role,
            vpc=runtime.network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=runtime.network.function_subnets),
            ipv6_allowed_for_dual_stack=runtime.network.is_dual_stack or None,
            security_groups=[security_group or runtime.network.functions],
            environment={
                **runtime.stage.environment,
                **runtime.environment.variables(),
                **_sdk_variables(runtime.network),
            },
            log_group=logs,
            logging_format=lambda_.LoggingFormat.JSON,
            recursive_loop=lambda_.RecursiveLoop.TERMINATE,
            # An old version goes after its successor took over; kept ones would only fill the code storage.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.DESTROY),
        )
        runtime.secrets.grant_read(self.function)
        self.alias = lambda_.Alias(self, "Alias", alias_name=ALIAS, version=self.function.current_version)


class TaskingFunction(DjangoFunction):
    """A function that uses database and cache as the application does, and may send a task to every queue."""

    def __init__(
        self, scope: Construct, id: str, *, runtime: DjangoRuntime, handler: str, memory_mb: int, timeout: timedelta
    ) -> None:
        super().__init__(scope, id, runtime=runtime, handler=handler, memory_mb=memory_mb, timeout=timeout)
        runtime.proxy.grant_connect(self.function)
        if runtime.cache:
            runtime.cache.grant_connect(self.function)
        iam.Grant.add_to_principal(
            grantee=self.function,
            actions=["sqs:SendMessage"],
            resource_arns=[queue.queue_arn for queue in runtime.queues],
        )


class WebFunction(TaskingFunction):
    """The function behind the API: the only one whose caller waits."""

    def __init__(self, scope: Construct, id: str, *, runtime: DjangoRuntime) -> None:
        stage = runtime.stage
        super().__init__(
            scope, id, runtime=runtime, handler="api_gateway", memory_mb=stage.api_memory_mb, timeout=stage.api_timeout
        )
        function = cast("lambda_.CfnFunction", self.function.node.default_child)
        if stage.reserve_concurrency:
            function.reserved_concurrent_executions = stage.api_max_concurrency
        if stage.snap_start:
            # Set here: CDK's own switch warns that a version must be published, which the alias does.
            function.snap_start = lambda_.CfnFunction.SnapStartProperty(apply_on="PublishedVersions")
        if stage.provisioned_concurrency:
            alias = cast("lambda_.CfnAlias", self.alias.node.default_child)
            alias.provisioned_concurrency_config = lambda_.CfnAlias.ProvisionedConcurrencyConfigurationProperty(
                provisioned_concurrent_executions=stage.provisioned_concurrency
            )


def _sdk_variables(network: Network) -> dict[str, str]:
    """Variables that botocore reads, not our code."""
    # The classic names of AWS's services have no IPv6 address.
    return {"AWS_USE_DUALSTACK_ENDPOINT": "true"} if network.is_dual_stack else {}


def _network_interface_statements(stack: Stack) -> list[iam.PolicyStatement]:
    functions = stack.format_arn(
        service="lambda", resource="function", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return [
        iam.PolicyStatement(actions=_INTERFACE_ACTIONS, resources=["*"]),
        # Lambda itself makes the interfaces, with our role; the code in the function never needs to.
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=_INTERFACE_ACTIONS,
            resources=["*"],
            conditions={"ArnLike": {"lambda:SourceFunctionArn": functions}},
        ),
    ]
