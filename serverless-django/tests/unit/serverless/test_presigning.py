"""Our signatures are botocore's, for any key, and a token for the database never loads it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from django.core.exceptions import SuspiciousOperation
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.presigning import Signer
from serverless_django.s3 import storage as storage_module
from serverless_django.s3.bucket import BucketStorage
from serverless_django.s3.storage import S3Storage

FROZEN = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
BUCKET = "dev-media"

KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)


@pytest.fixture
def _frozen(monkeypatch):
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: FROZEN)
    monkeypatch.setattr(storage_module, "utc_now", lambda: FROZEN)


@pytest.fixture
def _fresh_boto3(monkeypatch):
    """A default session of an earlier test would remember the region of that test."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def parts_of(url):
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path, parse_qs(parts.query)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566", "http://s3.localhost:4566/", "https://a.example/s3"])
@pytest.mark.parametrize("bucket", [BUCKET, "dotted.name"])
@pytest.mark.usefixtures("_frozen", "_fresh_boto3")
@pytest.mark.daily(4)
def test_a_url_is_botocores_in_every_region_and_at_every_endpoint(monkeypatch, region, endpoint, bucket):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_REGION", region)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    name = "pictures/1 é+&=?#%.webp"

    assert parts_of(S3Storage(bucket_name=bucket).url(name)) == parts_of(BucketStorage(bucket_name=bucket).url(name))


@pytest.mark.usefixtures("_frozen", "_fresh_boto3")
def test_a_url_is_botocores_for_every_key():
    ours, theirs = S3Storage(bucket_name=BUCKET), BucketStorage(bucket_name=BUCKET)

    @given(KEYS)
    def check(key):
        assert outcome(ours, key) == outcome(theirs, key)

    check()


def outcome(storage, key):
    try:
        return parts_of(storage.url(key))
    except (SuspiciousOperation, ValueError) as error:
        return isinstance(error, SuspiciousOperation)


@pytest.mark.usefixtures("_frozen", "_fresh_boto3")
def test_the_session_of_a_role_is_part_of_the_url(monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a/token+=")

    url = S3Storage(bucket_name=BUCKET).url("key")

    assert parts_of(url) == parts_of(BucketStorage(bucket_name=BUCKET).url("key"))
    assert parts_of(url)[3]["X-Amz-Security-Token"] == ["a/token+="]


@pytest.mark.usefixtures("_frozen", "_fresh_boto3")
@pytest.mark.parametrize(
    "options", [{"custom_domain": "cdn.example.com"}, {"location": "a"}, {"querystring_expire": 9}]
)
def test_what_is_out_of_the_ordinary_is_left_to_django_storages(options):
    options |= {"bucket_name": BUCKET}

    assert S3Storage(**options).url("key") == BucketStorage(**options).url("key")


def test_it_becomes_the_storage_of_django_storages():
    storage = S3Storage(bucket_name=BUCKET)

    assert isinstance(storage, BucketStorage)
    assert storage.bucket_name == BUCKET


def test_a_link_and_a_token_load_no_botocore():
    program = """
import sys
from django.conf import settings
storage = {"BACKEND": "serverless_django.s3.storage.S3Storage", "OPTIONS": {"bucket_name": "dev-media"}}
settings.configure(STORAGES={"media": storage})
from django.core.files.storage import storages
from serverless_django.postgresql.iam_password import sign_token
storages["media"].url("key"), sign_token(host="h", port=1, user="app")
print(sorted({"boto3", "botocore"} & set(sys.modules)))
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_signer_shows_no_secret():
    signer = Signer(access_key="AKIA", secret_key="hidden", token="concealed", region="eu-central-1")

    assert "hidden" not in repr(signer)
    assert "concealed" not in repr(signer)


@pytest.mark.usefixtures("_fresh_boto3")
def test_a_url_stays_the_same_for_half_its_life(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    urls = []
    for moment in (FROZEN, FROZEN + timedelta(minutes=29, seconds=59), FROZEN + timedelta(minutes=30)):
        monkeypatch.setattr(storage_module, "utc_now", lambda moment=moment: moment)
        urls.append(S3Storage(bucket_name=BUCKET).url("key"))

    assert urls[0] == urls[1] != urls[2]
    assert "X-Amz-Expires=3600" in urls[1]
