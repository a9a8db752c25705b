from datetime import timedelta
from io import BytesIO
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo, Post
from lambda_app.apps.feed.services import photos, renditions
from lambda_app.apps.feed.services.photos import LATE_AFTER, MAX_ATTEMPTS
from tests.integration.feed.conftest import key_of, make_image, make_member, make_photo, make_post, upload

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
    """Let time pass for the photo."""
    then = timezone.now() - timedelta(**ago)
    Photo.objects.filter(id=photo.id).update(created_at=then, check_after=then + LATE_AFTER)


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
    key = f"photos/{make_member('ada').id}/{photo_id}"
    assert ticket["fields"] == {"key": key, "Content-Type": "image/png", "max": "10485760"}


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


@pytest.mark.parametrize("key", ["photos/x", "photos/", "x", f"photos/{uuid4()}", f"other/{uuid4()}", "photos/a/b"])
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


def kill_workers(photo_id, monkeypatch, *, times):
    """Render as often, in workers that die of it: they neither finish nor give anything back."""
    key = upload(photo_id, make_image())
    with monkeypatch.context() as dying:
        dying.setattr(renditions, "publish", Mock(side_effect=KeyboardInterrupt))
        for _ in range(times):
            with pytest.raises(KeyboardInterrupt):
                tasks.render_photo.call(bucket="uploads", key=key)
    return key


def test_a_photo_that_kills_its_workers_is_left_alone_and_then_given_up(ada, queue, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    key = kill_workers(photo_id, monkeypatch, times=MAX_ATTEMPTS)

    tasks.render_photo.call(bucket="uploads", key=key)
    before = read(ada, photo_id)["state"]
    age(Photo.objects.get(), minutes=11)
    tasks.expire_abandoned_photos.call()

    assert (before, read(ada, photo_id)["state"]) == ("pending", "rejected")
    assert (read(ada, photo_id)["reason"], queue.calls) == ("the photo could not be processed", [])


def test_a_photo_whose_worker_was_killed_twice_is_rendered_all_the_same(ada, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    key = kill_workers(photo_id, monkeypatch, times=MAX_ATTEMPTS - 1)

    tasks.render_photo.call(bucket="uploads", key=key)

    assert read(ada, photo_id)["state"] == "ready"


def test_the_sweep_looks_again_after_twice_the_time(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)
    upload(photo.id, make_image())
    age(photo, minutes=40)

    for _ in range(2):
        tasks.expire_abandoned_photos.call()

    assert len(queue.calls) == 1
    photo.refresh_from_db()
    assert photo.check_after - timezone.now() == pytest.approx(timedelta(minutes=40), abs=timedelta(seconds=5))


def test_an_outage_of_hours_loses_no_photo(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)
    upload(photo.id, make_image())
    age(photo, hours=20)

    tasks.expire_abandoned_photos.call()
    queue.run()

    assert read(ada, photo.id)["state"] == "ready"


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

    refused = ada.post("/v1/photos", {"content_type": "image/jpeg"}, content_type="application/json")

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


def test_what_a_killed_run_left_goes_with_its_photo(ada):
    photo = make_photo(make_member("ada"), state=Photo.State.REJECTED)
    storages["media"].save(f"photos/{photo.id}/320-0.webp", ContentFile(b"never named"))
    age(photo, hours=25)

    tasks.expire_abandoned_photos.call()

    assert media_names() == set()


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
