"""Without S3 a folder stands in, with the same interface."""

from datetime import timedelta

from django.core.files.base import ContentFile

from serverless_django.s3.storage import FolderStorage


def test_the_form_has_the_fields_that_s3_would_want(tmp_path):
    storage = FolderStorage(location=tmp_path, base_url="/objects/uploads/")

    form = storage.presigned_post("pictures/a", content_type="image/png", max_bytes=9, expires_in=timedelta(minutes=5))

    assert form == {"url": "/objects/uploads/", "fields": {"key": "pictures/a", "Content-Type": "image/png"}}


def test_the_request_has_the_headers_that_s3_would_want(tmp_path):
    storage = FolderStorage(location=tmp_path, base_url="/objects/uploads/")

    put = storage.presigned_put("pictures/a", content_type="image/png", size=9, expires_in=timedelta(minutes=5))

    assert put["url"] == "/objects/uploads/pictures/a"
    assert put["headers"] == {"Content-Type": "image/png", "Content-Length": "9", "If-None-Match": "*"}


def test_an_upload_is_what_is_saved_under_the_key(tmp_path):
    storage = FolderStorage(location=tmp_path, base_url="/objects/uploads/", allow_overwrite=True)

    names = {storage.save("pictures/a", ContentFile(content)) for content in (b"first", b"second")}

    assert names == {"pictures/a"}
    assert (tmp_path / "pictures" / "a").read_bytes() == b"second"
