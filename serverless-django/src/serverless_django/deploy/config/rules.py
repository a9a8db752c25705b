"""What a value of a stage may be, and which values contradict each other."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from serverless_django.deploy.config.instances import UnknownInstanceClassError, instance_of

if TYPE_CHECKING:
    from serverless_django.deploy.config.stage import Stage

type Fault = tuple[str, str]
"""The key, and a reason that follows "it"."""

LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 731, 1827, 3653)

RANGES: Mapping[str, tuple[Any, Any]] = {
    "edge_requests_per_address": (10, 2_000_000_000),
    "availability_zones": (2, 3),
    "endpoint_zones": (1, 3),
    "database_storage_gb": (20, 65_536),
    "database_backup_days": (0, 35),
    "aurora_min_capacity": (0.0, 256.0),
    "aurora_max_capacity": (1.0, 256.0),
    "cache_max_gb": (1, 5_000),
    "cache_max_requests_per_second": (1_000, 15_000_000),
    "api_memory_mb": (128, 10_240),
    "api_timeout": (timedelta(seconds=1), timedelta(seconds=29)),
    "api_max_concurrency": (1, 10_000),
    "provisioned_concurrency": (0, 10_000),
    "api_requests_per_second": (1, 10_000),
    "member_writes_per_minute": (0, 60_000),
    "address_writes_per_minute": (0, 600_000),
    "api_burst": (1, 5_000),
    "logged_statement": (timedelta(0), timedelta(seconds=29)),
    "slow_response": (timedelta(milliseconds=1), timedelta(seconds=29)),
    "monthly_budget_usd": (0, 1_000_000),
}

PATTERNS: Mapping[str, tuple[str, str]] = {
    "name": (
        r"[a-z](-?[a-z0-9]){0,20}",
        "should be a lower-case letter, then up to 20 letters, digits and single hyphens",
    ),
    "jwt_issuer": (r"https://.+", "should start with https://"),
    "domain": (r"([a-z0-9-]+\.)+[a-z]+", "should be a host name such as api.example.com"),
    "certificate_arn": (r"arn:[^:]+:acm:[^:]+:\d{12}:certificate/.+", "should be the ARN of a certificate"),
    "hosted_zone_id": (r"Z[A-Z0-9]+", "should be the id of a hosted zone, such as Z0123456789"),
    "alarm_email": (r"[^@\s]+@[^@\s]+", "should be an e-mail address"),
}


def fits(value: object, hint: Any) -> bool:
    """Return whether `value` has the type `hint`, an annotation of a field of `Stage`."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is UnionType:
        return any(fits(value, option) for option in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(item, get_args(hint)[0]) for item in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(isinstance(item, str) for pair in value.items() for item in pair)
    return type(value) is hint


def type_name(hint: Any) -> str:
    """Return the type `hint` as an error message names it."""
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "").replace("collections.abc.", "")


def faults_of_values(stage: "Stage") -> Iterator[Fault]:
    for key, (pattern, reason) in PATTERNS.items():
        value = getattr(stage, key)
        if value is not None and not re.fullmatch(pattern, value):
            yield key, reason
    for key, (least, most) in RANGES.items():
        value = getattr(stage, key)
        if value is not None and not least <= value <= most:
            yield key, f"should be from {least} to {most}"
    yield from _faults_of_lists(stage)
    yield from _faults_of_variables(stage)
    try:
        instance_of(stage.database_instance_class)
    except UnknownInstanceClassError as error:
        yield "database_instance_class", str(error)


def _faults_of_lists(stage: "Stage") -> Iterator[Fault]:
    if stage.log_retention_days not in LOG_RETENTION_DAYS:
        yield "log_retention_days", f"should be one of {', '.join(map(str, LOG_RETENTION_DAYS))}"
    if any(not re.fullmatch(r"https?://[^/*]+", origin) for origin in stage.cors_origins):
        yield "cors_origins", "should hold origins such as https://app.example.com, each in full"


