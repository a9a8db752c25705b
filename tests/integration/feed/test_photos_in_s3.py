"""The way of a photo through the storage that is deployed, against the emulator of S3."""

from datetime import timedelta
from io import BytesIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.utils import timezone
from PIL import Image

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo
from tests.integration.feed.conftest import key_of, make_image

MINUTE = timedelta(minutes=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("buckets")]


def put(ticket, data, **headers):
    """Upload as a phone does, and return the status."""
    request = Request(ticket["url"], data=data, method="PUT", headers=ticket["headers"] | headers)
    try:
        with urlopen(request, timeout=10) as response:
            return response.status
    except HTTPError as error:
        with error:
            return error.code


def open_upload(client, data=b""):
    body = {"content_type": "image/jpeg", "size": len(data) or 1}
    return client.post("/v1/photos", body, content_type="application/json").json()


def upload(client, data):
    ticket = open_upload(client, data)
    assert put(ticket, data) == 200
    return ticket


def render(ticket, version=""):
    tasks.render_photo.call(bucket="uploads", key=key_of(ticket["photo"]["id"]), version=version)


def read(client, ticket):
    return client.get(f"/v1/photos/{ticket['photo']['id']}").json()


def test_an_upload_comes_back_as_renditions(ada):
    ticket = upload(ada, make_image(size=(2000, 1500)))

    render(ticket)

    photo = read(ada, ticket)
    assert photo["state"] == "ready"
    for rendition in photo["renditions"]:
        with urlopen(rendition["url"], timeout=10) as response:
            assert Image.open(BytesIO(response.read())).size == (rendition["width"], rendition["height"])
            assert response.headers["Content-Type"] == "image/webp"


@pytest.mark.nightly
def test_rendering_again_changes_nothing(ada):
    ticket = upload(ada, make_image())
    render(ticket)
    before = [each["url"].split("?")[0] for each in read(ada, ticket)["renditions"]]

    render(ticket)

    assert [each["url"].split("?")[0] for each in read(ada, ticket)["renditions"]] == before


def test_an_object_that_is_gone_does_nothing(ada):
    ticket = open_upload(ada)

    render(ticket)

    assert read(ada, ticket)["state"] == "pending"


def test_the_sweep_finds_what_came_and_what_did_not(ada, queue):
    came, missing = upload(ada, make_image()), open_upload(ada)
    Photo.objects.update(check_after=timezone.now())

    tasks.expire_abandoned_photos.call()
    queue.run()

    assert (read(ada, came)["state"], read(ada, missing)["state"]) == ("ready", "rejected")


def test_renditions_of_a_deleted_photo_are_gone(ada, queue, monkeypatch):
    ticket = upload(ada, make_image())
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
