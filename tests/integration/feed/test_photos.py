from datetime import timedelta
from io import BytesIO
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo, Post
from lambda_app.apps.feed.services import photos
from tests.integration.feed.conftest import make_image, make_member, make_photo, make_post, upload

pytestmark = pytest.mark.django_db


def open_upload(client, content_type="image/jpeg"):
    response = client.post("/v1/photos", {"content_type": content_type}, content_type="application/json")
    assert response.status_code == 201
    return response.json()


def render(photo_id, data):
    tasks.render_photo.call(bucket="uploads", key=upload(photo_id, data))


def read(client, photo_id):
    return client.get(f"/v1/photos/{photo_id}").json()


def age(photo, **ago):
    Photo.objects.filter(id=photo.id).update(created_at=timezone.now() - timedelta(**ago))


def media_names():
    """Return the names of all objects in the media storage."""
    storage = storages["media"]
    if not storage.exists("photos"):
        return set()
    folders = storage.listdir("photos")[0]
    return {f"photos/{folder}/{name}" for folder in folders for name in storage.listdir(f"photos/{folder}")[1]}


def test_an_upload_is_bound_to_one_key_one_type_and_ten_megabytes(ada):
    ticket = open_upload(ada, "image/png")

    photo_id = ticket["photo"]["id"]
    assert ticket["photo"]["state"] == "pending"
    assert ticket["fields"] == {"key": f"photos/{photo_id}", "Content-Type": "image/png", "max": "10485760"}


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/gif", "text/html", "", None, "image/jpeg\x00"])
def test_a_type_that_is_not_on_the_list_is_refused(ada, content_type):
    response = ada.post("/v1/photos", {"content_type": content_type}, content_type="application/json")

    assert response.status_code == 422
    assert not Photo.objects.exists()


def test_an_uploaded_photo_becomes_ready_with_renditions(ada):
    photo_id = open_upload(ada)["photo"]["id"]

    render(photo_id, make_image(size=(2000, 1000)))

    photo = read(ada, photo_id)
    assert (photo["state"], photo["width"], photo["height"]) == ("ready", 2000, 1000)
    assert [(each["width"], each["height"]) for each in photo["renditions"]] == [(1080, 540), (640, 320), (320, 160)]


def test_the_renditions_are_webp_objects_at_their_addresses(ada):
    photo_id = open_upload(ada)["photo"]["id"]

    render(photo_id, make_image(size=(400, 400)))

    addresses = [each["url"].removeprefix("https://media.invalid/") for each in read(ada, photo_id)["renditions"]]
    assert set(addresses) == media_names()
    assert {Image.open(BytesIO(storages["media"].open(name).read())).format for name in addresses} == {"WEBP"}


def test_rendering_twice_is_rendering_once(ada):
    photo_id = open_upload(ada)["photo"]["id"]
    render(photo_id, make_image())
    first, names = read(ada, photo_id), media_names()

    tasks.render_photo.call(bucket="uploads", key=f"photos/{photo_id}")

    assert (read(ada, photo_id), media_names()) == (first, names)


def test_two_runs_at_once_leave_the_objects_of_one(ada, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    publish = photos._publish

    def publish_late(photo, rendering):
        monkeypatch.setattr(photos, "_publish", publish)
        storages["uploads"].delete(f"photos/{photo_id}")
        render(photo_id, make_image(size=(300, 300)))
        publish(photo, rendering)

    monkeypatch.setattr(photos, "_publish", publish_late)
    render(photo_id, make_image(size=(500, 500)))

    assert read(ada, photo_id)["width"] == 300
    assert len(media_names()) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"I am no picture", "the file is not a JPEG, PNG or WebP image"),
        (b"", "the file is not a JPEG, PNG or WebP image"),
        (make_image(kind="PNG"), "the file was announced as image/jpeg but is image/png"),
        (make_image()[:-200], "the image is damaged and cannot be read"),
        (b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), "the file is larger than 10 MB"),
    ],
    ids=["text", "empty", "lying type", "truncated", "too long"],
)
def test_a_bad_file_is_rejected_with_a_reason_that_its_owner_reads(ada, data, reason):
    photo_id = open_upload(ada)["photo"]["id"]

    render(photo_id, data)

    photo = read(ada, photo_id)
    assert (photo["state"], photo["reason"], photo["renditions"]) == ("rejected", reason, [])


