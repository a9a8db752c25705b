"""The token is the one that AWS's own SDK makes, signed without a network."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from serverless_django import presigning
from serverless_django.postgresql import iam_password
from serverless_django.postgresql.iam_password import sign_token
from serverless_django.presigning import MissingCredentialsError

FROZEN = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
HOST = "proxy.example.eu-central-1.rds.amazonaws.com"


@pytest.fixture(autouse=True)
def _fresh_session():
    presigning.session.cache_clear()
    yield
    presigning.session.cache_clear()


def query_of(token):
    return {name: values[0] for name, values in parse_qs(urlsplit(f"https://{token}").query).items()}


def test_it_is_the_token_that_boto3_makes(monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: FROZEN)
    monkeypatch.setattr(iam_password, "utc_now", lambda: FROZEN)
    client = boto3.client("rds")
    theirs = client.generate_db_auth_token(HOST, 5432, "app")
    client.close()

    assert query_of(sign_token(host=HOST, port=5432, user="app")) == query_of(theirs)


def test_it_is_for_one_user_at_one_endpoint_for_a_quarter_of_an_hour():
    token = sign_token(host=HOST, port=5432, user="app")

    assert token.startswith(f"{HOST}:5432/?")
    assert {"Action": "connect", "DBUser": "app", "X-Amz-Expires": "900"}.items() <= query_of(token).items()


def test_it_carries_the_session_of_the_role(monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")

    assert query_of(sign_token(host=HOST, port=5432, user="app"))["X-Amz-Security-Token"] == "session"


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"])
def test_without_credentials_or_region_the_error_says_so(monkeypatch, name):
    monkeypatch.delenv(name)

    with pytest.raises(MissingCredentialsError, match="no AWS credentials or region"):
        sign_token(host=HOST, port=5432, user="app")
