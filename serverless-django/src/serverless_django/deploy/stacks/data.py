"""What must last: the network, the database and its proxy, the buckets, the users."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from serverless_django.contract.resources import Topology
from serverless_django.deploy.components.cache import Cache
from serverless_django.deploy.components.database import make_database
from serverless_django.deploy.components.network import Network
from serverless_django.deploy.components.object_edge import ObjectEdge
from serverless_django.deploy.components.objects import AccessLogs, ObjectBucket
from serverless_django.deploy.components.proxy import DatabaseProxy
from serverless_django.deploy.components.secrets import ProjectSecrets
from serverless_django.deploy.components.users import TokenIssuer, Users
from serverless_django.deploy.config import Stage
from serverless_django.deploy.nag import accept
from serverless_django.deploy.project import Project, pascal_case


class DataStack(Stack):
    """Changes rarely.  The stack of the application can be deleted and deployed again without touching it."""

    def __init__(self, scope: Construct, *, stage: Stage, project: Project) -> None:
        super().__init__(
            scope,
            f"{stage.prefix}-data",
            description=f"{stage.project} {stage.name}: network, database, buckets, users",
            tags={"application": stage.project, "stage": stage.name},
            termination_protection=stage.deletion_protection,
        )
        self.network = Network(self, "Network", stage=stage, reads_secrets=project.secret_key or bool(stage.secrets))
        self.database = make_database(self, "Database", stage=stage, network=self.network)
        self.proxy = DatabaseProxy(self, "Proxy", stage=stage, network=self.network, database=self.database)
        self.cache = Cache(self, "Cache", stage=stage, network=self.network) if stage.cache else None
        self.secrets = ProjectSecrets(self, "Secrets", stage=stage, secret_key=project.secret_key)
        self.issuer = TokenIssuer.named_by(stage) or self._own_issuer(stage)
        logs_access = stage.bucket_access_logs and bool(project.topology.buckets)
        access_logs = AccessLogs(self, "AccessLogs", stage=stage) if logs_access else None
        self.buckets = {
            bucket.name: ObjectBucket(
                self, f"Bucket-{bucket.name}", declaration=bucket, stage=stage, access_logs=access_logs
            )
            for bucket in project.topology.buckets
        }
        self.bucket_domains = self._serve_by_name(stage, project.topology)
        self.network.restrict_s3([bucket.bucket for bucket in self.buckets.values()])
        for name, bucket in self.buckets.items():
            CfnOutput(self, f"Bucket{pascal_case(name)}Name", value=bucket.bucket.bucket_name)
        self._accept_findings(stage)

    def _serve_by_name(self, stage: Stage, topology: Topology) -> dict[str, str]:
        """Return the host of each bucket that has an edge."""
        names = [bucket.name for bucket in topology.buckets if bucket.served_by_name and stage.edge != "none"]
        return {
            name: ObjectEdge(self, f"Edge-{name}", stage=stage, name=name, bucket=self.buckets[name].bucket).host
            for name in names
        }

    def _own_issuer(self, stage: Stage) -> TokenIssuer:
        users = Users(self, "Users", stage=stage)
        CfnOutput(self, "UserPoolId", value=users.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=users.issuer.audience[0])
        return users.issuer

    def _accept_findings(self, stage: Stage) -> None:
        accept(self, {"AwsSolutions-RDS11": "RDS Proxy listens on 5432 only, and security groups admit named peers"})
        if not stage.database_multi_az:
            accept(self, {"AwsSolutions-RDS3": "the stage was configured without a standby"})
        if not stage.deletion_protection:
            accept(self, {"AwsSolutions-RDS10": "the stage was configured to be thrown away"})
        if not stage.database_backup_days:
            accept(self, {"AwsSolutions-RDS13": "the stage was configured without backups"})
        if not stage.bucket_access_logs:
            accept(self, {"AwsSolutions-S1": "the stage was configured without access logs"})
        if not stage.flow_logs:
            accept(self, {"AwsSolutions-VPC7": "the stage was configured without flow logs"})
