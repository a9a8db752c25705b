"""ElastiCache Serverless for Valkey, behind TLS: it admits the functions alone, as a user without a password."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from constructs import Construct

from serverless_django.contract.environment import CACHE_ACCESS
from serverless_django.deploy.components.network import Network
from serverless_django.deploy.config import Stage


class Cache(Construct):
    """Django's cache.  It evicts or refuses over its limits instead of costing more.

    Its one user has its name, signs in with an IAM token, and may do what CACHE_ACCESS says.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network) -> None:
        super().__init__(scope, id)
        self.name = stage.prefix
        limits = elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
            data_storage=elasticache.CfnServerlessCache.DataStorageProperty(unit="GB", maximum=stage.cache_max_gb),
            ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(
                maximum=stage.cache_max_requests_per_second
            ),
        )
        self._cache = elasticache.CfnServerlessCache(
            self,
            "Cache",
            engine="valkey",
            major_engine_version="8",
            serverless_cache_name=self.name,
            description="Django's cache",
            subnet_ids=network.vpc.select_subnets(subnet_group_name="database").subnet_ids,
            security_group_ids=[network.cache_group().security_group_id],
            cache_usage_limits=limits,
            user_group_id=self._make_user_group().ref,
        )

    @property
    def url(self) -> str:
        return f"rediss://{self._cache.attr_endpoint_address}:{self._cache.attr_endpoint_port}"

    def grant_connect(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` sign in."""
        # By names, not attributes: what another stack imports could not be taken away again.
        arns = [
            Stack.of(self).format_arn(
                service="elasticache", resource=kind, resource_name=self.name, arn_format=ArnFormat.COLON_RESOURCE_NAME
            )
            for kind in ("serverlesscache", "user")
        ]
        iam.Grant.add_to_principal(grantee=grantee, actions=["elasticache:Connect"], resource_arns=arns)

    def _make_user_group(self) -> elasticache.CfnUserGroup:
        # A group for Valkey needs no user "default", which would be one without IAM.
        user = elasticache.CfnUser(
            self,
            "User",
            engine="valkey",
            user_id=self.name,
            user_name=self.name,
            authentication_mode={"Type": "iam"},
            access_string=CACHE_ACCESS,
        )
        return elasticache.CfnUserGroup(self, "Users", engine="valkey", user_group_id=self.name, user_ids=[user.ref])