RESERVED = re.compile(
    r"(SERVERLESS|AWS|LAMBDA|LD|PYTHON|POWERTOOLS)_.*|_.*|PATH|TZ|LANG|LC_.*|PYTHONPATH|DJANGO_SETTINGS_MODULE"
)
GENERATED = ("SECRET_KEY", "SECRET_KEY_FALLBACKS")


def _faults_of_variables(stage: "Stage") -> Iterator[Fault]:
    for key, names in (("environment", tuple(stage.environment)), ("secrets", stage.secrets)):
        for name in names:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", name):
                yield key, f"should hold names of letters, digits and underscores; {name!r} is none"
            elif RESERVED.fullmatch(name):
                yield key, f"names {name}, which Lambda or this library sets; choose another"
            elif name in GENERATED:
                yield key, f"names {name}, which the deploy generates; leave it out"
    if twice := sorted(set(stage.environment) & set(stage.secrets)):
        yield "secrets", f"names {twice[0]}, which `environment` sets too; take it out of one"


def contradictions(stage: "Stage") -> Iterator[Fault]:
    yield from _contradictions_of_names(stage)
    yield from _contradictions_of_data(stage)
    yield from _contradictions_of_aurora(stage)
    yield from _contradictions_of_functions(stage)
    if stage.endpoint_zones > stage.availability_zones:
        yield "endpoint_zones", f"is more than availability_zones, {stage.availability_zones}"
    if stage.endpoint_zones > 1 and stage.egress != "isolated":
        yield "endpoint_zones", f"has no endpoints to place with egress={stage.egress!r}"


def _contradictions_of_names(stage: "Stage") -> Iterator[Fault]:
    if bool(stage.domain) is not bool(stage.certificate_arn):
        yield "certificate_arn", "belongs to a domain; set both or neither"
    if stage.hosted_zone_id and not stage.domain:
        yield "hosted_zone_id", "has no domain to make records for"
    if stage.edge != "none" and stage.certificate_arn and ":us-east-1:" not in stage.certificate_arn:
        yield "certificate_arn", "should lie in us-east-1, the only region from which CloudFront takes one"


def _contradictions_of_data(stage: "Stage") -> Iterator[Fault]:
    if stage.database_max_storage_gb <= stage.database_storage_gb:
        yield "database_max_storage_gb", f"should be over database_storage_gb, {stage.database_storage_gb}"
    if stage.deletion_protection and not stage.keep_data:
        yield "deletion_protection", "protects data that keep_data=False gives up; set both or neither"
    if stage.keep_data and not stage.database_backup_days:
        yield "database_backup_days", "keeps no backup of data that keep_data=True keeps"


def _contradictions_of_aurora(stage: "Stage") -> Iterator[Fault]:
    if stage.aurora_max_capacity < stage.aurora_min_capacity:
        yield "aurora_max_capacity", f"should be at least aurora_min_capacity, {stage.aurora_min_capacity}"
    for key in ("aurora_min_capacity", "aurora_max_capacity"):
        if getattr(stage, key) * 2 % 1:
            yield key, "should be a multiple of 0.5"
    if stage.database_engine == "aurora" and not stage.aurora_min_capacity:
        yield "aurora_min_capacity", "lets Aurora pause, which the proxy's open connections prevent; take 0.5"
    if stage.database_engine == "aurora" and not stage.database_backup_days:
        yield "database_backup_days", "is less than the one day that Aurora always keeps"


def _contradictions_of_functions(stage: "Stage") -> Iterator[Fault]:
    if stage.snap_start and stage.provisioned_concurrency:
        yield "provisioned_concurrency", "cannot be had with snap_start=True; choose one"
    if stage.provisioned_concurrency > stage.api_max_concurrency:
        yield "provisioned_concurrency", f"is more than api_max_concurrency, {stage.api_max_concurrency}"
    if stage.slow_response > stage.api_timeout:
        yield "slow_response", f"is longer than api_timeout, {stage.api_timeout}"
