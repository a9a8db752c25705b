"""A shared post is read once for all clients; whatever else the API answers, no cache between us and a phone keeps."""

from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from lambda_app.apps.feed.models import Post
from tests.integration.feed.conftest import make_post
from tests.integration.feed.every_endpoint import REQUESTS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _memory(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "shared"}}
    yield
    cache.clear()


@pytest.fixture
def stranger():
    return Client()


def test_a_stranger_with_the_link_sees_the_post(stranger):
    post = make_post("ada", caption="hello")

    shown = stranger.get(f"/v1/shared/{post.id}").json()

    assert (shown["caption"], shown["author"]["handle"]) == ("hello", "ada")
    assert "liked" not in shown


def test_it_is_read_from_the_database_once(stranger, django_assert_num_queries):
    post = make_post("ada")
    stranger.get(f"/v1/shared/{post.id}")

    with django_assert_num_queries(0):
        stranger.get(f"/v1/shared/{post.id}")


def test_phones_and_cdns_may_keep_it_and_ask_whether_it_changed(stranger):
    first = stranger.get(f"/v1/shared/{make_post('ada').id}")

    again = stranger.get(first.request["PATH_INFO"], headers={"If-None-Match": first["ETag"]})

    assert first["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
    assert (again.status_code, again.content) == (304, b"")


def test_a_deleted_post_is_gone_for_strangers_too(ada, stranger, django_capture_on_commit_callbacks):
    post = make_post("ada")
    stranger.get(f"/v1/shared/{post.id}")

    with django_capture_on_commit_callbacks(execute=True):
        ada.delete(f"/v1/posts/{post.id}")

    assert stranger.get(f"/v1/shared/{post.id}").status_code == 404


def test_no_post_is_not_found_and_not_remembered(stranger):
    post_id = uuid4()
    missing = stranger.get(f"/v1/shared/{post_id}")
    Post.objects.filter(id=make_post("ada").id).update(id=post_id)

    assert (missing.status_code, missing["Cache-Control"]) == (404, "private, no-cache")
    assert stranger.get(f"/v1/shared/{post_id}").status_code == 200


def test_code_of_another_form_reads_other_keys(stranger, monkeypatch, django_assert_num_queries):
    post = make_post("ada")
    stranger.get(f"/v1/shared/{post.id}")
    monkeypatch.setattr("lambda_app.apps.feed.services.shared_posts._shape", lambda: "another")

    with django_assert_num_queries(1):
        stranger.get(f"/v1/shared/{post.id}")


def may_be_shared(response):
    """Tell whether a shared cache may store the response (RFC 9111, section 3)."""
    said = {part.strip().partition("=")[0] for part in response.headers.get("Cache-Control", "").lower().split(",")}
    return not said & {"private", "no-store"}


@pytest.mark.parametrize("route", [route for route in REQUESTS if "shared" not in route])
def test_no_shared_cache_may_keep_what_a_member_sees(route, client_of_reader, queue):
    assert not may_be_shared(REQUESTS[route](client_of_reader))


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/nowhere", "/v1/shared/nothing", "/healthz"])
def test_no_shared_cache_may_keep_a_refusal_or_a_probe(path, stranger):
    assert not may_be_shared(stranger.get(path))


def test_what_is_not_marked_as_public_would_be_seen_by_this_test(stranger):
    assert may_be_shared(stranger.get(f"/v1/shared/{make_post('ada').id}"))
