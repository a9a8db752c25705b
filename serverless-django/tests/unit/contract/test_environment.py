"""What the deploy writes the code reads, and a forgotten variable is named."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from serverless_django.contract.environment import Environment, InvalidEnvironmentError, variable_of
from serverless_django.postgresql import RDS_CA_BUNDLE

REFERENCE = Path(__file__).parents[4] / "docs" / "reference" / "environment.md"

ENVIRONMENT = Environment(
    stage="dev",
    allowed_hosts=("api.example.com", ".execute-api.eu-central-1.amazonaws.com"),
    database_host="proxy.example.com",
    database_name="app",
    database_user="app",
    task_queue_urls={"default": "https://sqs.example.com/1/default"},
    bucket_names={"uploads": "dev-uploads"},
)


def test_what_the_deploy_writes_the_code_reads_back():
    assert Environment.read(ENVIRONMENT.variables()) == ENVIRONMENT


def test_a_default_is_not_written():
    assert "SERVERLESS_DATABASE_PORT" not in ENVIRONMENT.variables()
    assert "SERVERLESS_DATABASE_CA_BUNDLE" not in ENVIRONMENT.variables()


def test_one_variable_is_read_without_the_others():
    variables = {"ORIGIN_SECRET_ARN": "arn:x", "DATABASE_PORT": "6432"}

    assert Environment.read_field("origin_secret_arn", variables) == "arn:x"
    assert Environment.read_field("database_port", variables) == 6432
    assert Environment.read_field("cache_url", variables) == ""
    with pytest.raises(KeyError, match="STAGE"):
        Environment.read_field("stage", variables)


def test_every_fault_is_reported_at_once():
    variables = ENVIRONMENT.variables() | {"SERVERLESS_TASK_QUEUE_URLS": "{", "SERVERLESS_DATABASE_PORT": "postgres"}
    del variables["SERVERLESS_STAGE"]

    with pytest.raises(InvalidEnvironmentError) as caught:
        Environment.read(variables)

    assert str(caught.value) == (
        "SERVERLESS_STAGE is not set; SERVERLESS_TASK_QUEUE_URLS should be Mapping[str, str], got '{'; "
        "SERVERLESS_DATABASE_PORT should be int, got 'postgres'"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SERVERLESS_TASK_QUEUE_URLS", "[]"),
        ("SERVERLESS_TASK_QUEUE_URLS", '{"default": 1}'),
        ("SERVERLESS_ALLOWED_HOSTS", '"api.example.com"'),
        ("SERVERLESS_ALLOWED_HOSTS", "[1]"),
        ("SERVERLESS_BUCKET_NAMES", "uploads"),
    ],
)
def test_a_variable_of_another_shape_is_refused(name, text):
    with pytest.raises(InvalidEnvironmentError, match=f"{name} should be"):
        Environment.read(ENVIRONMENT.variables() | {name: text})


def test_variables_of_others_are_ignored():
    assert Environment.read(ENVIRONMENT.variables() | {"AWS_REGION": "eu-central-1"}) == ENVIRONMENT


def test_every_environment_variable_is_documented():
    documented = re.findall(r"^\| `([A-Z_]+)`", REFERENCE.read_text(), re.MULTILINE)

    assert documented == [variable_of(field.name) for field in fields(Environment)]


def test_the_certificates_of_rds_are_shipped():
    assert Path(RDS_CA_BUNDLE).read_text().count("BEGIN CERTIFICATE") > 50
