"""Responses that are hard to carry, prefixes, and events that no gateway would send."""

import copy
from collections.abc import Callable
from typing import Any

from tests.conformance.cases import BALANCED, NOT_BALANCED, Case, cases
from tests.conformance.wire import HOST, WireRequest


def reply_cases() -> list[Case]:
    def reply(view: str, **expectations: Any) -> list[Case]:
        return cases(f"reply {view}", WireRequest(path=f"/reply/{view}"), **expectations)

    return [
        *reply("three_cookies", cookies=["a=1", 'b="two words"', "c=3"]),
        *reply("png", body=b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        *reply("latin_1_text", body="café".encode("latin-1")),
        *reply("utf_8_text", body="λ café 🎈".encode()),
        *reply("latin_1_header", headers={"x-name": "José"}),
        *reply("long_header", headers={"x-long": "a" * 4_000}),
        *reply("gzipped", body=b"compressed by the view"),
        *reply(
            "no_content",
            status=204,
            body=b"",
            headers={"content-type": None},
        ),
        *reply(
            "not_modified",
            status=304,
            body=b"",
            headers={"content-type": None},
        ),
        *reply("untyped", body=b"no type", headers={"content-type": None}),
        *cases(
            "reply problem, readable in a log",
            WireRequest(path="/reply/problem"),
            status=409,
            headers={"content-type": "application/problem+json"},
            body=b'{"title": "Mine"}',
        ),
        *reply("teapot", status=418),
        *reply("empty", body=b""),
        *reply("streamed", body=b"one two \xff"),
        *reply("broken_stream", status=500, lacks=["secret"]),
        *reply("file", contains=["def file"]),
        *reply("fitting_text", body=b"a" * 5_900_000, sources=NOT_BALANCED),
        *reply("fitting_text", status=500, sources=BALANCED, contains=["at most 1,048,576"]),
        *reply("megabyte_of_text", body=b"a" * 1_040_000),
        *reply("megabyte_of_binary", body=b"\xff" * 800_000, sources=NOT_BALANCED),
        *reply("megabyte_of_binary", status=500, sources=BALANCED),
        *reply("large_text", status=500),
        *reply("large_binary", status=500),
        *reply("failing", status=500, lacks=["secret"]),
        *reply(
            "redirected",
            status=302,
            headers={"location": "/elsewhere?a=1"},
        ),
        *cases("reply to HEAD", WireRequest(method="HEAD", path="/echo"), body=b""),
        *cases(
            "reply compressed",
            WireRequest(path="/reply/long_text", headers=[("Accept-Encoding", "gzip")]),
            body=b"again and " * 1_000,
            headers={"content-encoding": "gzip"},
        ),
        *cases("reply to an unknown path", WireRequest(path="/nowhere"), status=404),
    ]


def prefix_cases() -> list[Case]:
    def stage(name: str) -> Callable[[Any], None]:
        def edit(event):
            event["requestContext"] |= {"stage": name, "domainName": "a1.execute-api.eu-central-1.amazonaws.com"}

        return edit

    def own_domain(event):
        event["requestContext"] |= {"stage": "echo", "domainName": "api.example.com"}

    def mapped(event):
        event["requestContext"] |= {"domainName": "api.example.com", "path": event["path"], "stage": "prod"}

    http, rest = ("http_api",), ("rest_api",)
    under = {"path": "/prod/echo/a", "path_info": "/echo/a", "script_name": "/prod"}
    based = {"path": "/api/echo", "path_info": "/echo", "script_name": "/api"}
    return [
        *cases("stage in the path", WireRequest(path="/prod/echo/a"), edit=stage("prod"), sources=http, saw=under),
        *cases(
            "stage as a part of a name",
            WireRequest(path="/production/echo"),
            edit=stage("prod"),
            sources=http,
            status=404,
        ),
        *cases("stage alone", WireRequest(path="/prod"), edit=stage("prod"), sources=http, status=404),
        *cases(
            "own domain with a stage of the path's name",
            WireRequest(path="/echo/a"),
            edit=own_domain,
            sources=http,
            saw={"path_info": "/echo/a", "script_name": ""},
        ),
        *cases("stage of a REST API", WireRequest(path="/echo/a"), sources=rest, saw=under),
        *cases(
            "links have the stage",
            WireRequest(path="/reverse"),
            sources=rest,
            status=302,
            headers={"location": "/prod/admin/secret"},
        ),
        *cases(
            "links have the stage",
            WireRequest(path="/prod/reverse"),
            edit=stage("prod"),
            sources=http,
            status=302,
            headers={"location": "/prod/admin/secret"},
        ),
        *cases("base path", WireRequest(path="/api/echo"), edit=mapped, sources=rest, base_path="/api", saw=based),
        *cases("base path", WireRequest(path="/api/echo"), sources=http, base_path="/api", saw=based),
        *cases(
            "base path of another",
            WireRequest(path="/apix/echo"),
            edit=mapped,
            sources=rest,
            base_path="/api",
            status=404,
        ),
        *cases("base path of another", WireRequest(path="/apiecho"), sources=http, base_path="/api", status=404),
        *cases(
            "no base path",
            WireRequest(path="/echo"),
            edit=mapped,
            sources=rest,
            base_path="/api",
            saw={"path_info": "/echo", "script_name": ""},
        ),
    ]


def load_balancer_cases() -> list[Case]:
    def header(name: str, value: str) -> Callable[[Any], None]:
        def edit(event):
            if "multiValueHeaders" in event:
                event["multiValueHeaders"][name] = [value]
            else:
                event["headers"][name] = value

        return edit

    def health_check(event: Any) -> None:
        """As documented: of all headers only the user agent, and an empty body."""
        values = {"user-agent": "ELB-HealthChecker/2.0"}
        several = {name: [value] for name, value in values.items()}
        event |= {"multiValueHeaders": several} if "multiValueHeaders" in event else {"headers": values}
        event["body"] = ""

    both = BALANCED
    return [
        *cases("health check", WireRequest(), edit=health_check, sources=both, saw={"host": HOST, "scheme": "https"}),
        *cases(
            "health check of a missing page", WireRequest(path="/missing"), edit=health_check, sources=both, status=404
        ),
        *cases("a host that is empty", WireRequest(headers=[("Host", "")]), sources=both, status=400),
        *cases(
            "plain HTTP", WireRequest(), edit=header("x-forwarded-proto", "http"), sources=both, saw={"scheme": "http"}
        ),
        *cases(
            "client with its port",
            WireRequest(),
            edit=header("x-forwarded-for", "6.6.6.6, 203.0.113.9:1234"),
            sources=both,
            saw={"client": "203.0.113.9"},
        ),
        *cases(
            "client by IPv6",
            WireRequest(),
            edit=header("x-forwarded-for", "6.6.6.6, 2001:db8::1"),
            sources=both,
            saw={"client": "2001:db8::1"},
        ),
        *cases(
            "client by IPv6 with its port",
            WireRequest(),
            edit=header("x-forwarded-for", "[2001:db8::1]:1234"),
            sources=both,
            saw={"client": "2001:db8::1"},
        ),
    ]


def lenient_cases() -> list[Case]:
    """What a gateway leaves out or sends as null is no fault."""
    made = []
    for name, key in [
        ("body", "body"),
        ("isBase64Encoded", "isBase64Encoded"),
        ("queryStringParameters", "queryStringParameters"),
        ("multiValueQueryStringParameters", "multiValueQueryStringParameters"),
        ("cookies", "cookies"),
        ("stageVariables", "stageVariables"),
    ]:
        made += cases(f"without {name}", WireRequest(), edit=lambda event, key=key: event.pop(key, None))
        made += cases(
            f"{name} null",
            WireRequest(),
            edit=lambda event, key=key: event.update({key: None}) if key in event else None,
        )
    return made


def malformed_cases() -> list[Case]:
    made = []
    for name, changes in {
        "invalid base64": {"body": "YW!!Jj", "isBase64Encoded": True},
        "cut base64": {"body": "YWJjZ", "isBase64Encoded": True},
        "base64 that is not ASCII": {"body": "λλλλ", "isBase64Encoded": True},
        "an object for a body": {"body": {"a": 1}},
        "a number for a body": {"body": 7},
        "half of a surrogate pair": {"body": "\ud800"},
        "text for isBase64Encoded": {"body": "YWJj", "isBase64Encoded": "yes"},
    }.items():
        made += cases(name, WireRequest(method="POST"), edit=_changing(changes), status=400)
    made += cases("a list for headers", WireRequest(), edit=_listed_headers, status=400)
    made += cases("a header that is null", WireRequest(), edit=_null_header, status=400)
    made += cases("a header that ends another", WireRequest(), edit=_split_header, status=400)
    made += cases("no method", WireRequest(), edit=_without_method, status=400)
    made += cases("a number for a path", WireRequest(), edit=_number_for_path, status=400)
    sources = ("http_api", "function_url", "rest_api")
    made += cases("no address of the client", WireRequest(), edit=_without_client, sources=sources, status=400)
    made += cases(
        "no raw query",
        WireRequest(),
        edit=lambda event: event.update(rawQueryString=None),
        sources=sources[:2],
        status=400,
    )
    made += cases(
        "a payload format of the future",
        WireRequest(),
        edit=lambda event: event.update(version="3.0"),
        sources=sources[:2],
        status=400,
    )
    return made


def foreign_cases() -> list[Case]:
    """Events of other sources than HTTP."""
    events = {
        "SQS": {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "{}"}]},
        "S3": {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]},
        "EventBridge": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        "a warm-up": {"warmup": True},
        "nothing": {},
        "null": None,
        "a list": [],
        "text": "hello",
        "a number": 7,
    }
    return [Case(name=f"event of {name}", source="other", event=event, raises=True) for name, event in events.items()]


