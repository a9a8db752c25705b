"""Requests of one member at the same moment: in any order rows agree with each other, and no answer is a 500."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest
from django.db import connection

from lambda_app.apps.feed.models import Post
from lambda_app.apps.feed.services import photos, posts
from tests.integration.feed.conftest import make_member, make_photo, make_post

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 25


def at_once(calls):
    """Run `calls` in threads, each on its own connection, and return the responses."""

    def run(call):
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def publish(client, photo):
    return client.post("/v1/posts", {"photo_id": str(photo.id)}, content_type="application/json")


@pytest.mark.nightly
def test_a_photo_that_is_deleted_and_posted_again_at_once_is_marked_as_its_posts_are(client_of):
    owner, statuses = make_member("ada"), []
    for _ in range(ROUNDS):
        photo = make_photo(owner)
        post = publish(client_of("ada"), photo).json()["id"]
        delete = lambda post=post: client_of("ada").delete(f"/v1/posts/{post}")  # noqa: E731
        again = lambda photo=photo: publish(client_of("ada"), photo)  # noqa: E731

        answers = at_once([delete, again, delete, again, delete, again])

        statuses += [answer.status_code for answer in answers]
        photo.refresh_from_db()
        assert photo.is_posted == Post.objects.filter(photo=photo).exists()

    assert set(statuses) <= {200, 201, 204, 404}


def test_requests_at_once_open_no_more_uploads_than_an_hour_allows(client_of, monkeypatch):
    monkeypatch.setattr(photos, "MAX_UPLOADS", 3)
    make_member("ada")
    body = {"content_type": "image/jpeg", "size": 1}
    ask = lambda: client_of("ada").post("/v1/photos", body, content_type="application/json")  # noqa: E731

    answers = at_once([ask] * 8)

    assert Counter(answer.status_code for answer in answers) == {201: 3, 429: 5}


def test_a_cache_that_fails_after_the_commit_does_not_turn_a_deletion_into_an_error(client_of, monkeypatch):
    monkeypatch.setattr(posts, "forget_shared_post", Mock(side_effect=ConnectionError("cache")))
    post = make_post("ada")

    assert client_of("ada").delete(f"/v1/posts/{post.id}").status_code == 204
    assert not Post.objects.exists()
