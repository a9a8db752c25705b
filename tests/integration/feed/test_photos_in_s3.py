"""The way of a photo through the storage that is deployed, against the emulator of S3."""

from datetime import timedelta
from io import BytesIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone
from PIL import Image

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import MAX_UPLOAD_BYTES, Photo
from tests.integration.feed.conftest import make_image

MINUTE = timedelta(minutes=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("buckets")]


def send_form(ticket, data):
    """Upload as a phone does, and return the status."""
    body = encode_multipart(BOUNDARY, ticket["fields"] | {"file": SimpleUploadedFile("IMG_1.jpg", data)})
    request = Request(ticket["url"], data=body, headers={"Content-Type": MULTIPART_CONTENT})
    try:
        with urlopen(request, timeout=10) as response:
            return response.status
    except HTTPError as error:
        with error:
            return error.code


def open_upload(client):
    return client.post("/v1/photos", {"content_type": "image/jpeg"}, content_type="application/json").json()


def render(ticket, version=""):
    tasks.render_photo.call(bucket="uploads", key=ticket["fields"]["key"], version=version)


def read(client, ticket):
    return client.get(f"/v1/photos/{ticket['photo']['id']}").json()


def test_an_upload_comes_back_as_renditions(ada):
    ticket = open_upload(ada)

    status = send_form(ticket, make_image(size=(2000, 1500)))
    render(ticket)

    photo = read(ada, ticket)
    assert (status, photo["state"]) == (204, "ready")
    for rendition in photo["renditions"]:
        with urlopen(rendition["url"], timeout=10) as response:
            assert Image.open(BytesIO(response.read())).size == (rendition["width"], rendition["height"])
            assert response.headers["Content-Type"] == "image/webp"


def test_rendering_again_changes_nothing(ada):
    ticket = open_upload(ada)
    send_form(ticket, make_image())
    render(ticket)
    before = [each["url"].split("?")[0] for each in read(ada, ticket)["renditions"]]

    render(ticket)

    assert [each["url"].split("?")[0] for each in read(ada, ticket)["renditions"]] == before


def test_a_file_over_the_limit_is_not_taken(ada):
    ticket = open_upload(ada)

    assert send_form(ticket, bytes(MAX_UPLOAD_BYTES + 1)) >= 400


def test_an_object_that_was_replaced_is_left_to_its_own_event(ada):
    ticket = open_upload(ada)
    send_form(ticket, make_image(size=(400, 300)))
    announced = etag_of(ticket)
    send_form(ticket, make_image(size=(200, 150)))

    render(ticket, version=announced)
    before = read(ada, ticket)["state"]
    render(ticket, version=etag_of(ticket))

    assert (before, read(ada, ticket)["width"]) == ("pending", 200)


def etag_of(ticket):
    uploads = storages["uploads"]
    return "etag:" + uploads.connection.Object(uploads.bucket_name, ticket["fields"]["key"]).e_tag.strip('"')


def test_an_object_that_is_gone_does_nothing(ada):
    ticket = open_upload(ada)

    render(ticket)

    assert read(ada, ticket)["state"] == "pending"


def test_the_sweep_finds_what_came_and_what_did_not(ada, queue):
    came, missing = open_upload(ada), open_upload(ada)
    send_form(came, make_image())
    Photo.objects.update(check_after=timezone.now())

    tasks.expire_abandoned_photos.call()
    queue.run()

    assert (read(ada, came)["state"], read(ada, missing)["state"]) == ("ready", "rejected")


def test_renditions_of_a_deleted_photo_are_gone(ada, queue, monkeypatch):
    ticket = open_upload(ada)
    send_form(ticket, make_image())
    render(ticket)
    monkeypatch.setattr("lambda_app.apps.feed.services.abandoned_photos.UNPOSTED_LIFETIME", -MINUTE)
    Photo.objects.update(check_after=timezone.now())
    addresses = [each["url"] for each in read(ada, ticket)["renditions"]]

    tasks.expire_abandoned_photos.call()
    queue.run()

    for address in addresses:
        with pytest.raises(HTTPError) as refused:
            urlopen(address, timeout=10)
        refused.value.close()
        assert refused.value.code == 404
