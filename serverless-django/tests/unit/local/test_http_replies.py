"""What a function returns becomes the reply that API Gateway would have sent."""

import json
from http import HTTPStatus

import pytest

from serverless_django.local.http_replies import InvalidReplyError, message_reply, read_reply


def reply_to(value):
    return read_reply(json.dumps(value).encode())


def test_a_full_reply_keeps_its_status_headers_and_body():
    reply = reply_to({"statusCode": 201, "headers": {"Content-Type": "application/json"}, "body": '{"id": 1}'})

    assert (reply.status, reply.body) == (201, b'{"id": 1}')
    assert reply.headers == (("content-type", "application/json"),)


def test_each_cookie_becomes_a_separate_header():
    reply = reply_to({"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"]})

    assert reply.headers == (("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2"))


def test_a_base64_body_is_sent_as_bytes():
    reply = reply_to(
        {"statusCode": 200, "headers": {"content-type": "image/png"}, "body": "iVBORw==", "isBase64Encoded": True}
    )

    assert reply.body == b"\x89PNG"


@pytest.mark.parametrize(
    ("value", "body"), [({"posts": []}, b'{"posts": []}'), ("hello", b"hello"), ([1, 2], b"[1, 2]"), (None, b"null")]
)
def test_without_a_status_the_value_itself_is_the_body(value, body):
    reply = reply_to(value)

    assert (reply.status, reply.headers, reply.body) == (200, (("content-type", "application/json"),), body)


def test_a_body_without_a_type_is_sent_as_plain_text():
    assert reply_to({"statusCode": 200, "body": "hi"}).headers == (("content-type", "text/plain;charset=utf-8"),)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_that_allows_no_body_has_none(status):
    reply = reply_to({"statusCode": status, "body": "ignored"})

    assert (reply.has_body, reply.body, reply.headers) == (False, b"", ())


def test_length_and_connection_are_the_gateways_own():
    headers = {"Content-Length": "999", "Connection": "close", "Transfer-Encoding": "chunked", "X-Kept": "yes"}

    assert reply_to({"statusCode": 204, "headers": headers}).headers == (("x-kept", "yes"),)


@pytest.mark.parametrize(
    "value",
    [
        {"statusCode": "200"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": None},
        {"statusCode": 200, "body": {"no": "text"}},
        {"statusCode": 200, "body": "not base64", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a", "b"]},
        {"statusCode": 200, "headers": {"x-count": 1}},
        {"statusCode": 200, "headers": {"x-split": "a\r\nset-cookie: b"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "cookies": [1]},
    ],
)
def test_a_malformed_reply_is_refused(value):
    with pytest.raises(InvalidReplyError):
        reply_to(value)


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(payload):
    with pytest.raises(InvalidReplyError, match="returned no JSON"):
        read_reply(payload)


def test_the_gateways_own_replies_are_worded_as_on_aws():
    bodies = {status: message_reply(HTTPStatus(status)).body for status in (401, 404, 413, 500, 503)}

    assert bodies == {
        401: b'{"message":"Unauthorized"}',
        404: b'{"message":"Not Found"}',
        413: b'{"message":"Request Entity Too Large"}',
        500: b'{"message":"Internal Server Error"}',
        503: b'{"message":"Service Unavailable"}',
    }
