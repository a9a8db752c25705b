"""The stages: the file to edit to change or add one."""

from serverless_django.deploy import Stage

STAGES = (
    Stage(
        name="local",
        architecture="x86_64",
        jwt_issuer="https://issuer.localhost",
        pinning_statements="refuse",
        cache=True,
        # All phones of a laptop have its address, and a burst of the console is one member's.
        member_writes_per_minute=60_000,
        address_writes_per_minute=0,
        deletion_protection=False,
        keep_data=False,
        database_backup_days=0,
        log_retention_days=1,
    ),
    Stage(
        name="dev",
        database_instance_class="t4g.micro",
        deletion_protection=False,
        keep_data=False,
        log_retention_days=7,
        api_max_concurrency=10,
    ),
    Stage(
        name="staging",
        flow_logs=True,
        database_instance_class="t4g.small",
        deletion_protection=False,
        log_retention_days=30,
        api_memory_mb=1769,
        snap_start=True,
        rollout="canary",
        cache=True,
    ),
    Stage(
        name="prod",
        # One address cannot use up what the API serves in all: it has 40 requests a second of 500.
        edge="waf",
        edge_requests_per_address=12_000,
        endpoint_zones=2,
        flow_logs=True,
        database_instance_class="t4g.medium",
        database_multi_az=True,
        database_backup_days=14,
        bucket_access_logs=True,
        log_retention_days=90,
        api_memory_mb=1769,
        api_max_concurrency=200,
        reserve_concurrency=True,
        snap_start=True,
        api_requests_per_second=500,
        api_burst=1000,
        rollout="canary",
        cache=True,
        monthly_budget_usd=300,
    ),
)
