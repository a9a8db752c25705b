import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from cdk.config import LOG_RETENTION_DAYS, STAGES, InvalidStageError, Stage, read_stage

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "stages.md"


@pytest.mark.parametrize("name", [None, "production", ""])
def test_a_deploy_never_guesses_a_stage(name):
    with pytest.raises(InvalidStageError, match=re.escape(f"one of local, dev, prod; got {name!r}")):
        read_stage(name)


def test_a_stage_is_found_by_its_name():
    assert [read_stage(name).name for name in STAGES] == list(STAGES)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("name", "Prod", "single hyphens"),
        ("name", "a--b", "single hyphens"),
        ("architecture", "arm", "should be Literal['arm64', 'x86_64']"),
        ("jwt_issuer", "http://issuer.example.com", "should start with https://"),
        ("jwt_audience", (), "at least one audience"),
        ("jwt_audience", "app", "should be tuple"),
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


def test_cloudwatch_has_a_name_for_every_retention_that_a_stage_may_ask_for():
    from cdk.components.logs import RETENTION

    assert tuple(RETENTION) == LOG_RETENTION_DAYS


def test_every_key_of_a_stage_is_documented_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", REFERENCE.read_text(), re.MULTILINE)

    assert rows == [(field.name, _default(field)) for field in fields(Stage)]


def test_every_stage_is_documented():
    documented = re.findall(r"^- `(\w+)`", REFERENCE.read_text(), re.MULTILINE)

    assert documented == list(STAGES)


def _default(field):
    if field.name == "name":
        return "required"
    if isinstance(field.default, timedelta):
        return f"{field.default.total_seconds():.0f} s"
    return f"`{field.default!r}`"
