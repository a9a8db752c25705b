"""PostgreSQL.  RDS makes the master password, keeps it in a secret and rotates it; there is no other password."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from serverless_django.deploy.components.logs import ExpiringLogs
from serverless_django.deploy.components.network import Network
from serverless_django.deploy.components.parameters import parameters_of
from serverless_django.deploy.config import Stage

ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("17.9", "17"))
AURORA_ENGINE = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.of("17.9", "17"))
DATABASE_NAME = "app"
MASTER_USER = "dbadmin"


class Database(Construct):
    """What other components need to know of a database, of RDS or of Aurora.

    Its name is fixed: RDS logs to a group named for it, and CloudFormation refuses a change that
    would replace a named database instead of emptying it silently.
    """

    host: str
    log_group_name: str
    proxy_target: rds.ProxyTarget
    metric_dimensions: dict[str, str]
    _source: rds.DatabaseInstance | rds.DatabaseCluster

    @property
    def secret(self) -> secretsmanager.ISecret:
        """The master's `username` and `password`."""
        return cast("secretsmanager.ISecret", self._source.secret)

    def grant_connect(self, grantee: iam.IGrantable, user: str) -> iam.Grant:
        return self._source.grant_connect(grantee, user)


class Instance(Database):
    """One instance of RDS for PostgreSQL, with a standby if the stage says so."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network) -> None:
        super().__init__(scope, id)
        logs = ExpiringLogs(self, "Logs", stage=stage, name=f"/aws/rds/instance/{stage.prefix}/postgresql")
        self._source = rds.DatabaseInstance(
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
            removal_policy=_removal_policy(stage),
            parameter_group=rds.ParameterGroup(self, "Parameters", engine=ENGINE, parameters=parameters_of(stage)),
            cloudwatch_logs_exports=["postgresql"],
        )
        self._source.node.add_dependency(logs)
        self.host = self._source.db_instance_endpoint_address
        self.log_group_name = logs.log_group_name
        self.proxy_target = rds.ProxyTarget.from_instance(self._source)
        self.metric_dimensions = {"DBInstanceIdentifier": self._source.instance_identifier}


class AuroraCluster(Database):
    """Aurora Serverless: a writer, with a reader to take over if the stage says so, between two capacities."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network) -> None:
        super().__init__(scope, id)
        logs = ExpiringLogs(self, "Logs", stage=stage, name=f"/aws/rds/cluster/{stage.prefix}/postgresql")
        authority = rds.CaCertificate.RDS_CA_RSA2048_G1
        self._source = rds.DatabaseCluster(
            self,
            "Cluster",
            cluster_identifier=stage.prefix,
            engine=AURORA_ENGINE,
            serverless_v2_min_capacity=stage.aurora_min_capacity,
            serverless_v2_max_capacity=stage.aurora_max_capacity,
            writer=rds.ClusterInstance.serverless_v2("Writer", ca_certificate=authority),
            readers=[rds.ClusterInstance.serverless_v2("Reader", scale_with_writer=True, ca_certificate=authority)]
            if stage.database_multi_az
            else [],
            vpc=network.vpc,
            vpc_subnets=network.database_subnets,
            security_groups=[network.database],
            default_database_name=DATABASE_NAME,
            credentials=rds.Credentials.from_username(MASTER_USER),
            manage_master_user_password=True,
            iam_authentication=True,
            storage_encrypted=True,
            backup=rds.BackupProps(retention=Duration.days(stage.database_backup_days)),
            delete_automated_backups=not stage.keep_data,
            copy_tags_to_snapshot=True,
            deletion_protection=stage.deletion_protection,
            removal_policy=_removal_policy(stage),
            parameter_group=rds.ParameterGroup(
                self, "Parameters", engine=AURORA_ENGINE, parameters=parameters_of(stage)
            ),
            cloudwatch_logs_exports=["postgresql"],
        )
        self._source.node.add_dependency(logs)
        self.host = self._source.cluster_endpoint.hostname
        self.log_group_name = logs.log_group_name
        self.proxy_target = rds.ProxyTarget.from_cluster(self._source)
        self.metric_dimensions = {"DBClusterIdentifier": self._source.cluster_identifier}


def make_database(scope: Construct, id: str, *, stage: Stage, network: Network) -> Database:
    """Return the database of `stage` in `network`, as the construct `id` of `scope`."""
    kind = AuroraCluster if stage.database_engine == "aurora" else Instance
    return kind(scope, id, stage=stage, network=network)


def _removal_policy(stage: Stage) -> RemovalPolicy:
    return RemovalPolicy.SNAPSHOT if stage.keep_data else RemovalPolicy.DESTROY
