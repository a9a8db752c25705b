"""ElastiCache Serverless for Valkey, behind TLS and a group that admits the functions and nobody else."""

from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from cdk.components.network import Network
from cdk.config import Stage

PORT = 6379


class Cache(Construct):
    """Django's cache.  It evicts or refuses over its limits instead of costing more."""

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
        )

    @property
    def url(self) -> str:
        return f"rediss://{self._cache.attr_endpoint_address}:{PORT}"
