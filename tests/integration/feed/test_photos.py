from io import BytesIO
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from PIL import Image

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo
from lambda_app.apps.feed.services import photos, renditions
from lambda_app.apps.feed.services.renderings import MAX_ATTEMPTS
from tests.integration.feed.conftest import key_of, make_image, make_member, make_photo, upload
from tests.integration.feed.lives_of_photos import age, kill_workers, media_names, open_upload, read, render

pytestmark = pytest.mark.django_db


def test_an_upload_is_bound_to_one_key_one_type_one_length_and_one_file(ada):
    ticket = open_upload(ada, "image/png", 4_711)

    photo_id = ticket["photo"]["id"]
    assert ticket["photo"]["state"] == "pending"
    assert ticket["url"].endswith(f"/photos/{make_member('ada').id}/{photo_id}")
    assert ticket["headers"] == {"Content-Type": "image/png", "Content-Length": "4711", "If-None-Match": "*"}


@pytest.mark.parametrize("size", [0, -1, 10 * 1024 * 1024 + 1, 2**63, 1.5, True, "1000", None])
def test_a_length_that_no_photo_may_have_is_refused(ada, size):
    response = ada.post("/v1/photos", {"content_type": "image/png", "size": size}, content_type="application/json")

    assert (response.status_code, Photo.objects.count()) == (422, 0)


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/gif", "text/html", "", None, "image/jpeg\x00"])
def test_a_type_that_is_not_on_the_list_is_refused(ada, content_type):
    response = ada.post("/v1/photos", {"content_type": content_type, "size": 1}, content_type="application/json")

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

    tasks.render_photo.call(bucket="uploads", key=key_of(photo_id))

    assert (read(ada, photo_id), media_names()) == (first, names)


def test_two_runs_at_once_leave_the_objects_of_one(ada, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    publish = renditions.publish

    def publish_late(photo, upload):
        monkeypatch.setattr(renditions, "publish", publish)
        storages["uploads"].delete(key_of(photo_id))
        render(photo_id, make_image(size=(300, 300)))
        publish(photo, upload)

    monkeypatch.setattr(renditions, "publish", publish_late)
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
    storages["uploads"].delete(key_of(photo_id))

    render(photo_id, make_image())

    assert read(ada, photo_id)["state"] == "rejected"


@pytest.mark.parametrize(
    "key",
    ["photos/x", "photos/", "x", f"photos/{uuid4()}", f"other/{uuid4()}", "photos/a/b"],
    ids=["no id", "no name", "no folder", "unknown id", "other folder", "folder in folder"],
)
def test_an_object_that_belongs_to_no_photo_does_nothing(key):
    tasks.render_photo.call(bucket="uploads", key=key)

    assert not Photo.objects.exists()


def test_a_photo_whose_file_is_gone_stays_pending(ada):
    photo_id = open_upload(ada)["photo"]["id"]

    tasks.render_photo.call(bucket="uploads", key=key_of(photo_id))

    assert read(ada, photo_id)["state"] == "pending"
    assert Photo.objects.get().attempts == 0


def test_a_storage_that_fails_is_left_to_the_queue_to_retry(ada, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    key = upload(photo_id, make_image())
    monkeypatch.setattr(storages["media"], "save", Mock(side_effect=ConnectionError("away")))

    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(ConnectionError):
            tasks.render_photo.call(bucket="uploads", key=key)

    assert read(ada, photo_id)["state"] == "pending"
    assert Photo.objects.get().attempts == 0


def test_others_see_a_photo_only_once_a_post_shows_it(ada, bob):
    photo = make_photo(make_member("ada"))
    before = bob.get(f"/v1/photos/{photo.id}").status_code

    ada.post("/v1/posts", {"photo_id": str(photo.id)}, content_type="application/json")

    assert (before, bob.get(f"/v1/photos/{photo.id}").status_code) == (404, 200)


def test_a_photo_whose_worker_was_killed_twice_is_rendered_all_the_same(ada, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    key = kill_workers(photo_id, monkeypatch, times=MAX_ATTEMPTS - 1)

    tasks.render_photo.call(bucket="uploads", key=key)

    assert read(ada, photo_id)["state"] == "ready"


def test_what_another_file_has_replaced_is_not_rendered(ada):
    photo_id = open_upload(ada)["photo"]["id"]
    key = upload(photo_id, make_image())
    announced = storages["uploads"].version_of(key)
    storages["uploads"].delete(key)
    upload(photo_id, make_image(size=(300, 300)))

    tasks.render_photo.call(bucket="uploads", key=key, version=announced)
    before = read(ada, photo_id)["state"]
    tasks.render_photo.call(bucket="uploads", key=key, version=storages["uploads"].version_of(key))

    assert (before, read(ada, photo_id)["width"]) == ("pending", 300)


def test_the_key_of_another_member_renders_nothing(ada):
    photo_id = open_upload(ada)["photo"]["id"]
    key = storages["uploads"].save(f"photos/{make_member('bob').id}/{photo_id}", ContentFile(make_image()))

    tasks.render_photo.call(bucket="uploads", key=key)

    assert read(ada, photo_id)["state"] == "pending"


def test_a_member_who_asks_for_too_many_uploads_is_told_when_to_come_back(ada, bob, monkeypatch):
    monkeypatch.setattr(photos, "MAX_UPLOADS", 2)
    for _ in range(2):
        open_upload(ada)

    refused = ada.post("/v1/photos", {"content_type": "image/jpeg", "size": 1}, content_type="application/json")

    assert (refused.status_code, Photo.objects.count()) == (429, 2)
    assert 3590 <= int(refused["Retry-After"]) <= 3600
    assert open_upload(bob)["photo"]["state"] == "pending"


def test_uploads_of_an_hour_ago_count_no_more(ada, monkeypatch):
    monkeypatch.setattr(photos, "MAX_UPLOADS", 1)
    open_upload(ada)
    age(Photo.objects.get(), minutes=61)

    assert open_upload(ada)["photo"]["state"] == "pending"


def test_a_photo_and_its_post_show_the_placeholder(ada):
    photo_id = open_upload(ada)["photo"]["id"]
    render(photo_id, make_image())

    post = ada.post("/v1/posts", {"photo_id": photo_id}, content_type="application/json").json()

    assert len(read(ada, photo_id)["placeholder"]) == 28
    assert post["photo"]["placeholder"] == read(ada, photo_id)["placeholder"]
