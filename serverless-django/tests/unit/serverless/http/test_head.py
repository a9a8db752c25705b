"""HEAD works where GET does."""

import asyncio

import pytest
from django.http import HttpResponse, HttpResponseNotAllowed
from django.test import RequestFactory
from django.views.decorators.http import require_GET, require_POST, require_safe

from serverless_django.http.middleware import HeadMiddleware


def answer(view, method="HEAD"):
    return HeadMiddleware(view)(getattr(RequestFactory(), method.lower())("/"))


def page(request):
    return HttpResponse(b"page", headers={"X-Page": "1"})


@pytest.mark.parametrize("view", [page, require_GET(page), require_safe(page)])
def test_head_has_the_status_and_the_headers_of_get(view):
    head, get = answer(view), answer(view, "GET")

    assert (head.status_code, head.headers) == (get.status_code, get.headers)


def test_a_view_that_is_async_and_knows_only_get_answers_head():
    async def view(request):
        return require_GET(page)(request)

    assert asyncio.run(answer(view)).status_code == 200


def test_where_get_is_refused_head_is_too():
    assert answer(require_POST(page)).status_code == 405


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_no_other_method_becomes_get(method):
    assert answer(require_GET(page), method).status_code == 405


def test_the_view_that_answers_head_itself_is_asked_once():
    asked = []

    answer(lambda request: (asked.append(request.method), page(request))[1])

    assert asked == ["HEAD"]


@pytest.mark.parametrize("view", [require_GET(page), require_POST(page)])
def test_what_stands_before_it_still_sees_head(view):
    request = RequestFactory().head("/")

    HeadMiddleware(view)(request)

    assert request.method == "HEAD"


def test_a_view_that_fails_on_get_leaves_the_request_a_head():
    def view(request):
        if request.method == "GET":
            raise LookupError
        return HttpResponseNotAllowed(["GET"])

    request = RequestFactory().head("/")

    with pytest.raises(LookupError):
        HeadMiddleware(view)(request)
    assert request.method == "HEAD"
