"""What goes wrong in an app is answered as a problem, logged once, and tells a stranger nothing."""

import json
import logging

import pytest
from django.core import signals

pytestmark = pytest.mark.django_db(transaction=True)


def problem_of(reply):
    assert reply["headers"]["content-type"] == "application/problem+json"
    return json.loads(reply["body"])


def errors(caplog):
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("view", ["fail", "fail_async", "stream_that_breaks"])
def test_an_exception_is_answered_with_500_and_logged_once(get, caplog, view):
    reply = get(f"/{view}")

    assert (reply["statusCode"], problem_of(reply)["request_id"]) == (500, "JKJaXmPLvHcESHA=")
    assert "secret" not in reply["body"]
    assert [record.exc_info[0] for record in errors(caplog)] == [LookupError]


def test_an_exception_outside_of_every_view_is_answered_too(get, caplog):
    def fail(**kwargs):
        raise LookupError("in a signal")

    signals.request_started.connect(fail)
    reply = get("/thread")
    signals.request_started.disconnect(fail)

    assert problem_of(reply)["status"] == 500
    assert [record.exc_info[0] for record in errors(caplog)] == [LookupError]


@pytest.mark.parametrize(("view", "size"), [("large", "7,000,"), ("large_binary", "6,667,")])
def test_a_response_too_large_for_lambda_tells_the_developer_what_to_do(get, caplog, view, size):
    reply = get(f"/{view}")

    detail = problem_of(reply)["detail"]
    assert (reply["statusCode"], "store it in S3" in detail, size in detail) == (500, True, True)
    assert "at most 6,291,556" in errors(caplog)[0].getMessage()


@pytest.mark.parametrize(("view", "kind"), [("endless_stream", "sync"), ("endless_stream_async", "async")])
def test_a_stream_without_an_end_is_cut_where_it_cannot_fit_any_more(get, view, kind):
    from tests.integration.http.views import CLOSED

    CLOSED.clear()
    reply = get(f"/{view}")

    assert "store it in S3" in problem_of(reply)["detail"]
    assert [kind] == CLOSED


@pytest.mark.parametrize(("view", "kind"), [("stream", "sync"), ("stream_async", "async")])
def test_a_stream_is_collected_and_closed(get, view, kind):
    from tests.integration.http.views import CLOSED

    CLOSED.clear()
    reply = get(f"/{view}")

    assert reply["body"] == "one True"
    assert [kind] == CLOSED


def test_a_stream_need_not_be_a_generator(get):
    assert get("/stream_iterator")["body"] == "10"


def test_a_body_that_django_finds_too_long_is_answered_with_413(respond, event, lambda_context):
    sent = event("api_gateway/create") | {"body": "a" * 3_000_000}
    sent["requestContext"]["http"]["path"] = "/unread_body"

    reply = respond(sent, lambda_context)

    assert problem_of(reply)["status"] == 413


def test_a_page_that_did_not_change_is_not_sent_again(get):
    etag = get("/thread")["headers"]["etag"]

    reply = get("/thread", if_none_match=etag)

    assert (reply["statusCode"], reply["body"], reply["headers"]["etag"]) == (304, "", etag)
    assert "content-type" not in reply["headers"]


def test_head_has_the_headers_of_get_and_no_body(get):
    whole, head = get("/thread"), get("/thread", method="HEAD")

    assert (head["statusCode"], head["body"]) == (200, "")
    assert head["headers"]["content-length"] == whole["headers"]["content-length"] == str(len(whole["body"]))
