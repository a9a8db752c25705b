"""Each gateway gets headers, cookies and body in the one form that it understands."""

import pytest

from serverless_django.http.limits import (
    MAX_LOAD_BALANCER_BYTES,
    MAX_PAYLOAD_BYTES,
    ResponseTooLargeError,
    check_size,
)
from serverless_django.http.replies import load_balancer, payload_1, payload_2

COOKIES = [[b"Set-Cookie", b"a=1"], [b"Set-Cookie", b"b=2"], [b"Set-Cookie", b"c=3"]]


def response(*headers, status=200, body=b""):
    return {"status": status, "headers": list(headers), "body": body}


def test_payload_2_joins_what_is_repeated_and_sets_cookies_apart():
    reply = payload_2(response([b"Vary", b"a"], [b"vary", b"b"], *COOKIES))

    assert reply["headers"] == {"vary": "a,b"}
    assert reply["cookies"] == ["a=1", "b=2", "c=3"]


def test_payload_1_lists_what_is_repeated():
    reply = payload_1(response([b"X", b"1"], *COOKIES))

    assert reply["headers"] == {"x": "1"}
    assert reply["multiValueHeaders"] == {"set-cookie": ["a=1", "b=2", "c=3"]}


def test_a_load_balancer_with_lists_gets_lists():
    assert load_balancer(response([b"X", b"1"]), multi_value=True)["multiValueHeaders"] == {"x": ["1"]}


def test_a_load_balancer_without_lists_keeps_every_cookie():
    headers = load_balancer(response([b"Vary", b"a"], [b"Vary", b"b"], *COOKIES), multi_value=False)["headers"]

    assert headers.pop("vary") == "a,b"
    assert list(headers.values()) == ["a=1", "b=2", "c=3"]
    assert {name.lower() for name in headers} == {"set-cookie"}


@pytest.mark.parametrize(("status", "description"), [(404, "404 Not Found"), (499, "499 Unknown")])
def test_a_load_balancer_is_told_the_status_in_words(status, description):
    assert load_balancer(response(status=status), multi_value=False)["statusDescription"] == description


@pytest.mark.parametrize(
    ("body", "sent"), [("λ".encode(), ("λ", False)), (b"\xff", ("/w==", True)), (b"", ("", False))]
)
def test_what_is_utf_8_travels_as_text_and_the_rest_as_base64(body, sent):
    reply = payload_2(response(body=body))

    assert (reply["body"], reply["isBase64Encoded"]) == sent


@pytest.mark.parametrize("body", ["a" * 6_291_000, "λ" * 3_145_000, "a"])
def test_what_fits_is_let_through(body):
    check_size({"statusCode": 200, "body": body})


@pytest.mark.parametrize("body", ["a" * MAX_PAYLOAD_BYTES, '"' * 3_200_000, "\0" * 1_100_000])
def test_the_size_is_that_of_the_json_that_the_runtime_writes(body):
    with pytest.raises(ResponseTooLargeError, match=r"at most 6,291,556; store it in S3"):
        check_size({"statusCode": 200, "body": body})


def test_a_load_balancer_takes_a_megabyte():
    check_size({"statusCode": 200, "body": "a" * 1_048_000}, limit=MAX_LOAD_BALANCER_BYTES)

    with pytest.raises(ResponseTooLargeError, match=r"at most 1,048,576; store it in S3"):
        check_size({"statusCode": 200, "body": "a" * 1_048_576}, limit=MAX_LOAD_BALANCER_BYTES)
