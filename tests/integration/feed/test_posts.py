from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from lambda_app.apps.feed.identifiers import new_id
from lambda_app.apps.feed.models import Photo, Post
from serverless_django.pagination import encode_cursor
from tests.integration.feed.conftest import make_member, make_photo, make_post

pytestmark = pytest.mark.django_db

JSON = "application/json"


def publish(client, photo, caption="hello"):
    return client.post("/v1/posts", {"photo_id": str(photo.id), "caption": caption}, content_type=JSON)


def publish_and_close(client, photo):
    """Publish from a thread, which has its own connection."""
    try:
        return publish(client, photo)
    finally:
        connection.close()


def follow(client, handle):
    assert client.put(f"/v1/members/{handle}/follow").status_code == 204


def walk(client, path, limit):
    """Yield the ids of each page until there is no next one."""
    cursor = ""
    while cursor is not None:
        page = client.get(f"{path}?limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json()
        yield [post["id"] for post in page["posts"]]
        cursor = page["next_cursor"]


def test_a_post_shows_its_photo_and_its_author(ada):
    photo = make_photo(make_member("ada"))

    response = publish(ada, photo, "Grüße 🌊")

    assert response.status_code == 201
    post = response.json()
    assert (post["caption"], post["author"]["handle"], post["liked"]) == ("Grüße 🌊", "ada", False)
    assert post["photo"]["renditions"] == [
        {"width": 320, "height": 240, "url": "https://media.invalid/photos/x/320-0.webp"}
    ]


def test_posting_again_answers_the_post_that_exists(ada):
    photo = make_photo(make_member("ada"))

    first, second = publish(ada, photo), publish(ada, photo)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_a_photo_is_not_posted_with_two_captions(ada):
    photo = make_photo(make_member("ada"))
    publish(ada, photo, "one")

    response = publish(ada, photo, "two")

    assert response.status_code == 409
    assert "with another caption" in response.json()["detail"]


@pytest.mark.parametrize("state", [Photo.State.PENDING, Photo.State.REJECTED])
def test_only_a_ready_photo_can_be_posted(ada, state):
    photo = make_photo(make_member("ada"), state=state)

    response = publish(ada, photo)

    assert response.status_code == 409
    assert f"is {state.value}; only a photo that is ready can be posted" in response.json()["detail"]


def test_a_photo_that_the_sweep_may_take_is_not_posted(ada):
    photo = make_photo(make_member("ada"), created_at=timezone.now() - timedelta(days=1, seconds=1))

    assert publish(ada, photo).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_make_one_post(client_of):
    photo = make_photo(make_member("ada"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: publish_and_close(client_of("ada"), photo), range(8)))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    assert len({answer.json()["id"] for answer in answers}) == Post.objects.count() == 1


def test_no_member_posts_the_photo_of_another(bob):
    response = publish(bob, make_photo(make_member("ada")))

    assert response.status_code == 404
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{",
        '{"photo_id": "x"}',
        '{"photo_id": 7}',
        '{"photo_id": "PHOTO", "caption": "a\\u0000b"}',
        '{"photo_id": "PHOTO", "caption": "\\ud800"}',
        '{"photo_id": "PHOTO", "caption": null}',
        '{"photo_id": "PHOTO", "caption": NaN}',
        '{"photo_id": "PHOTO", "caption": "LONG"}',
        '{"photo_id": "PHOTO", "author_id": "PHOTO"}',
        '{"photo_id": ' + "9" * 5_000 + "}",
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_bad_body_is_refused_with_a_reason(ada, body):
    photo = make_photo(make_member("ada"))
    if isinstance(body, str):
        body = body.replace("PHOTO", str(photo.id)).replace("LONG", "x" * 2_201)

    response = ada.post("/v1/posts", body, content_type=JSON)

    assert response.status_code in (400, 422)
    assert not Post.objects.exists()


def test_every_member_may_read_a_post(bob):
    post = make_post("ada")

    assert bob.get(f"/v1/posts/{post.id}").json()["id"] == str(post.id)


@pytest.mark.parametrize(("path", "status"), [("x", 422), ("00000000-0000-0000-0000-000000000000", 404), ("%00", 422)])
def test_a_post_that_is_not_there_is_not_found(ada, path, status):
    assert ada.get(f"/v1/posts/{path}").status_code == status


def test_the_author_deletes_a_post_and_its_photo_becomes_private(ada, bob):
    post = make_post("ada")

    response = ada.delete(f"/v1/posts/{post.id}")

    assert (response.status_code, response.content, "Content-Type" in response.headers) == (204, b"", False)
    assert ada.get(f"/v1/posts/{post.id}").status_code == 404
    assert bob.get(f"/v1/photos/{post.photo_id}").status_code == 404


def test_no_member_deletes_the_post_of_another(bob):
    post = make_post("ada")

    assert bob.delete(f"/v1/posts/{post.id}").status_code == 404
    assert Post.objects.get().photo.is_posted


def test_the_feed_has_only_followed_authors_newest_first(ada):
    posts = [make_post("bob"), make_post("bob"), make_post("eve"), make_post("ada")]
    follow(ada, "bob")

    feed = ada.get("/v1/feed").json()

    assert [post["id"] for post in feed["posts"]] == [str(posts[1].id), str(posts[0].id)]
    assert feed["next_cursor"] is None


def test_pages_have_no_gaps_and_no_repeats_while_posts_are_added(ada):
    make_member("bob")
    follow(ada, "bob")
    posts = [str(make_post("bob").id) for _ in range(7)]
    seen = []

    for page in walk(ada, "/v1/feed", limit=2):
        seen += page
        make_post("bob")

    assert seen == posts[::-1]


def test_a_page_that_ends_with_the_last_post_has_no_next(ada):
    posts = [str(make_post("ada").id) for _ in range(4)]

    pages = list(walk(ada, "/v1/posts", limit=2))

    assert pages == [posts[:1:-1], posts[1::-1]]


def test_own_posts_and_the_posts_of_a_member_are_the_same_list(ada, bob):
    posts = [str(make_post("ada").id) for _ in range(3)]
    make_post("bob")

    lists = [client.get(path).json()["posts"] for client, path in [(ada, "/v1/posts"), (bob, "/v1/members/ada/posts")]]

    assert [[post["id"] for post in each] for each in lists] == [posts[::-1], posts[::-1]]


def test_the_posts_of_an_unknown_member_are_not_found(ada):
    assert ada.get("/v1/members/unknown/posts").status_code == 404


FORGED = [
    "x",
    "x" * 23,
    "x" * 100_000,
    "!" * 22,
    "%00" * 22,
    encode_cursor(UUID(int=0)),
    encode_cursor(new_id())[:-1] + "_",
]


@pytest.mark.parametrize("cursor", FORGED, ids=range(len(FORGED)))
def test_a_cursor_that_we_never_gave_is_refused(ada, cursor):
    assert ada.get(f"/v1/feed?cursor={cursor}").status_code == 422


@pytest.mark.parametrize(
    "limit", ["0", "51", "-1", "x", "1.5", "9" * 5_000, "", "5_0", "%2B5", "%205", "05", "5.0", "%D9%A5", "5%0A"]
)
def test_a_limit_out_of_bounds_is_refused(ada, limit):
    assert ada.get(f"/v1/feed?limit={limit}").status_code == 422


@pytest.mark.parametrize("posts", [1, 20, 50])
def test_a_feed_page_takes_two_queries_whatever_its_size(ada, posts, django_assert_num_queries):
    ada.get("/v1/feed")
    make_member("bob")
    follow(ada, "bob")
    for _ in range(posts):
        make_post("bob")

    with django_assert_num_queries(2):
        response = ada.get("/v1/feed?limit=50")

    assert len(response.json()["posts"]) == posts


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/v1/posts/{post}", 2),
        ("/v1/posts", 2),
        ("/v1/members/bob", 2),
        ("/v1/members/bob/posts", 3),
        ("/v1/photos/{photo}", 2),
    ],
)
def test_every_read_takes_one_query_after_authentication(ada, path, queries, django_assert_num_queries):
    ada.get("/v1/feed")
    post = make_post("bob")

    with django_assert_num_queries(queries):
        response = ada.get(path.format(post=post.id, photo=post.photo_id))

    assert response.status_code == 200


def test_no_shared_cache_may_keep_an_answer(ada):
    assert ada.get("/v1/feed").headers["Cache-Control"] == "private, no-cache"