def _changing(changes: dict[str, Any]) -> Callable[[Any], None]:
    return lambda event: event.update(copy.deepcopy(changes))


def _headers_of(event) -> list[Any]:
    return [headers for headers in (event.get("headers"), event.get("multiValueHeaders")) if headers is not None]


def _listed_headers(event):
    for key in {"headers", "multiValueHeaders"} & set(event):
        event[key] = []


def _null_header(event):
    for headers in _headers_of(event):
        headers["x-null"] = None if headers is event.get("headers") else [None]


def _split_header(event):
    value = "a\r\nX-Admin: 1"
    for headers in _headers_of(event):
        headers["x-split"] = value if headers is event.get("headers") else [value]


def _without_method(event):
    event.pop("httpMethod", None)
    event["requestContext"].pop("httpMethod", None)
    event["requestContext"].get("http", {}).pop("method", None)


def _number_for_path(event):
    for parent in (event, event["requestContext"].get("http", {})):
        for key in {"path", "rawPath"} & set(parent):
            parent[key] = 7


def _without_client(event):
    for parent in ("http", "identity"):
        event["requestContext"].get(parent, {}).pop("sourceIp", None)


CASES = [
    *reply_cases(),
    *prefix_cases(),
    *load_balancer_cases(),
    *lenient_cases(),
    *malformed_cases(),
    *foreign_cases(),
]
