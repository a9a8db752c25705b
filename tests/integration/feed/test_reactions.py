from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lambda_app.apps.feed.identifiers import new_id
from lambda_app.apps.feed.models import Like, Post, View
from lambda_app.apps.feed.payloads import LikeRequest, ViewReport
from lambda_app.apps.feed.services import reactions
from serverless_django.testing.threads import run_in_threads
from tests.integration.feed.conftest import make_member, make_post

pytestmark = pytest.mark.django_db

JSON = "application/json"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PINNING_SIZE = 16 * 1024


def record_like(member, post, *, is_liked=True, minute=0):
    moment = NOON + timedelta(minutes=minute)
    reactions.record_likes(likes=[like_request(member.id, post.id, is_liked=is_liked, requested_at=moment)])


def like_request(member_id, post_id, *, is_liked=True, requested_at=NOON):
    return LikeRequest(post_id=post_id, member_id=member_id, is_liked=is_liked, requested_at=requested_at)


def record_views(events, member=None):
    member_id = member.id if member else make_member("ada").id
    return reactions.record_views(reports=[ViewReport(member_id=member_id, viewed_at=NOON, events=events)])


def send_views(client, *post_ids):
    views = [{"post_id": str(post_id)} for post_id in post_ids]
    return client.post("/v1/views", {"views": views}, content_type=JSON)


def test_a_like_travels_through_its_queue(ada, queue):
    post = make_post("bob")

    response = ada.put(f"/v1/posts/{post.id}/like")

    assert (response.status_code, response.content) == (202, b"")
    assert [call.task.queue_name for call in queue.calls] == ["likes"]
    assert not Like.objects.exists()


@pytest.mark.parametrize("times", [1, 2])
def test_a_like_counts_once_however_often_it_arrives(ada, queue, times):
    post = make_post("bob")
    ada.put(f"/v1/posts/{post.id}/like")

    queue.run(times=times)

    shown = ada.get(f"/v1/posts/{post.id}").json()
    assert (shown["like_count"], shown["liked"]) == (1, True)


def test_a_like_taken_back_counts_no_more(ada, queue):
    post = make_post("bob")
    ada.put(f"/v1/posts/{post.id}/like")
    ada.delete(f"/v1/posts/{post.id}/like")

    queue.run(times=2)

    shown = ada.get(f"/v1/posts/{post.id}").json()
    assert (shown["like_count"], shown["liked"]) == (0, False)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_every_order_of_arrival_the_newest_request_wins(order):
    post, member = make_post("bob"), make_member("ada")

    for minute in order:
        record_like(member, post, is_liked=minute % 2 == 0, minute=minute)

    post.refresh_from_db()
    assert (post.like_count, Like.objects.get().is_liked) == (0, False)


def test_a_late_like_for_a_deleted_post_does_nothing(ada, queue):
    post = make_post("ada")
    ada.put(f"/v1/posts/{post.id}/like")
    ada.delete(f"/v1/posts/{post.id}")

    queue.run()

    assert not Like.objects.exists()


def test_a_late_like_of_a_member_who_is_gone_does_nothing():
    post = make_post("ada")

    reactions.record_likes(likes=[like_request(uuid4(), post.id)])

    post.refresh_from_db()
    assert (post.like_count, Like.objects.count()) == (0, 0)


@pytest.mark.parametrize("number", [1, 100])
def test_likes_take_three_statements_however_many(number, django_assert_num_queries):
    post, members = make_post("bob"), [make_member(f"fan-{index}") for index in range(number)]

    # Two more than said: the savepoint, which outside a test is the transaction.
    with django_assert_num_queries(3 + 2):
        reactions.record_likes(likes=[like_request(member.id, post.id) for member in members])

    post.refresh_from_db()
    assert post.like_count == number


def test_of_many_words_in_one_batch_the_newest_of_each_member_counts():
    post, ada, bob = make_post("cyd"), make_member("ada"), make_member("bob")
    words = [(ada, True, 1), (bob, True, 1), (ada, False, 3), (ada, True, 2), (bob, True, 0)]

    reactions.record_likes(
        likes=[
            like_request(member.id, post.id, is_liked=is_liked, requested_at=NOON + timedelta(minutes=minute))
            for member, is_liked, minute in words
        ]
    )

    post.refresh_from_db()
    assert (post.like_count, Like.objects.get(is_liked=True).member_id) == (1, bob.id)


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_like_of_no_post_is_not_found_and_not_sent(ada, queue, method):
    response = getattr(ada, method)(f"/v1/posts/{uuid4()}/like")

    assert (response.status_code, queue.calls) == (404, [])


def test_a_post_with_likes_can_be_deleted(ada):
    post = make_post("ada")
    record_like(make_member("bob"), post)

    assert ada.delete(f"/v1/posts/{post.id}").status_code == 204
    assert not Like.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_likes_at_the_same_time_are_counted_exactly():
    post, members = make_post("ada"), [make_member(f"fan-{number}") for number in range(8)]

    def like_and_repeat(member):
        for minute in range(5):
            record_like(member, post, is_liked=minute % 2 == 0, minute=minute)
            record_like(member, post, is_liked=minute % 2 == 0, minute=minute)

    failures = run_in_threads(*[lambda member=member: like_and_repeat(member) for member in members * 2])

    post.refresh_from_db()
    assert (failures, post.like_count) == ([], 8)


