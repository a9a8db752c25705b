"""What differs between stages.  Components take these values; none looks one up."""

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

APP_NAME = "serverless-django"

LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 731, 1827, 3653)


class InvalidStageError(ValueError):
    """A key of a stage has the wrong type or an impossible value, or two keys contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One deployment.  Raise InvalidStageError, which names the key, if it cannot be deployed."""

    name: str
    """Names the stacks, the database and its proxy: a lower-case letter, then up to 20 letters, digits and hyphens."""

    architecture: Literal["arm64", "x86_64"] = "arm64"

    jwt_issuer: str | None = None
    """URL of the OpenID issuer whose tokens the API takes.  None: the deploy asks for the parameter `JwtIssuer`."""

    jwt_audience: tuple[str, ...] = (APP_NAME,)
    """A token is taken if its `aud` or `client_id` is one of these."""

    availability_zones: int = 2
    """RDS needs at least two, even for one instance."""

    endpoint_zones: int = 1
    """Zones with interface endpoints of their own; each costs its hours, and a zone without one uses another's."""

    flow_logs: bool = False
    """Log the connections that the network refused."""

    database_instance_class: str = "t4g.small"
    database_multi_az: bool = False
    """Keep a standby in a second zone."""

    database_storage_gb: int = 20
    database_max_storage_gb: int = 100
    """RDS lets the storage grow to this."""

    database_backup_days: int = 1
    """How far back the database can be restored; RDS takes 0 to 35, and 0 keeps no backup."""

    pinning_statements: Literal["refuse", "report"] = "report"
    """What becomes of a statement that would pin its session of the database proxy."""

    deletion_protection: bool = True
    """Refuse to delete the database and the stack that holds it."""

    keep_data: bool = True
    """Deleting the stacks leaves a snapshot of the database, the buckets, the dead letters and the logs."""

    bucket_access_logs: bool = False
    """Record each access to a bucket in a bucket of its own."""

    log_retention_days: int = 14
    """CloudWatch takes only certain numbers of days."""

    api_memory_mb: int = 1024
    """Lambda gives one virtual CPU at 1,769 MB."""

    api_timeout: timedelta = timedelta(seconds=29)
    """API Gateway gives up after 30 seconds."""

    api_requests_per_second: int = 100
    """Sustained rate, over which API Gateway answers 429."""

    api_burst: int = 200
    """Requests at once, over which API Gateway answers 429."""

    def __post_init__(self) -> None:
        self._check_types()
        self._check_ranges()
        self._check_mixes()

    @property
    def prefix(self) -> str:
        return f"{APP_NAME}-{self.name}"

    def _check_types(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            value = getattr(self, field.name)
            if not _fits(value, hints[field.name]):
                self._refuse(field.name, f"should be {_type_name(hints[field.name])}")

    def _check_ranges(self) -> None:
        if not re.fullmatch(r"[a-z](-?[a-z0-9]){0,20}", self.name):
            self._refuse("name", "should be a lower-case letter, then up to 20 letters, digits and single hyphens")
        if self.jwt_issuer is not None and not self.jwt_issuer.startswith("https://"):
            self._refuse("jwt_issuer", "should start with https://")
        if not self.jwt_audience:
            self._refuse("jwt_audience", "should name at least one audience")
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            self._refuse("log_retention_days", f"should be one of {', '.join(map(str, LOG_RETENTION_DAYS))}")
        for key, (least, most) in _RANGES.items():
            if not least <= getattr(self, key) <= most:
                self._refuse(key, f"should be from {least} to {most}")

    def _check_mixes(self) -> None:
        if self.endpoint_zones > self.availability_zones:
            self._refuse("endpoint_zones", f"is more than availability_zones, {self.availability_zones}")
        if self.database_max_storage_gb <= self.database_storage_gb:
            self._refuse("database_max_storage_gb", f"should be over database_storage_gb, {self.database_storage_gb}")
        if self.deletion_protection and not self.keep_data:
            self._refuse("deletion_protection", "protects data that keep_data=False gives up; set both or neither")
        if self.keep_data and not self.database_backup_days:
            self._refuse("database_backup_days", "keeps no backup of data that keep_data=True keeps")

    def _refuse(self, key: str, reason: str) -> None:
        raise InvalidStageError(f"stage {self.name!r} has {key}={getattr(self, key)!r}; it {reason}")


_RANGES: dict[str, tuple[Any, Any]] = {
    "availability_zones": (2, 3),
    "endpoint_zones": (1, 3),
    "database_storage_gb": (20, 65_536),
    "database_backup_days": (0, 35),
    "api_memory_mb": (128, 10_240),
    "api_timeout": (timedelta(seconds=1), timedelta(seconds=29)),
    "api_requests_per_second": (1, 10_000),
    "api_burst": (1, 5_000),
}


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is UnionType:
        return any(_fits(value, option) for option in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(item, get_args(hint)[0]) for item in value)
    return type(value) is hint


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            name="local",
            architecture="x86_64",
            jwt_issuer="https://issuer.localhost",
            pinning_statements="refuse",
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
        ),
        Stage(
            name="prod",
            endpoint_zones=2,
            flow_logs=True,
            database_instance_class="t4g.medium",
            database_multi_az=True,
            database_backup_days=14,
            bucket_access_logs=True,
            log_retention_days=90,
            api_memory_mb=1769,
            api_requests_per_second=500,
            api_burst=1000,
        ),
    )
}


def read_stage(name: str | None) -> Stage:
    """Return the stage called `name`.

    Raise InvalidStageError if there is none: a deploy never guesses one.
    """
    if name not in STAGES:
        raise InvalidStageError(f"pass -c stage=NAME, one of {', '.join(STAGES)}; got {name!r}")
    return STAGES[name]
