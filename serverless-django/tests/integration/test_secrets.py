"""The secrets of a stage are in the environment before settings are loaded, and nowhere else."""

import json
from itertools import pairwise

import boto3
import pytest

from serverless_django.contract.environment import variable_of
from serverless_django.deploy import Stage
from serverless_django.deploy.stage_secrets import read_values, rotate_key, write_values
from serverless_django.secrets import MissingSecretError, load_secrets, provide_urls
from serverless_django.settings import deployed
from tests.fresh_process import ENVIRONMENT

STAGE = Stage(name="dev", project="shop", secrets=("STRIPE_KEY", "MAIL_KEY"))


@pytest.fixture
def client(emulator, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    client = boto3.client("secretsmanager")
    yield client
    for secret in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
    client.close()


def variables(*ids):
    told = {"stage": "dev", "secret_ids": json.dumps(ids), "secret_names": json.dumps(STAGE.secrets)}
    return {variable_of(name): value for name, value in told.items()}


def test_declared_secrets_and_the_generated_key_are_read_in_one_call(client):
    key = client.create_secret(Name="django", SecretString='{"SECRET_KEY": "generated"}')["ARN"]
    write_values(client, STAGE, {"STRIPE_KEY": "sk_1", "MAIL_KEY": "mk_1", "NOT_DECLARED": "x"})
    environment = variables(key, STAGE.secret_name)

    load_secrets(environment)

    assert environment["SECRET_KEY"] == "generated"
    assert (environment["STRIPE_KEY"], environment["MAIL_KEY"]) == ("sk_1", "mk_1")
    assert "NOT_DECLARED" not in environment


def test_a_declared_secret_without_a_value_is_named_with_the_command_that_sets_it(client):
    write_values(client, STAGE, {"STRIPE_KEY": "sk_1"})

    with pytest.raises(MissingSecretError, match="MAIL_KEY; set each by `serverless-django secrets set MAIL_KEY --st"):
        load_secrets(variables(STAGE.secret_name))


def test_a_secret_that_was_never_written_counts_as_one_without_values(client):
    with pytest.raises(MissingSecretError, match="MAIL_KEY, STRIPE_KEY"):
        load_secrets(variables(STAGE.secret_name))


def test_a_service_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(MissingSecretError, match=r"Secrets Manager at http://127\.0\.0\.1:9 does not answer"):
        load_secrets(variables("any"))


def test_without_secrets_nothing_is_asked(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    environment = {}

    load_secrets(environment)

    assert environment == {}


def test_one_secret_is_changed_without_the_others(client):
    write_values(client, STAGE, {"STRIPE_KEY": "sk_1"})
    write_values(client, STAGE, read_values(client, STAGE) | {"MAIL_KEY": "mk_1"})

    assert read_values(client, STAGE) == {"STRIPE_KEY": "sk_1", "MAIL_KEY": "mk_1"}


def settings_of(key, monkeypatch):
    """Return SECRET_KEY and its fallbacks of an environment that starts now."""
    for name, value in (ENVIRONMENT.variables() | {variable_of("secret_ids"): json.dumps([key])}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SECRET_KEY", "")
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", "[]")
    settings = {"SECRET_KEY": "of a laptop", "SERVERLESS": {"TOPOLOGY": "lambda_app.topology.TOPOLOGY"}}
    load_secrets()
    deployed(settings)
    return settings["SECRET_KEY"], settings["SECRET_KEY_FALLBACKS"]


def test_environments_of_two_steps_of_a_rotation_verify_what_the_other_signs(client, monkeypatch):
    key = client.create_secret(Name="django", SecretString='{"SECRET_KEY": "first"}')["ARN"]
    steps = [settings_of(key, monkeypatch)]
    for last in (False, True, False, True):
        assert rotate_key(client, key) is last
        steps.append(settings_of(key, monkeypatch))

    assert steps[0] == ("first", [])
    for (signs, verifies), (next_signs, next_verifies) in pairwise(steps):
        assert signs in (next_signs, *next_verifies)
        assert next_signs in (signs, *verifies)
    assert len({signs for signs, _ in steps}) == 3


def test_settings_that_read_urls_find_them():
    environment = ENVIRONMENT.variables()

    provide_urls(environment)

    assert environment["DATABASE_URL"] == "postgres://app@proxy.example.com:5432/app"
    assert environment["ALLOWED_HOSTS"] == "api.example.com"


def test_a_url_of_the_projects_own_stays():
    environment = ENVIRONMENT.variables() | {"DATABASE_URL": "postgres://reports"}

    provide_urls(environment)

    assert environment["DATABASE_URL"] == "postgres://reports"