@pytest.mark.django_db(transaction=True)
def test_likes_of_a_post_that_is_being_deleted_neither_fail_nor_remain(client_of):
    post, members = make_post("ada"), [make_member(f"fan-{number}") for number in range(4)]
    calls = [lambda member=member: [record_like(member, post, minute=n) for n in range(5)] for member in members]

    failures = run_in_threads(*calls, lambda: client_of("ada").delete(f"/v1/posts/{post.id}"))

    assert (failures, Post.objects.count(), Like.objects.count()) == ([], 0, 0)


def test_views_travel_through_their_queue_with_their_own_ids(ada, queue):
    response = send_views(ada, make_post("bob").id, make_post("bob").id)

    assert (response.status_code, response.json()) == (202, {"accepted": 2, "repeated": 0})
    call = queue.calls[0]
    assert call.task.queue_name == "views"
    assert len({event[0] for event in call.args[0][0]["events"]}) == 2


@pytest.mark.parametrize("times", [1, 2])
def test_views_count_once_however_often_they_arrive(ada, queue, times):
    posts = [make_post("bob") for _ in range(3)]
    send_views(ada, *[post.id for post in posts])

    queue.run(times=times)

    assert View.objects.count() == 3
    assert ada.get(f"/v1/posts/{posts[0].id}").json()["view_count"] == 1


def test_what_one_request_reports_twice_is_taken_once_and_it_says_so(ada, queue):
    post = make_post("bob")

    response = send_views(ada, *[post.id] * 3)
    queue.run()

    assert response.json() == {"accepted": 1, "repeated": 2}
    assert (View.objects.count(), ada.get(f"/v1/posts/{post.id}").json()["view_count"]) == (1, 1)


def test_a_post_counts_once_for_each_member_and_hour(ada, bob, queue, monkeypatch):
    post = make_post("cyd")
    for minutes in (0, 1, 59, 60, 119):
        monkeypatch.setattr("django.utils.timezone.now", lambda minutes=minutes: NOON + timedelta(minutes=minutes))
        for client in (ada, bob):
            send_views(client, post.id)

    queue.run()

    post.refresh_from_db()
    assert (post.view_count, set(View.objects.values_list("viewed_at", flat=True))) == (
        4,
        {NOON, NOON + timedelta(hours=1)},
    )


def test_views_of_posts_that_are_not_there_are_dropped():
    post = make_post("bob")

    added = record_views([(new_id(), post.id, 10), (new_id(), uuid4(), 10)])

    assert (added, View.objects.get().post_id) == (1, post.id)


def test_no_statement_of_a_full_message_pins_the_proxy(ada, queue):
    posts = [make_post("bob").id for _ in range(50)]
    ada.get("/v1/feed")
    send_views(ada, *posts, *[uuid4() for _ in range(450)])

    with CaptureQueriesContext(connection) as statements:
        queue.run()

    assert View.objects.count() == 50
    assert max(len(statement["sql"].encode()) for statement in statements) < PINNING_SIZE


def test_five_hundred_posts_in_one_message_stay_below_the_pinning_size():
    posts = [make_post("bob") for _ in range(500)]

    with CaptureQueriesContext(connection) as statements:
        added = record_views([(new_id(), post.id, 86_400_000) for post in posts])

    assert added == 500
    assert max(len(statement["sql"].encode()) for statement in statements) < PINNING_SIZE


@pytest.mark.django_db(transaction=True)
def test_batches_that_share_posts_neither_deadlock_nor_miscount():
    posts, member = [make_post("bob") for _ in range(20)], make_member("ada")
    forward = [(new_id(), post.id, 0) for post in posts]
    backward = [(new_id(), post.id, 0) for post in reversed(posts)]

    batches = [forward, backward] * 6
    failures = run_in_threads(*[lambda batch=batch: record_views(batch, member) for batch in batches])

    assert failures == []
    assert Counter(Post.objects.values_list("view_count", flat=True)) == {2: 20}


@pytest.mark.parametrize(
    "views",
    [
        [],
        [{"post_id": str(uuid4())}] * 501,
        [{"post_id": "x"}],
        [{}],
        [{"post_id": str(uuid4()), "duration_ms": -1}],
        [{"post_id": str(uuid4()), "duration_ms": 86_400_001}],
        [{"post_id": str(uuid4()), "duration_ms": 2**70}],
        [{"post_id": str(uuid4()), "id": str(uuid4())}],
        {"post_id": str(uuid4())},
        None,
    ],
)
def test_views_out_of_bounds_are_refused(ada, queue, views):
    response = ada.post("/v1/views", {"views": views}, content_type=JSON)

    assert (response.status_code in (400, 422), queue.calls) == (True, [])
