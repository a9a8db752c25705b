"""Django's storages on S3: the server reads and writes, the client uploads within a policy."""

import base64
import io
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from lambda_app.serverless.objects.storage import S3Storage

KEY = "photos/019ab000-0000-7000-8000-00000000000d"


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
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post(form, content)


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


def test_the_client_is_told_the_fields_to_send(form):
    assert form["fields"]["key"] == KEY
    assert form["fields"]["Content-Type"] == "image/jpeg"


def test_credentials_that_are_renewed_are_used(buckets, monkeypatch):
    """A copy of the credentials, as the base class makes it, would end with the first hour of an environment."""
    storage = storages["uploads"]

    assert (storage.access_key, storage.secret_key, storage.security_token) == (None, None, None)