def test_a_rejected_photo_stays_rejected_whatever_comes_later(ada):
    photo_id = open_upload(ada)["photo"]["id"]
    render(photo_id, b"text")
    storages["uploads"].delete(f"photos/{photo_id}")

    render(photo_id, make_image())

    assert read(ada, photo_id)["state"] == "rejected"


@pytest.mark.parametrize("key", ["photos/x", "photos/", "x", f"photos/{uuid4()}", f"other/{uuid4()}", "photos/a/b"])
def test_an_object_that_belongs_to_no_photo_does_nothing(key):
    tasks.render_photo.call(bucket="uploads", key=key)

    assert not Photo.objects.exists()


def test_a_photo_whose_file_is_gone_stays_pending(ada):
    photo_id = open_upload(ada)["photo"]["id"]

    tasks.render_photo.call(bucket="uploads", key=f"photos/{photo_id}")

    assert read(ada, photo_id)["state"] == "pending"


def test_a_storage_that_fails_is_left_to_the_queue_to_retry(ada, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    key = upload(photo_id, make_image())
    monkeypatch.setattr(storages["media"], "save", Mock(side_effect=ConnectionError("away")))

    with pytest.raises(ConnectionError):
        tasks.render_photo.call(bucket="uploads", key=key)

    assert read(ada, photo_id)["state"] == "pending"


def test_others_see_a_photo_only_once_a_post_shows_it(ada, bob):
    photo = make_photo(make_member("ada"))
    before = bob.get(f"/v1/photos/{photo.id}").status_code

    ada.post("/v1/posts", {"photo_id": str(photo.id)}, content_type="application/json")

    assert (before, bob.get(f"/v1/photos/{photo.id}").status_code) == (404, 200)


def test_the_sweep_rejects_a_photo_whose_file_never_came(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)
    age(photo, minutes=11)

    tasks.expire_abandoned_photos.call()

    assert read(ada, photo.id)["reason"] == "no file was uploaded in time"
    assert queue.calls == []


def test_the_sweep_renders_a_photo_whose_event_was_lost(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)
    upload(photo.id, make_image())
    age(photo, minutes=11)

    tasks.expire_abandoned_photos.call()
    queue.run(times=2)

    assert read(ada, photo.id)["state"] == "ready"


def test_the_sweep_gives_up_on_a_photo_after_an_hour(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)
    upload(photo.id, make_image())
    age(photo, minutes=61)

    tasks.expire_abandoned_photos.call()

    assert (read(ada, photo.id)["reason"], queue.calls) == ("the photo could not be processed", [])


def test_the_sweep_leaves_a_young_photo_alone(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)

    tasks.expire_abandoned_photos.call()

    assert (read(ada, photo.id)["state"], queue.calls) == ("pending", [])


def test_the_sweep_deletes_what_no_post_shows_after_a_day(ada):
    photo_id = open_upload(ada)["photo"]["id"]
    render(photo_id, make_image())
    age(Photo.objects.get(), hours=25)

    for _ in range(2):
        tasks.expire_abandoned_photos.call()

    assert (Photo.objects.count(), media_names()) == (0, set())


def test_the_sweep_spares_what_a_post_shows():
    post = make_post("ada")
    age(post.photo, days=400)

    tasks.expire_abandoned_photos.call()

    assert Post.objects.get().photo == post.photo


def test_the_photo_of_a_deleted_post_goes_with_the_next_sweep(ada):
    post = make_post("ada")
    age(post.photo, days=2)
    ada.delete(f"/v1/posts/{post.id}")

    tasks.expire_abandoned_photos.call()

    assert not Photo.objects.exists()
