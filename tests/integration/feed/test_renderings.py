"""Which uploads are rendered when: of each member a few at once, in the order of their arrival, and none is lost."""

import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import Photo
from lambda_app.apps.feed.services import renderings, renditions
from lambda_app.apps.feed.services.renderings import MAX_AT_ONCE, MAX_ATTEMPTS, MESSAGE_LEASE, WORKER_LEASE
from serverless_django.testing.threads import run_in_threads
from tests.integration.feed.conftest import make_image, make_member, make_photo, upload

pytestmark = pytest.mark.django_db

PHOTO = make_image(size=(8, 8))


def make_uploads(handle, number):
    """Make photos whose files have arrived, and return their keys."""
    photos = [make_photo(make_member(handle), state=Photo.State.PENDING) for _ in range(number)]
    return [upload(photo.id, PHOTO) for photo in photos]


def receive(*keys):
    tasks.receive_uploads.call(uploads=[{"bucket": "uploads", "key": key} for key in keys])


def keys_of(calls):
    return [call.kwargs["key"] for call in calls]


def run(queue):
    call = queue.calls.pop(0)
    call.task.call(**call.kwargs)


def states():
    return set(Photo.objects.values_list("state", flat=True))


def pass_time(time):
    for photo in Photo.objects.filter(state=Photo.State.PENDING):
        Photo.objects.filter(id=photo.id).update(
            check_after=photo.check_after - time, rendering_until=photo.rendering_until and photo.rendering_until - time
        )


def raising(error):
    def fail(*arguments):
        raise error

    return fail


def test_an_upload_is_rendered_by_its_own_message(queue):
    receive(*make_uploads("ada", 1))
    [call] = queue.calls
    queue.run()

    assert (call.task.queue_name, states()) == ("renderings", {"ready"})


def test_a_member_has_a_few_renderings_at_once_however_many_uploads(queue):
    keys = make_uploads("ada", 20)

    receive(*keys)

    assert len(set(keys_of(queue.calls)) & set(keys)) == len(queue.calls) == MAX_AT_ONCE


def test_uploads_of_a_member_are_rendered_in_the_order_of_their_arrival(queue):
    keys = make_uploads("ada", 5)
    for key in keys:
        receive(key)
        # Within a test all is one transaction, whose moment is one.
        Photo.objects.exclude(waiting_since=None).update(waiting_since=timezone.now() - timedelta(hours=1))
        Photo.objects.filter(id=key.rpartition("/")[2]).exclude(waiting_since=None).update(waiting_since=timezone.now())
    rendered = []
    while queue.calls:
        rendered += keys_of(queue.calls[:1])
        run(queue)

    assert (rendered[:MAX_AT_ONCE], sorted(rendered)) == (keys[:MAX_AT_ONCE], sorted(keys))
    assert rendered[-1] == keys[-1]


def test_the_end_of_a_rendering_begins_the_next_until_none_waits(queue):
    receive(*make_uploads("ada", 7))

    for _ in range(7):
        run(queue)
        assert len(queue.calls) <= MAX_AT_ONCE

    assert (states(), queue.calls) == ({"ready"}, [])


def test_a_rejected_file_begins_the_next_rendering_as_well(queue):
    photos = [make_photo(make_member("ada"), state=Photo.State.PENDING) for _ in range(5)]
    receive(*[upload(photo.id, b"text") for photo in photos])

    for _ in range(5):
        run(queue)

    assert (states(), queue.calls) == ({"rejected"}, [])


def test_an_event_that_is_told_twice_begins_one_rendering(queue):
    [key] = make_uploads("ada", 1)
    for _ in range(3):
        receive(key, key)

    assert keys_of(queue.calls) == [key]


def test_a_rendering_that_fails_keeps_its_place_until_its_message_comes_again(queue, monkeypatch):
    receive(*make_uploads("ada", 4))
    failing = [queue.calls.pop(0) for _ in range(MAX_AT_ONCE)]
    with monkeypatch.context() as outage:
        outage.setattr(renditions, "publish", raising(ConnectionError))
        for call in failing:
            with pytest.raises(ConnectionError):
                call.task.call(**call.kwargs)
    during = list(queue.calls)

    failing[0].task.call(**failing[0].kwargs)

    assert (during, len(queue.calls)) == ([], 1)


