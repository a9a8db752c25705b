"""The sweep of photos that no post shows."""

import random
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo, Post
from lambda_app.apps.feed.services import abandoned_photos
from lambda_app.apps.feed.services.abandoned_photos import MAX_FAILURES
from lambda_app.apps.feed.services.renderings import MAX_ATTEMPTS
from tests.integration.feed.conftest import key_of, make_image, make_member, make_photo, make_post, upload
from tests.integration.feed.lives_of_photos import age, kill_workers, media_names, open_upload, read, render

pytestmark = pytest.mark.django_db


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


def test_a_photo_that_kills_its_workers_is_left_alone_and_then_given_up(ada, queue, monkeypatch):
    photo_id = open_upload(ada)["photo"]["id"]
    key = kill_workers(photo_id, monkeypatch, times=MAX_ATTEMPTS)

    tasks.render_photo.call(bucket="uploads", key=key)
    before = read(ada, photo_id)["state"]
    age(Photo.objects.get(), minutes=11)
    tasks.expire_abandoned_photos.call()

    assert (before, read(ada, photo_id)["state"]) == ("pending", "rejected")
    assert (read(ada, photo_id)["reason"], queue.calls) == ("the photo could not be processed", [])


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


def test_what_a_killed_run_left_goes_with_its_photo(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.REJECTED)
    storages["media"].save(f"photos/{photo.id}/320-0.webp", ContentFile(b"never named"))
    age(photo, hours=25)

    tasks.expire_abandoned_photos.call()
    queue.run()

    assert media_names() == set()


def test_the_sweep_leaves_a_young_photo_alone(ada, queue):
    photo = make_photo(make_member("ada"), state=Photo.State.PENDING)

    tasks.expire_abandoned_photos.call()

    assert (read(ada, photo.id)["state"], queue.calls) == ("pending", [])


def test_the_sweep_deletes_what_no_post_shows_after_a_day(ada, queue):
    photo_id = open_upload(ada)["photo"]["id"]
    render(photo_id, make_image())
    age(Photo.objects.get(), hours=25)

    for _ in range(2):
        tasks.expire_abandoned_photos.call()
    queue.run(times=2)

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


@pytest.fixture
def failing(monkeypatch):
    """Keys of uploads for which the storage fails."""
    keys, exists = set(), storages["uploads"].exists

    def fail_or_tell(name):
        if name in keys:
            raise ConnectionError(name)
        return exists(name)

    monkeypatch.setattr(storages["uploads"], "exists", fail_or_tell)
    return keys


def make_late(number, *, minutes=11):
    """Make pending photos without files, the first of them the longest ago."""
    photos = [make_photo(make_member("ada"), state=Photo.State.PENDING) for _ in range(number)]
    for place, photo in enumerate(photos):
        age(photo, minutes=minutes + number - place)
    return photos


def test_a_photo_that_fails_in_the_sweep_keeps_no_other_waiting(ada, queue, failing):
    photos = make_late(3)
    failing.add(key_of(photos[0].id))

    tasks.expire_abandoned_photos.call()

    assert [read(ada, photo.id)["state"] for photo in photos] == ["pending", "rejected", "rejected"]


def test_a_photo_that_ends_the_worker_of_the_sweep_is_the_last_of_the_next(ada, monkeypatch):
    photos = make_late(3)
    with monkeypatch.context() as dying:
        dying.setattr(storages["uploads"], "exists", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tasks.expire_abandoned_photos.call()

    tasks.expire_abandoned_photos.call()

    assert [read(ada, photo.id)["state"] for photo in photos] == ["pending", "rejected", "rejected"]


def test_an_outage_ends_the_sweep_and_is_reported(failing):
    photos = make_late(MAX_FAILURES + 2)
    failing.update(key_of(photo.id) for photo in photos)

    with pytest.raises(ConnectionError):
        tasks.expire_abandoned_photos.call()

    assert Photo.objects.filter(check_after__lt=timezone.now()).count() == 2


def test_a_photo_whose_renditions_cannot_be_deleted_fails_alone(ada, queue, monkeypatch):
    photos = [make_photo(make_member("ada"), state=Photo.State.REJECTED) for _ in range(2)]
    for photo in photos:
        storages["media"].save(f"photos/{photo.id}/320-0.webp", ContentFile(b"pixels"))
        age(photo, hours=25)
    tasks.expire_abandoned_photos.call()
    first, second = queue.calls
    with monkeypatch.context() as broken:
        broken.setattr(storages["media"], "listdir", Mock(side_effect=ConnectionError))
        with pytest.raises(ConnectionError):
            first.task.call(*first.args)
    second.task.call(*second.args)

    assert (Photo.objects.count(), media_names()) == (0, {f"photos/{first.args[0]}/320-0.webp"})


def test_a_photo_keeps_its_objects_if_its_row_cannot_be_deleted(ada, queue, monkeypatch):
    photo = make_photo(make_member("ada"), state=Photo.State.REJECTED)
    storages["media"].save(f"photos/{photo.id}/320-0.webp", ContentFile(b"pixels"))
    age(photo, hours=25)
    monkeypatch.setattr(Photo, "delete", Mock(side_effect=ConnectionError))

    tasks.expire_abandoned_photos.call()
    queue.run()

    assert (Photo.objects.count(), len(media_names())) == (1, 1)


@pytest.mark.parametrize("seed", range(20))
def test_every_photo_that_does_not_fail_is_settled_whatever_the_others_do(ada, queue, failing, monkeypatch, seed):
    chance = random.Random(seed)
    monkeypatch.setattr(abandoned_photos, "PHOTOS_PER_SWEEP", chance.randint(1, 4))
    photos = make_late(chance.randint(1, 12))
    bad = set(chance.sample(photos, chance.randint(0, len(photos))))
    failing.update(key_of(photo.id) for photo in bad)

    for _ in range(len(photos)):
        try:
            tasks.expire_abandoned_photos.call()
        except ConnectionError:
            assert len(bad) >= MAX_FAILURES

    left = set(Photo.objects.filter(state=Photo.State.PENDING))
    assert left == bad
