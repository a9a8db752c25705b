"""PostgreSQL, reached by the application through RDS Proxy with IAM tokens and by nobody with a password we know."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.components.logs import ExpiringLogs
from cdk.components.network import Network
from cdk.config import Stage
from lambda_app.contract.environment import APPLICATION_ROLE

ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("17.9", "17"))
DATABASE_NAME = "app"
MASTER_USER = "dbadmin"

PARAMETERS: Mapping[str, str] = {
    "auto_explain.log_format": "json",
    "auto_explain.log_min_duration": "250",
    "auto_explain.log_nested_statements": "1",
    "deadlock_timeout": "1000",
    # Functions are killed without a word: their transactions must not hold locks for ever.
    "idle_in_transaction_session_timeout": "30000",
    "log_autovacuum_min_duration": "1000",
    "log_lock_waits": "1",
    "log_min_duration_statement": "30",
    "log_temp_files": "0",
    "pg_stat_statements.track": "all",
    "rds.force_ssl": "1",
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    # RDS Proxy refuses options at connect and pins a session that says SET, so limits and zone stand here.
    "statement_timeout": "29000",
    "timezone": "UTC",
    "track_io_timing": "1",
}


class Database(Construct):
    """The instance.  RDS makes its master password, keeps it in a secret and rotates it."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network) -> None:
        super().__init__(scope, id)
        # A fixed name: RDS logs to a group named for it, and CloudFormation refuses a change
        # that would replace a named database instead of emptying it silently.
        logs = ExpiringLogs(self, "Logs", stage=stage, name=f"/aws/rds/instance/{stage.prefix}/postgresql")
        self.instance = rds.DatabaseInstance(
            self,
            "Instance",
            instance_identifier=stage.prefix,
            engine=ENGINE,
            instance_type=ec2.InstanceType(stage.database_instance_class),
            multi_az=stage.database_multi_az,
            vpc=network.vpc,
            vpc_subnets=network.database_subnets,
            security_groups=[network.database],
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            database_name=DATABASE_NAME,
            credentials=rds.Credentials.from_username(MASTER_USER),
            manage_master_user_password=True,
            iam_authentication=True,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            allocated_storage=stage.database_storage_gb,
            max_allocated_storage=stage.database_max_storage_gb,
            backup_retention=Duration.days(stage.database_backup_days),
            delete_automated_backups=not stage.keep_data,
            copy_tags_to_snapshot=True,
            deletion_protection=stage.deletion_protection,
            removal_policy=RemovalPolicy.SNAPSHOT if stage.keep_data else RemovalPolicy.DESTROY,
            parameter_group=rds.ParameterGroup(self, "Parameters", engine=ENGINE, parameters=PARAMETERS),
            cloudwatch_logs_exports=["postgresql"],
        )
        self.instance.node.add_dependency(logs)

    @property
    def host(self) -> str:
        return self.instance.db_instance_endpoint_address

    @property
    def secret(self) -> secretsmanager.ISecret:
        return cast("secretsmanager.ISecret", self.instance.secret)


class DatabaseProxy(Construct):
    """RDS Proxy with IAM on both legs: functions come with a token, and it goes on with a token of its own."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, database: Database) -> None:
        super().__init__(scope, id)
        logs = ExpiringLogs(self, "Logs", stage=stage, name=f"/aws/rds/proxy/{stage.prefix}")
        role = iam.Role(self, "Role", assumed_by=_rds_of_this_account(self))
        # CDK grants nothing here, and without it every connection through the proxy is refused.
        grant = database.instance.grant_connect(role, APPLICATION_ROLE)
        self._proxy = rds.DatabaseProxy(
            self,
            "Proxy",
            db_proxy_name=stage.prefix,
            proxy_target=rds.ProxyTarget.from_instance(database.instance),
            role=role,
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            vpc=network.vpc,
            vpc_subnets=network.database_subnets,
            security_groups=[network.proxy],
            require_tls=True,
            # A request waits for a connection for so long; the default of two minutes outlives every client.
            borrow_timeout=Duration.seconds(10),
            idle_client_timeout=Duration.minutes(15),
            max_connections_percent=90,
            max_idle_connections_percent=50,
        )
        self._proxy.node.add_dependency(logs)
        grant.apply_before(self._proxy)

    @property
    def host(self) -> str:
        return self._proxy.endpoint

    def grant_connect(self, grantee: iam.IGrantable) -> None:
        self._proxy.grant_connect(grantee, APPLICATION_ROLE)


def _rds_of_this_account(scope: Construct) -> iam.ServicePrincipal:
    return iam.ServicePrincipal(
        "rds.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    )