def test_workers_that_were_killed_hold_up_their_member_for_minutes_only(queue):
    receive(*make_uploads("ada", 4))
    for call in queue.calls:
        renderings._begin(call.kwargs["key"])

    before = renderings.lease_next(make_member("ada").id)
    pass_time(WORKER_LEASE + timedelta(seconds=1))

    assert (before, len(renderings.lease_next(make_member("ada").id))) == ([], MAX_AT_ONCE)


def test_uploads_of_one_member_do_not_wait_for_those_of_another(queue):
    of_ada, [of_bob] = make_uploads("ada", 50), make_uploads("bob", 1)

    receive(*of_ada)
    receive(of_bob)

    assert keys_of(queue.calls).index(of_bob) == MAX_AT_ONCE


@pytest.mark.parametrize("key", ["photos/x", "", "photos/a/b", "other/x", "photos/\0/1"])
def test_an_object_that_is_no_upload_begins_nothing(queue, key):
    receive(key)

    assert queue.calls == []


def test_an_object_under_another_key_of_the_photo_begins_nothing(queue):
    [key] = make_uploads("ada", 1)

    receive(f"photos/{make_member('bob').id}/{key.rpartition('/')[2]}", key.upper(), f"{key}/", key.replace("-", ""))

    assert queue.calls == []


@pytest.mark.django_db(transaction=True)
def test_uploads_at_the_same_moment_begin_no_more_than_a_few():
    member, keys = make_member("ada"), make_uploads("ada", 12)
    leased = []

    def note_and_lease(key):
        renderings.note_uploads([key])
        leased.extend(renderings.lease_next(member.id))

    failures = run_in_threads(*[lambda key=key: note_and_lease(key) for key in keys])

    assert (failures, len(leased)) == ([], MAX_AT_ONCE)
    assert Photo.objects.filter(waiting_since__isnull=False).count() == len(keys) - MAX_AT_ONCE


class Workers:
    """Take calls from the queue in any order, and succeed, fail or end with them, as chance has it."""

    def __init__(self, queue, chance, monkeypatch):
        self.queue, self.chance, self.kills, self.fate = queue, chance, Counter(), ""
        self.publish = renditions.publish
        monkeypatch.setattr(renditions, "publish", self.publish_or_fail)

    def publish_or_fail(self, photo, data):
        if self.fate:
            raise ConnectionError if self.fate == "fails" else KeyboardInterrupt
        self.publish(photo, data)

    def work(self):
        call = self.queue.calls.pop(self.chance.randrange(len(self.queue.calls)))
        key = call.kwargs["key"]
        self.fate = self.chance.choice(["", "", "", "fails", "kills"])
        if self.fate == "kills":
            self.kills[key] += 1
            self.fate = "kills" if self.kills[key] < MAX_ATTEMPTS else ""
        with suppress(ConnectionError, KeyboardInterrupt):
            call.task.call(**call.kwargs)
            return
        # The message comes again, or is among the dead letters.
        if self.chance.random() < 0.7:
            self.queue.calls.append(call)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.daily(2)
def test_whatever_fails_no_upload_is_lost_and_no_member_has_more_than_a_few(queue, monkeypatch, seed):
    chance = random.Random(seed)
    keys = [key for handle in ("ada", "bob", "cyd") for key in make_uploads(handle, chance.randint(1, 6))]
    events = [key for key in keys for _ in range(chance.choice([0, 1, 1, 2]))]
    chance.shuffle(events)
    workers = Workers(queue, chance, monkeypatch)

    for _ in range(600):
        if events and chance.random() < 0.5:
            receive(events.pop())
        elif queue.calls:
            workers.work()
        elif not events:
            pass_time(MESSAGE_LEASE)
            tasks.expire_abandoned_photos.call()
        check_leases()
        if states() == {"ready"}:
            return

    pytest.fail(f"not rendered: {Photo.objects.filter(state='pending').count()}")


def check_leases():
    leased = Photo.objects.filter(state="pending", rendering_until__gt=timezone.now())
    assert max(Counter(leased.values_list("owner", flat=True)).values(), default=0) <= MAX_AT_ONCE
