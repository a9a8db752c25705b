"""The event of a request is the one that API Gateway would have sent."""

import base64
from datetime import UTC, datetime

import pytest

from serverless_django.local.api_gateway import (
    Caller,
    HttpRequest,
    InvalidEscapeError,
    Origin,
    claim_text,
    http_api_event,
)

ORIGIN = Origin(
    api_id="a1b2c3d4e5",
    domain_name="a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    route_key="ANY /v1/{proxy+}",
    account_id="123456789012",
)


def request(path="/v1/books", **fields):
    return HttpRequest(**{"method": "GET", "path": path} | fields)


def event_of(*, path="/v1/books", **fields):
    return http_api_event(request(path, **fields), ORIGIN)


def test_a_whole_event_has_the_documented_shape():
    sent = request(
        "/v1/posts",
        method="POST",
        query="draft=yes&tag=a&tag=b",
        headers=[("Content-Type", "application/json"), ("User-Agent", "phone/1.0"), ("Cookie", "theme=dark; lang=de")],
        body=b'{"caption":"\xc3\xa9"}',
        source_ip="192.0.2.7",
        request_id="JKJaXmPLvHcESHA=",
        received_at=datetime(2026, 7, 10, 19, 19, 5, 766000, tzinfo=UTC),
    )
    caller = Caller(claims={"sub": "ada", "admin": True, "level": 3})

    event = http_api_event(sent, ORIGIN, path_parameters={"proxy": "posts"}, caller=caller)

    trace_id = event["headers"].pop("x-amzn-trace-id")
    assert trace_id.startswith("Root=1-6a5145a9-")
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": "/v1/posts",
        "rawQueryString": "draft=yes&tag=a&tag=b",
        "cookies": ["theme=dark", "lang=de"],
        "headers": {
            "content-length": "16",
            "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "phone/1.0",
            "x-forwarded-for": "192.0.2.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {"draft": "yes", "tag": "a,b"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "authorizer": {"jwt": {"claims": {"sub": "ada", "admin": "true", "level": "3"}, "scopes": None}},
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": "/v1/posts",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "phone/1.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "ANY /v1/{proxy+}",
            "stage": "$default",
            "time": "10/Jul/2026:19:19:05 +0000",
            "timeEpoch": 1783711145766,
        },
        "pathParameters": {"proxy": "posts"},
        "body": '{"caption":"é"}',
        "isBase64Encoded": False,
    }


def test_what_has_nothing_to_say_is_left_out():
    event = event_of()

    assert {"cookies", "queryStringParameters", "pathParameters", "body"}.isdisjoint(event)
    assert "authorizer" not in event["requestContext"]
    assert event["rawQueryString"] == ""


@pytest.mark.parametrize(
    ("sent", "delivered"),
    [
        ("/plain/path", "/plain/path"),
        ("/two%20words", "/two words"),
        ("/plus+sign", "/plus+sign"),
        ("/plus%2Bsign", "/plus+sign"),
        ("/caf%C3%A9", "/café"),
        ("/a%23b", "/a#b"),
        ("/a%2Fb", "/a/b"),
        ("/cut%3Fhere", "/cut"),
        ("/twice%252Fencoded", "/twice/encoded"),
        ("/twice%253Fencoded", "/twice?encoded"),
        ("/100%2525", "/100%"),
    ],
)
def test_paths_arrive_decoded_as_captured_on_aws(sent, delivered):
    event = event_of(path=sent)

    assert event["rawPath"] == delivered
    assert event["requestContext"]["http"]["path"] == delivered


@pytest.mark.parametrize("path", ["/100%", "/%zz", "/%4", "/100%25done"])
def test_a_path_that_cannot_be_decoded_twice_is_refused(path):
    with pytest.raises(InvalidEscapeError, match="starts no escape; send %25 instead"):
        event_of(path=path)


def test_the_query_stays_as_it_was_on_the_wire():
    query = "to=https%3A%2F%2Fexample.com&a=1&plus=a+b&coded=a%2Bb&empty=&a=2&flag"

    event = event_of(query=query)

    assert event["rawQueryString"] == query
    assert event["queryStringParameters"] == {
        "to": "https://example.com",
        "a": "1,2",
        "plus": "a b",
        "coded": "a+b",
        "empty": "",
        "flag": "",
    }


def test_repeated_headers_are_joined_by_a_comma_alone():
    event = event_of(headers=[("X-Tag", "first"), ("x-tag", "second, third")])

    assert event["headers"]["x-tag"] == "first,second, third"


def test_cookies_leave_the_headers_and_keep_their_order():
    event = event_of(headers=[("Cookie", 'a=1; b="x=y"'), ("cookie", "a=2")])

    assert event["cookies"] == ["a=1", 'b="x=y"', "a=2"]
    assert "cookie" not in event["headers"]


def test_the_host_is_the_name_of_the_api_whatever_the_client_called_it():
    assert event_of(headers=[("Host", "localhost:8000")])["headers"]["host"] == ORIGIN.domain_name


def test_a_forged_client_address_stays_before_the_true_one():
    event = event_of(headers=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "http")], source_ip="192.0.2.7")

    assert event["headers"]["x-forwarded-for"] == "6.6.6.6, 192.0.2.7"
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.7"


def test_headers_of_the_connection_itself_go_no_further():
    event = event_of(headers=[("Connection", "keep-alive"), ("Transfer-Encoding", "chunked"), ("TE", "gzip")])

    assert {"connection", "transfer-encoding", "te"}.isdisjoint(event["headers"])


def test_a_chunked_body_arrives_with_its_length():
    event = event_of(method="POST", headers=[("Transfer-Encoding", "chunked")], body=b"12345")

    assert event["headers"]["content-length"] == "5"


@pytest.mark.parametrize("type_", ["application/json", "application/json; charset=utf-8", "TEXT/plain", "text/csv"])
def test_text_travels_as_text(type_):
    event = event_of(method="POST", headers=[("Content-Type", type_)], body="zwölf".encode())

    assert (event["body"], event["isBase64Encoded"]) == ("zwölf", False)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "image/jpeg")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/problem+json")],
        [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
    ],
)
def test_every_other_body_travels_as_base64(headers):
    event = event_of(method="POST", headers=headers, body=b"\xff\xd8\x00")

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\xd8\x00"


@pytest.mark.parametrize(
    ("value", "text"),
    [("ada", "ada"), (1783711145, "1783711145"), (False, "false"), (None, "null"), (["one", "two"], "[one two]")],
)
def test_every_claim_is_text(value, text):
    assert claim_text(value) == text


def test_scopes_are_listed_where_the_route_asks_for_some():
    event = http_api_event(request(), ORIGIN, caller=Caller(claims={}, scopes=("books.read",)))

    assert event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["books.read"]
