"""A request on the wire → the event that each source makes of it.

After events captured live in July 2026 (github.com/hotsock/voker):

| source       | path            | query                   | cookies              | repeated headers |
|--------------|-----------------|-------------------------|----------------------|------------------|
| HTTP API     | decoded         | as on the wire          | `cookies`            | joined           |
| function URL | percent-encoded | as on the wire          | `cookies` and header | joined           |
| REST API     | percent-encoded | decoded                 | headers              | lists            |
| ALB          | percent-encoded | mappings as on the wire | headers              | last, or lists   |
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from tests.conformance.wire import CLIENT, HOST, WireRequest

type Event = dict[str, Any]

STAGE = "prod"


def http_api(request: WireRequest) -> Event:
    event = _payload_2(request, HOST)
    path = unquote(request.path)
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    del event["headers"]["cookie"]
    return event


def function_url(request: WireRequest) -> Event:
    event = _payload_2(request, "abcdefghij.lambda-url.eu-central-1.on.aws")
    event["rawPath"] = request.path
    event["requestContext"]["http"]["path"] = unquote(request.path)
    if not event["headers"]["cookie"]:
        del event["headers"]["cookie"]
    return event


def rest_api(request: WireRequest) -> Event:
    """At the address of the API itself, whose stage is in the client's URL and in the request context only."""
    headers = _grouped(_forwarded(request))
    query = _grouped(request.query_pairs)
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last_of(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last_of(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": request.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "httpMethod": request.method,
            "identity": {"sourceIp": CLIENT, "userAgent": "test"},
            "path": f"/{STAGE}{request.path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": 1,
            "resourcePath": "/{proxy+}",
            "stage": STAGE,
        },
        **_body(request),
    }


def alb_multi(request: WireRequest) -> Event:
    headers = {name.lower(): values for name, values in _grouped(_forwarded(request)).items()}
    query = _grouped(_wire_pairs(request))
    return _alb(request) | {"multiValueHeaders": headers, "multiValueQueryStringParameters": query}


def alb_single(request: WireRequest) -> Event:
    headers = {name.lower(): value for name, value in _last_of(_grouped(_forwarded(request))).items()}
    query = _last_of(_grouped(_wire_pairs(request)))
    return _alb(request) | {"headers": headers, "queryStringParameters": query}


SOURCES: Mapping[str, Callable[[WireRequest], Event]] = {
    "http_api": http_api,
    "function_url": function_url,
    "rest_api": rest_api,
    "alb_multi": alb_multi,
    "alb_single": alb_single,
}


def _payload_2(request: WireRequest, domain_name: str) -> Event:
    headers: dict[str, str] = {}
    cookies = [value for name, value in request.headers if name.lower() == "cookie"]
    for name, value in _forwarded(request):
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    headers["cookie"] = "; ".join(cookies)
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": domain_name,
            "domainPrefix": domain_name.partition(".")[0],
            "http": {
                "method": request.method,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT,
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1,
        },
        **_body(request),
    }
    if cookies:
        event["cookies"] = [cookie for value in cookies for part in value.split(";") if (cookie := part.strip())]
    if request.query:
        event["queryStringParameters"] = {k: ",".join(v) for k, v in _grouped(request.query_pairs).items()}
    return event


def _alb(request: WireRequest) -> Event:
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/0123456789abcdef"
    return {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": request.method,
        "path": request.path,
        **_body(request),
    }


def _forwarded(request: WireRequest) -> list[tuple[str, str]]:
    """Return the headers with those that every source adds, or appends itself to."""
    given = [(name, value) for name, value in request.headers if not name.lower().startswith("x-forwarded-")]
    hops = [value for name, value in request.headers if name.lower() == "x-forwarded-for"]
    own = {
        "X-Forwarded-For": ", ".join([*hops, CLIENT]),
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    if "host" not in (name.lower() for name, _ in given):
        own["Host"] = HOST
    if request.body:
        own["Content-Length"] = str(len(request.body))
    return [*given, *own.items()]


def _wire_pairs(request: WireRequest) -> list[tuple[str, str]]:
    parts = [part.partition("=") for part in request.query.split("&") if part]
    return [(name, value) for name, _, value in parts]


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _last_of(grouped: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in grouped.items()}


def _body(request: WireRequest) -> Event:
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    is_text = request.content_type.startswith(("text/", "application/json", "application/x-www-form-urlencoded"))
    if is_text and "content-encoding" not in (name.lower() for name, _ in request.headers):
        return {"body": request.body.decode(), "isBase64Encoded": False}
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}
