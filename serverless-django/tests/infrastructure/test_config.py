import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from cdk.app import PROJECT
from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import Queue, Topology
from serverless_django.deploy.config import (
    LOG_RETENTION_DAYS,
    Instance,
    InvalidStageError,
    Stage,
    TooManyConnectionsError,
    check_connections,
    instance_of,
)
from tests.deployment import STAGES

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "stages.md"


@pytest.mark.parametrize("name", [None, "production", ""])
def test_a_deploy_never_guesses_a_stage(name):
    with pytest.raises(InvalidStageError, match=re.escape(f"one of local, dev, staging, prod; got {name!r}")):
        PROJECT.stage(name)


def test_a_stage_is_found_by_its_name():
    assert [PROJECT.stage(name).name for name in STAGES] == list(STAGES)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("name", "Prod", "single hyphens"),
        ("name", "a--b", "single hyphens"),
        ("architecture", "arm", "should be Literal['arm64', 'x86_64']"),
        ("jwt_issuer", "http://issuer.example.com", "should start with https://"),
        ("environment", {"SERVERLESS_STAGE": "x"}, "this library sets"),
        ("environment", {"AWS_REGION": "x"}, "Lambda or this library sets"),
        ("environment", {"A-B": "x"}, "letters, digits and underscores"),
        ("environment", {"A": 1}, "should be Mapping"),
        ("secrets", ("SECRET_KEY",), "which the deploy generates"),
        ("secrets", ("PATH",), "Lambda or this library sets"),
        ("jwt_audience", "app", "should be tuple"),
        ("cors_origins", ("*",), "should hold origins such as https://app.example.com"),
        ("domain", "https://api.example.com", "should be a host name"),
        ("certificate_arn", "certificate/1", "should be the ARN of a certificate"),
        ("hosted_zone_id", "example.com", "should be the id of a hosted zone"),
        ("alarm_email", "ada", "should be an e-mail address"),
        ("edge", "cloudfront", "should be Literal['none', 'cdn', 'waf']"),
        ("edge_requests_per_address", 9, "from 10 to"),
        ("egress", "open", "should be Literal['isolated', 'ipv6', 'nat']"),
        ("database_engine", "mysql", "should be Literal['rds', 'aurora']"),
        ("database_instance_class", "db.t4g.small", 'without "db."'),
        ("database_instance_class", "x9.large", "whose memory we know"),
        ("aurora_max_capacity", 512.0, "from 1.0 to 256.0"),
        ("aurora_max_capacity", 1, "should be float"),
        ("cache_max_gb", 0, "from 1 to 5000"),
        ("api_max_concurrency", 0, "from 1 to 10000"),
        ("rollout", "blue", "should be Literal['all_at_once', 'canary']"),
        ("logged_statement", timedelta(seconds=30), "from 0:00:00 to 0:00:29"),
        ("slow_response", timedelta(0), "from 0:00:00.001000 to 0:00:29"),
        ("monthly_budget_usd", -1, "from 0 to 1000000"),
        ("availability_zones", 1, "from 2 to 3"),
        ("database_multi_az", 1, "should be bool"),
        ("database_storage_gb", True, "should be int"),
        ("database_backup_days", 36, "from 0 to 35"),
        ("log_retention_days", 15, "should be one of 1, 3, 5"),
        ("api_timeout", 29, "should be timedelta"),
        ("api_timeout", timedelta(seconds=30), "from 0:00:01 to 0:00:29"),
        ("api_memory_mb", 64, "from 128 to 10240"),
    ],
)
def test_an_impossible_value_names_its_key(key, value, reason):
    with pytest.raises(InvalidStageError, match=rf"has {key}={re.escape(repr(value))}; it .*{re.escape(reason)}"):
        Stage(**{"name": "test", key: value})


