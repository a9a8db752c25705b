"""No member reads or changes what belongs to another, and no route is forgotten."""

import uuid

import pytest
from django.urls import clear_url_caches, path

from lambda_app.apps.feed import queries
from lambda_app.apps.feed.models import Photo
from lambda_app.urls import urlpatterns
from tests.security.matrix import (
    PRINCIPALS,
    ROWS,
    ask,
    cells,
    make_worlds,
    missing_rows,
    violation,
    violations,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

CELLS = list(cells())


@pytest.fixture
def worlds():
    return make_worlds()


def test_every_route_has_a_row():
    assert missing_rows() == set()


def test_every_row_asks_every_principal():
    asked = {(cell.route, cell.principal) for cell in CELLS}

    assert len(asked) == len(ROWS) * len(PRINCIPALS)


@pytest.mark.parametrize("route", ROWS, ids=" ".join)
@pytest.mark.daily(6)
def test_every_principal_gets_what_is_theirs_and_nothing_else(route, worlds, record_property):
    asked = [cell for cell in CELLS if cell.route == route]
    record_property("matrix_rows", len(asked))

    assert violations(worlds, asked) == []


def test_a_private_object_of_another_looks_like_one_that_is_not_there(worlds):
    [cell] = [each for each in CELLS if str(each) == "GET /v1/photos/{photo_id}, member, private of bob"]
    nobodys, photo = str(uuid.uuid4()), worlds["bob"].private_photo

    there, not_there = ask(cell, worlds), ask(cell, worlds, f"/v1/photos/{nobodys}")

    assert there.json["detail"].replace(photo, "") == not_there.json["detail"].replace(nobodys, "")
    assert there.json.keys() == not_there.json.keys()


# The gateway decodes a path for its routes and once more for the function, so that an authorizer of a
# route can be walked around: the claims are missing then, and Django has to ask for them itself.
@pytest.mark.parametrize("path", ["/v1/%66eed", "/v1/%2566eed", "/%76%31/feed", "/%2576%2531/feed", "/v1%2Ffeed"])
def test_a_request_that_avoids_the_authorizer_has_no_caller(path, worlds):
    [cell] = [each for each in CELLS if str(each).startswith("GET /v1/feed, anonymous")]

    assert ask(cell, worlds, path).status in (401, 404)


@pytest.mark.parametrize("route", [route for route, row in ROWS.items() if not row.is_public], ids=" ".join)
def test_a_401_says_how_to_come_in_and_nothing_else(route, worlds):
    bodies = set()
    for cell in (each for each in CELLS if each.route == route and each.expected == 401):
        answer = ask(cell, worlds)
        bodies.add((answer.json["detail"], answer.json["title"], answer.headers["www-authenticate"]))

    assert bodies == {("a valid bearer token is needed", "Unauthorized", "Bearer")}


class TestTheMatrixTurnsRed:
    """What the matrix is for: these are planted, and it must find them."""

    def test_when_a_photo_is_read_without_asking_whose_it_is(self, worlds, monkeypatch):
        def read_photo(*, photo_id, viewer):
            return queries.photo_out(Photo.objects.get(id=photo_id))

        monkeypatch.setattr(queries, "read_photo", read_photo)

        found = violations(worlds, (cell for cell in CELLS if cell.route == ("GET", "/v1/photos/{photo_id}")))
        assert [fault for fault in found if "private of bob: expected 404, got 200" in fault]

    def test_when_a_post_is_deleted_without_asking_whose_it_is(self, worlds, monkeypatch):
        from lambda_app.apps.feed.services import posts

        monkeypatch.setattr(posts, "delete_post", lambda *, author, post_id: posts.Post.objects.all().delete())

        [cell] = [each for each in CELLS if str(each) == "DELETE /v1/posts/{post_id}, member, post of bob"]
        assert "expected 404, got 204" in (violation(cell, worlds) or "")

    def test_when_a_refusal_comes_after_the_effect(self, worlds, monkeypatch):
        from lambda_app.apps.feed.services import posts

        def delete_post(*, author, post_id):
            posts.Post.objects.filter(id=post_id).delete()
            raise queries.no_post(post_id)

        monkeypatch.setattr(posts, "delete_post", delete_post)

        [cell] = [each for each in CELLS if str(each) == "DELETE /v1/posts/{post_id}, member, post of bob"]
        assert "something changed" in (violation(cell, worlds) or "")

    def test_when_the_url_configuration_gets_a_route_that_has_no_row(self, settings):
        settings.ROOT_URLCONF = __name__
        clear_url_caches()

        assert missing_rows() == {("GET", "/v1/forgotten")}

    def test_when_a_row_is_of_a_route_that_is_gone(self):
        assert missing_rows({**ROWS, ("GET", "/v1/gone"): ROWS["GET", "/v1/feed"]}) == {("GET", "/v1/gone")}


urlpatterns = [*urlpatterns, path("v1/forgotten", lambda request: None)]
