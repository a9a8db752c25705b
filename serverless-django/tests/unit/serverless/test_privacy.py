"""What a shared cache may keep, by RFC 9111, is never what one member sees."""

import pytest
from django.http import HttpResponse

from serverless_django.caching.privacy import PRIVATE, PrivateByDefaultMiddleware

PUBLIC = "public, max-age=30"


def pass_through(response, rf):
    return PrivateByDefaultMiddleware(lambda request: response)(rf.get("/"))


def response_with(status=200, cookie=False, **headers):
    response = HttpResponse(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})
    if cookie:
        response.set_cookie("session", "secret")
    return response


def test_a_response_that_says_nothing_is_private(rf):
    assert pass_through(response_with(), rf)["Cache-Control"] == PRIVATE


@pytest.mark.parametrize("said", [PUBLIC, "no-store", "private, max-age=5"])
def test_what_a_view_says_stays(rf, said):
    assert pass_through(response_with(Cache_Control=said), rf)["Cache-Control"] == said


@pytest.mark.parametrize("said", [PUBLIC, "Public", "s-maxage=60", "max-age=5, S-MaxAge=9"])
def test_a_response_that_sets_a_cookie_is_kept_by_no_shared_cache(rf, said, caplog):
    response = pass_through(response_with(cookie=True, Cache_Control=said), rf)

    assert response["Cache-Control"] == PRIVATE
    assert "sets a cookie" in caplog.text


@pytest.mark.parametrize("vary", ["Cookie", "authorization", "Accept, AUTHORIZATION", "*"])
def test_a_response_that_depends_on_the_caller_is_kept_by_no_shared_cache(rf, vary):
    assert pass_through(response_with(Cache_Control=PUBLIC, Vary=vary), rf)["Cache-Control"] == PRIVATE


def test_a_response_that_depends_on_its_form_may_be_public(rf):
    assert pass_through(response_with(Cache_Control=PUBLIC, Vary="Accept-Encoding"), rf)["Cache-Control"] == PUBLIC


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_is_never_public(rf, status):
    assert pass_through(response_with(status, Cache_Control=PUBLIC), rf)["Cache-Control"] == PRIVATE
