"""Every error is a problem document, and every response names its request."""

import json

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import RequestFactory

from serverless_django.http.problems import ProblemDetailsMiddleware
from serverless_django.tasks.sqs import QueueUnavailableError

EVENT = {"requestContext": {"requestId": "JKJaXmPLvHcESHA="}}


def request(event=EVENT):
    return RequestFactory().get("/v1/books", **{"aws.event": event})


def answer(response, **fields):
    return ProblemDetailsMiddleware(lambda request: response)(request(**fields))


def problem(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    return json.loads(response.content)


def test_an_error_page_becomes_a_problem():
    response = answer(HttpResponse("<h1>Not Found</h1>", status=404))

    assert problem(response) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "request_id": "JKJaXmPLvHcESHA=",
    }


def test_what_the_app_says_is_kept_as_detail():
    assert problem(answer(JsonResponse({"detail": "no such post"}, status=404)))["detail"] == "no such post"


def test_a_list_of_validation_errors_becomes_errors():
    faults = [{"loc": ["body", "caption"], "msg": "too long", "type": "string_too_long"}]

    fields = problem(answer(JsonResponse({"detail": faults}, status=422)))

    assert (fields["errors"], fields["error_count"]) == (faults, 1)
    assert "detail" not in fields


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"not json", b"\xff"])
def test_json_that_says_nothing_is_replaced(content):
    response = answer(HttpResponse(content, status=400, content_type="application/json"))

    assert problem(response)["title"] == "Bad Request"


def test_a_problem_of_the_app_is_left_alone():
    body = b'{"title": "Mine"}'

    response = answer(HttpResponse(body, status=409, content_type="application/problem+json; charset=utf-8"))

    assert response.content == body


@pytest.mark.parametrize("response", [JsonResponse({}), HttpResponse(status=304), HttpResponse(status=204)])
def test_a_success_is_left_alone_but_named(response):
    content = response.content

    assert answer(response).content == content
    assert response.headers["X-Request-Id"] == "JKJaXmPLvHcESHA="


def test_a_stream_is_not_read():
    response = answer(StreamingHttpResponse([b"a"], status=500))

    assert list(response.streaming_content) == [b"a"]


def test_the_length_is_that_of_the_problem():
    response = answer(HttpResponse("x", status=404, headers={"Content-Length": "1"}))

    assert response.headers["Content-Length"] == str(len(response.content))


@pytest.mark.parametrize("event", [None, {}, {"requestContext": {"requestId": 7}}])
def test_without_a_gateway_each_request_gets_its_own_id(event):
    ids = {answer(HttpResponse(), event=event).headers["X-Request-Id"] for _ in range(2)}

    assert len(ids) == 2


def test_an_unknown_status_has_a_title():
    assert problem(answer(HttpResponse(status=499)))["title"] == "Error"


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("gone"), QueueUnavailableError("gone")])
def test_an_unavailable_service_may_be_tried_again(caplog, error):
    response = ProblemDetailsMiddleware(lambda request: None).process_exception(request(), error)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert [record.exc_info[1] for record in caplog.records] == [error]


def test_a_fault_of_ours_is_left_to_django():
    assert ProblemDetailsMiddleware(lambda request: None).process_exception(request(), KeyError("a")) is None
