"""RDS Proxy, through which functions share the database's few connections."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from constructs import Construct

from serverless_django.contract.environment import APPLICATION_ROLE
from serverless_django.deploy.components.database import Database
from serverless_django.deploy.components.logs import ExpiringLogs
from serverless_django.deploy.components.network import Network
from serverless_django.deploy.config import Stage
from serverless_django.deploy.config.fit import PROXY_SHARE


class DatabaseProxy(Construct):
    """RDS Proxy with IAM on both legs: functions come with a token, and it goes on with its own token."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, database: Database) -> None:
        super().__init__(scope, id)
        logs = ExpiringLogs(self, "Logs", stage=stage, name=f"/aws/rds/proxy/{stage.prefix}")
        role = iam.Role(self, "Role", assumed_by=_rds_of_this_account(self))
        # CDK grants nothing here, and without it every connection through the proxy is refused.
        grant = database.grant_connect(role, APPLICATION_ROLE)
        self._proxy = rds.DatabaseProxy(
            self,
            "Proxy",
            db_proxy_name=stage.prefix,
            proxy_target=database.proxy_target,
            role=role,
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            vpc=network.vpc,
            vpc_subnets=network.database_subnets,
            security_groups=[network.proxy],
            require_tls=True,
            # A request waits for a connection for so long; the default of two minutes outlives every client.
            borrow_timeout=Duration.seconds(10),
            idle_client_timeout=Duration.minutes(15),
            max_connections_percent=int(PROXY_SHARE * 100),
            max_idle_connections_percent=50,
        )
        self._proxy.node.add_dependency(logs)
        grant.apply_before(self._proxy)

    @property
    def name(self) -> str:
        return self._proxy.db_proxy_name

    @property
    def host(self) -> str:
        return self._proxy.endpoint

    def grant_connect(self, grantee: iam.IGrantable) -> None:
        self._proxy.grant_connect(grantee, APPLICATION_ROLE)


def _rds_of_this_account(scope: Construct) -> iam.ServicePrincipal:
    return iam.ServicePrincipal(
        "rds.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    )