@pytest.mark.parametrize(
    ("mix", "key"),
    [
        ({"endpoint_zones": 3}, "endpoint_zones"),
        ({"endpoint_zones": 2, "egress": "nat"}, "endpoint_zones"),
        ({"domain": "api.example.com"}, "certificate_arn"),
        ({"certificate_arn": CERTIFICATE}, "certificate_arn"),
        ({"hosted_zone_id": "Z1"}, "hosted_zone_id"),
        ({"domain": "api.example.com", "certificate_arn": CERTIFICATE, "edge": "cdn"}, "certificate_arn"),
        ({"snap_start": True, "provisioned_concurrency": 1}, "provisioned_concurrency"),
        ({"provisioned_concurrency": 51}, "provisioned_concurrency"),
        ({"slow_response": timedelta(seconds=20), "api_timeout": timedelta(seconds=10)}, "slow_response"),
        ({"aurora_min_capacity": 8.0}, "aurora_max_capacity"),
        ({"aurora_min_capacity": 0.7}, "aurora_min_capacity"),
        ({"database_engine": "aurora", "aurora_min_capacity": 0.0}, "aurora_min_capacity"),
        ({"database_max_storage_gb": 20}, "database_max_storage_gb"),
        ({"keep_data": False}, "deletion_protection"),
        ({"database_backup_days": 0}, "database_backup_days"),
    ],
)
def test_two_keys_that_contradict_each_other_are_refused(mix, key):
    with pytest.raises(InvalidStageError, match=f"has {key}="):
        Stage(name="test", **mix)


def test_an_unknown_key_is_refused_by_name():
    with pytest.raises(TypeError, match="databse_multi_az"):
        Stage(name="test", databse_multi_az=True)


@pytest.mark.parametrize(
    ("name", "memory_gb", "processors"),
    [("t4g.micro", 1, 2), ("t4g.2xlarge", 32, 8), ("m7g.large", 8, 2), ("r8g.xlarge", 32, 4), ("m8gd.4xlarge", 64, 16)],
)
def test_the_memory_of_an_instance_class_is_known(name, memory_gb, processors):
    assert instance_of(name) == Instance(memory_gb, processors)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_what_runs_at_once_fits_the_connections_of_every_stage(stage):
    check_connections(stage, TOPOLOGY)


def test_more_connections_than_the_proxy_opens_are_refused_with_their_sum():
    stage = Stage(name="test", database_instance_class="t4g.micro", api_max_concurrency=80)
    topology = Topology(queues=(Queue(name="default"), Queue(name="mail", max_concurrency=20)))

    with pytest.raises(TooManyConnectionsError) as refusal:
        check_connections(stage, topology)

    assert (
        "may hold 112 connections (api 80 + default 5 + mail 20 + housekeeping 2 + objects 5), its proxy opens 90"
        in str(refusal.value)
    )


def test_a_synth_refuses_more_connections_than_there_are(tmp_path):
    from tests.deployment import make_deployment

    with pytest.raises(TooManyConnectionsError, match="api 5000"):
        make_deployment(Stage(name="test", api_max_concurrency=5000), TOPOLOGY, tmp_path)


def test_cloudwatch_has_a_name_for_every_retention_that_a_stage_may_ask_for():
    from serverless_django.deploy.components.logs import RETENTION

    assert tuple(RETENTION) == LOG_RETENTION_DAYS


def test_every_key_of_a_stage_is_documented_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", REFERENCE.read_text(), re.MULTILINE)

    assert rows == [(field.name, _default(field)) for field in fields(Stage) if field.name != "project"]


def test_every_stage_is_documented():
    documented = re.findall(r"^- `(\w+)`", REFERENCE.read_text(), re.MULTILINE)

    assert documented == list(STAGES)


def _default(field):
    if field.name == "name":
        return "required"
    if isinstance(field.default, Mapping):
        return "`{}`"
    if isinstance(field.default, timedelta):
        return f"{field.default.total_seconds():.0f} s"
    return f"`{field.default!r}`"
