"""Every key of a stage with its unit, its default and what it costs or prevents."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from types import MappingProxyType
from typing import Literal, get_type_hints

from serverless_django.deploy.config.rules import contradictions, faults_of_values, fits, type_name


class InvalidStageError(ValueError):
    """A key of a stage has the wrong type or an impossible value, or two keys contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One deployment.  Raise InvalidStageError, which names the key, if it cannot be deployed."""

    name: str
    """Names the stacks, the database and its proxy: a lower-case letter, then up to 20 letters, digits and hyphens."""

    project: str = "app"
    """Name of the project, which `Project.stage` fills in."""

    architecture: Literal["arm64", "x86_64"] = "arm64"

    environment: Mapping[str, str] = MappingProxyType({})
    """The project's environment variables, such as {"SENTRY_ENVIRONMENT": "prod"}; visible to everyone who may
    read the functions' configuration."""

    secrets: tuple[str, ...] = ()
    """Names of secrets, such as ("STRIPE_KEY",), that are in `os.environ` when settings are loaded.

    `serverless-django secrets set NAME --stage STAGE` gives one its value.
    """

    jwt_issuer: str | None = None
    """URL of the OpenID issuer whose tokens the API takes.  None: the stack makes a Cognito user pool."""

    jwt_audience: tuple[str, ...] = ()
    """A token of `jwt_issuer` is taken if its `aud` or `client_id` is one of these.  (): the name of the project."""

    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the API and upload, such as "https://app.example.com"."""

    domain: str | None = None
    """Host name of the API, such as "api.example.com"."""

    certificate_arn: str | None = None
    """Certificate of `domain`: in the stage's region, or in us-east-1 for an edge."""

    hosted_zone_id: str | None = None
    """Route 53 zone in which the records of `domain` are made.  None: you make them."""

    edge: Literal["none", "cdn", "waf"] = "none"
    """What stands before the API: nothing, CloudFront, or CloudFront with a web application firewall."""

    edge_requests_per_address: int = 2000
    """The firewall blocks an address that sends more in 5 minutes."""

    availability_zones: int = 2
    """RDS needs at least two, even for one instance."""

    egress: Literal["isolated", "ipv6", "nat"] = "isolated"
    """The way out of the network: none, for IPv6 only and free, or a NAT gateway that costs its hours."""

    endpoint_zones: int = 1
    """Zones with interface endpoints, where `egress` is isolated; each costs its hours."""

    flow_logs: bool = False
    """Log the connections that the network refused."""

    database_engine: Literal["rds", "aurora"] = "rds"
    """One instance of RDS for PostgreSQL, or an Aurora cluster that scales between two capacities."""

    database_instance_class: str = "t4g.small"
    """Of RDS.  Its memory decides the parameters and how many connections there are."""

    database_multi_az: bool = False
    """Keep a standby in a second zone: of RDS an instance, of Aurora a reader."""

    database_storage_gb: int = 20
    database_max_storage_gb: int = 100
    """RDS lets the storage grow to this."""

    aurora_min_capacity: float = 0.5
    """Units of 2 GB that Aurora keeps; the proxy bills eight at least, whatever this says."""

    aurora_max_capacity: float = 4.0

    database_backup_days: int = 1
    """How far back the database can be restored; RDS takes 0 to 35, and 0 keeps no backup."""

    logged_statement: timedelta | None = None
    """PostgreSQL logs a statement that takes longer, with its plan and with the values in its text.

    None logs no statement: functions report slow ones without values, and pg_stat_statements counts all.
    """

    pinning_statements: Literal["refuse", "report"] = "report"
    """What becomes of a statement that would pin its session of the database proxy."""

    cache: bool = False
    """ElastiCache Serverless for Valkey, which Django's cache uses."""

    cache_max_gb: int = 1
    cache_max_requests_per_second: int = 5000
    """Of 1 KB each.  Over either limit the cache refuses, and so neither can cost more."""

    deletion_protection: bool = True
    """Refuse to delete the database and the stack that holds it."""

    keep_data: bool = True
    """Deleting the stacks leaves a snapshot of the database, the buckets, the users, the dead letters and the logs."""

    bucket_access_logs: bool = False
    """Record each access to a bucket in its own bucket."""

    log_retention_days: int = 14
    """CloudWatch takes only certain numbers of days."""

    api_memory_mb: int = 1024
    """Lambda gives one virtual CPU at 1,769 MB."""

    api_timeout: timedelta = timedelta(seconds=29)
    """API Gateway gives up after 30 seconds."""

    api_max_concurrency: int = 50
    """Requests at once, each with a connection, that the database must bear."""

    reserve_concurrency: bool = False
    """Hold the API to `api_max_concurrency`.  Off: a new account has 10 environments in all and can reserve none."""

    snap_start: bool = False
    """Start the API's environments from a snapshot; AWS bills its storage and each restore."""

    provisioned_concurrency: int = 0
    """Environments of the API that are kept warm; each is billed by the second."""

    api_requests_per_second: int = 100
    """Sustained rate, over which API Gateway answers 429."""

    member_writes_per_minute: int = 120
    """How often a member may write before Django answers 429.  0: as often as they like."""

    address_writes_per_minute: int = 1200
    """How often an address may; many phones share one behind a carrier."""

    api_burst: int = 200
    """Requests at once, over which API Gateway answers 429."""

    rollout: Literal["all_at_once", "canary"] = "all_at_once"
    """Whether new code gets all requests at once, or a tenth for five minutes, under alarms that take it back."""

    alarm_email: str | None = None
    """Who is written to; AWS asks this address for its consent first."""

    slow_response: timedelta = timedelta(seconds=1)
    """An alarm if one response in a hundred takes longer."""

    monthly_budget_usd: int = 0
    """A message if the account is about to spend more in a month.  0: none."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            if not fits(getattr(self, field.name), hints[field.name]):
                self._refuse(field.name, f"should be {type_name(hints[field.name])}")
        for key, reason in (*faults_of_values(self), *contradictions(self)):
            self._refuse(key, reason)

    @property
    def prefix(self) -> str:
        return f"{self.project}-{self.name}"

    @property
    def secret_name(self) -> str:
        """Name in Secrets Manager of the secret with the values of `secrets`."""
        return f"{self.prefix}/secrets"

    @property
    def audience(self) -> tuple[str, ...]:
        """Audiences of the tokens that the API takes."""
        return self.jwt_audience or (self.project,)

    def _refuse(self, key: str, reason: str) -> None:
        raise InvalidStageError(f"stage {self.name!r} has {key}={getattr(self, key)!r}; it {reason}")
