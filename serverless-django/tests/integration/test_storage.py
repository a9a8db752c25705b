"""Django's storages on S3: the server reads and writes, the client uploads within a policy."""

import base64
import io
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.s3.bucket import BucketStorage
from serverless_django.s3.storage import S3Storage

KEY = "pictures/019ab000-0000-7000-8000-00000000000d"


@pytest.fixture
def form(buckets):
    return storages["uploads"].presigned_post(
        KEY, content_type="image/jpeg", max_bytes=1_000, expires_in=timedelta(minutes=5)
    )


def post(form, content):
    """POST as a browser does: the fields, then the file."""
    boundary = uuid4().hex
    body = io.BytesIO()
    for name, value in form["fields"].items():
        body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode())
    body.write(content + f"\r\n--{boundary}--\r\n".encode())
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], body.getvalue(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.status


def policy_of(form):
    return json.loads(base64.b64decode(form["fields"]["policy"]))


def test_what_is_saved_is_read_back(buckets):
    name = storages["media"].save("renditions/a.webp", ContentFile(b"pixels"))

    with storages["media"].open(name) as file:
        assert file.read() == b"pixels"


def test_an_object_that_is_gone_is_not_found(buckets):
    with pytest.raises(FileNotFoundError):
        storages["media"].open(f"{uuid4()}")


def test_its_url_can_be_fetched_without_credentials_of_ours(buckets):
    name = storages["media"].save("renditions/b.webp", ContentFile(b"pixels"))

    with urllib.request.urlopen(storages["media"].url(name), timeout=10) as response:
        assert response.read() == b"pixels"


def test_a_url_is_signed_and_ends(buckets):
    url = storages["media"].url("renditions/a.webp")

    assert "X-Amz-Signature=" in url
    assert "X-Amz-Expires=3600" in url


def test_a_url_names_the_region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    storage = S3Storage(bucket_name="dev-uploads")

    form = storage.presigned_post("a", content_type="image/jpeg", max_bytes=1, expires_in=timedelta(minutes=5))

    assert form["url"] == "https://dev-uploads.s3.eu-central-1.amazonaws.com/"
    assert storage.url("a").startswith("https://dev-uploads.s3.eu-central-1.amazonaws.com/a?")


def test_a_client_uploads_what_the_policy_allows(form):
    assert post(form, b"jpeg") in {200, 204}

    assert storages["uploads"].size(KEY) == 4


@pytest.mark.parametrize("content", [b"", b"x" * 1_001])
def test_a_file_of_another_size_is_refused(form, content):
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        post(form, content)
    refused.value.close()


def test_the_policy_binds_key_type_and_size(form):
    conditions = policy_of(form)["conditions"]

    assert {"key": KEY} in conditions
    assert {"Content-Type": "image/jpeg"} in conditions
    assert ["content-length-range", 1, 1_000] in conditions
    assert {"bucket": "test-uploads"} in conditions
    assert "starts-with" not in str(conditions)


def test_the_policy_ends_when_asked(form):
    ends = datetime.fromisoformat(policy_of(form)["expiration"])

    assert abs(ends - datetime.now(UTC) - timedelta(minutes=5)) < timedelta(seconds=30)


def test_every_header_of_a_request_to_upload_is_signed(buckets):
    put = storages["uploads"].presigned_put("a//b", content_type="a/b", size=7, expires_in=timedelta(minutes=5))

    signed = parse_qs(urlsplit(put["url"]).query)
    assert set(signed["X-Amz-SignedHeaders"][0].split(";")) == {"host", *map(str.lower, put["headers"])}
    assert (signed["X-Amz-Expires"], urlsplit(put["url"]).path[-5:]) == (["300"], "/a//b")


def test_the_client_is_told_the_fields_to_send(form):
    assert form["fields"]["key"] == KEY
    assert form["fields"]["Content-Type"] == "image/jpeg"


def test_credentials_that_are_renewed_are_used(buckets, monkeypatch):
    """A copy of the credentials, as the base class makes it, would end with the first hour of an environment."""
    storage = storages["uploads"]

    assert (storage.access_key, storage.secret_key, storage.security_token) == (None, None, None)


# Keys of S3 are bytes, not paths.
ODD_KEYS = ["invoices//2026/a.pdf", "a/b/", "/a", "a\\b", "//", "é+ &%2F?#=~", "a b//c", " ", "a/./b", "a/../b", ".."]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_object_is_read_under_the_very_key_that_was_announced(buckets, key):
    storage, client = storages["uploads"], boto3.client("s3")
    etag = client.put_object(Bucket=buckets["uploads"], Key=key, Body=b"bytes")["ETag"].strip('"')

    with storage.open(key) as file, storage.open_version(key, f"etag:{etag}") as version:
        assert (file.read(), version.read()) == (b"bytes", b"bytes")
    assert (storage.exists(key), storage.size(key), storage.get_modified_time(key) is None) == (True, 5, False)
    storage.delete(key)
    assert not storage.exists(key)


@pytest.mark.parametrize("key", ODD_KEYS[:-3])
def test_a_link_leads_to_the_very_key(buckets, key):
    boto3.client("s3").put_object(Bucket=buckets["uploads"], Key=key, Body=b"bytes")

    with urllib.request.urlopen(storages["uploads"].url(key), timeout=10) as response:
        assert response.read() == b"bytes"


@pytest.mark.parametrize("key", ODD_KEYS[-3:])
def test_no_link_is_made_that_clients_would_resolve_to_another_key(buckets, key):
    with pytest.raises(SuspiciousOperation, match="no URL can name"):
        storages["uploads"].url(key)


@pytest.mark.parametrize("key", ["a//b.pdf", "a/./b", "a\\b"])
def test_what_is_saved_has_the_very_name(buckets, key):
    assert storages["media"].save(key, ContentFile(b"bytes")) == key

    head = boto3.client("s3").head_object(Bucket=buckets["media"], Key=key)
    assert head["ContentLength"] == 5


def test_a_folder_lists_what_is_under_its_very_name(buckets):
    for key in ("list/a", "list//b", "list/c/d", "listed"):
        boto3.client("s3").put_object(Bucket=buckets["media"], Key=key, Body=b"")

    assert storages["media"].listdir("list") == (["", "c"], ["a"])
    assert storages["media"].listdir("list//") == ([], ["b"])


class AskedForError(Exception):
    """Instead of a request, with its key."""


def test_no_key_is_changed_on_its_way_to_s3():
    storage = BucketStorage(bucket_name="bucket")

    def stop(params, **kwargs):
        raise AskedForError(params["Key"])

    storage.connection.meta.client.meta.events.register("before-parameter-build.s3", stop)

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
    def check(key):
        for ask in (
            storage.open, storage.exists, storage.size, storage.delete, storage.get_modified_time,
            lambda key: storage.open_version(key, ""), lambda key: storage._save(key, ContentFile(b"")),
        ):  # fmt: skip
            with pytest.raises(AskedForError) as asked:
                ask(key)
            assert asked.value.args == (key,)

    check()
