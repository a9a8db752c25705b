"""No text of a stranger's costs more than its length: not in a log line, and not on its way to Django or to a task."""

import importlib
import json
import pkgutil
import re

import pytest

import lambda_app
import serverless_django
from serverless_django.http.compression import preferred_encoding
from serverless_django.http.events import GATEWAYS
from serverless_django.local.api_gateway import HttpRequest, http_api_event
from serverless_django.local.api_gateway import Origin as Place
from serverless_django.observability import redaction
from serverless_django.observability.correlation import correlation_of
from serverless_django.observability.logs import encode_line
from serverless_django.observability.recordings import shape_of
from serverless_django.observability.redaction import hide_values
from serverless_django.observability.texts import cut
from serverless_django.testing import LambdaContext
from serverless_django.throttling.middleware import network_of
from tests.linear import faults_of, grows_linearly

READ_NO_STRANGERS_TEXT = {
    "serverless_django.deploy.config.instances._CLASS": "a stage of the project's",
    "serverless_django.doctor.database_facts.PAGE": "SQL of the ORM, without values, in a test",
    "serverless_django.doctor.rules_statements._AGGREGATE": "the same",
    "serverless_django.doctor.rules_statements._SELECTED": "the same",
    "serverless_django.doctor.rules_statements._WRAPPED": "the same",
    "serverless_django.identity.jwt._TOKEN": "matched once, from the start, and no part can match another's",
    "serverless_django.s3.addresses.PLAIN_REGION": "names of regions, from the settings",
    "serverless_django.observability.recordings._COLUMNS": "SQL of the ORM, without values",
    "serverless_django.observability.recordings._LISTS": "the same; the length of its lists is tried below",
    "serverless_django.observability.recordings._LITERALS": "the same",
    "serverless_django.postgresql.concurrently._CONCURRENT": "SQL of the project's own migrations",
    "serverless_django.postgresql.concurrently._CREATE": "SQL of the project's own migrations",
    "serverless_django.postgresql.concurrently._DETACH": "SQL of the project's own migrations",
    "serverless_django.postgresql.concurrently._DROP": "SQL of the project's own migrations",
    "serverless_django.postgresql.pins._QUOTED_OR_COMMENT": "SQL of the ORM, without values",
    "serverless_django.postgresql.placeholders._TOKEN": "the same",
    "serverless_django.local.console.routes._TASK": "a line of the log, which is short",
    "serverless_django.local.deployed_api._FUNCTION_ARN": "the template",
    "serverless_django.local.deployed_api._PARAMETER": "the template",
}

UNITS = (
    "a", "a ", "-", "_", "=", ":", ",", '"', "'", "\\", '\\"', "[", "[]", "{", "\n", "\\n", "\ud800", "\u0130", "é=",
    "x=",
    "@", "a@", "a.@", "a@b.c", "w" * 50 + "@", "%40", "a%40b", "://", "://a:", "://a:b/", "://a:b@", "eyJ", "eyJa.",
    "eyJaaaaaaaa.", "Bearer ", "bearer", "bearer%20", "basic aaaaaaa ", "-----BEGIN ", "-----BEGIN RSA PRIVATE KEY",
    "-----BEGIN RSA PRIVATE KEY-----END ", "password", "password=", "password: ", 'password: "', "password=\\",
    'password="\\', "token=[", "token=[]", "token=(", "cookie: ", 'cookie: a="', 'Authorization: ="', "first_name",
    "'email': '", '"token": "', "(b'cookie', b'", '\\"token\\": \\"', "X-Amz-Signature=a&", "X-Amz-", "auth=a ",
    "DETAIL: ", "DETAIL: a\nHINT", "LINE 1", "LINE 1: a",
)  # fmt: skip
EVERY_SIGN = " @ %40 :// eyj bearer basic private key detail: line token='x'"


def patterns():
    for package in (lambda_app, serverless_django):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # These begin when they are imported: the deployed settings, the handlers, the emulator.
            if not re.search(r"\.(deployed|handlers|manage|asgi|ministack_\w+|__main__|migrations)\b", module.name):
                for name, value in vars(importlib.import_module(module.name)).items():
                    if isinstance(value, re.Pattern):
                        yield f"{module.name}.{name}", value


def test_every_pattern_of_the_product_is_linear_or_reads_no_strangers_text():
    found = {name for name, pattern in patterns() if faults_of(pattern)}

    assert found == READ_NO_STRANGERS_TEXT.keys()


def test_every_pattern_of_the_redaction_is_linear():
    patterns = [pattern for _, pattern, _ in redaction.VALUES] + [redaction._closing('"', 3)]

    assert [pattern.pattern for pattern in patterns if faults_of(pattern)] == []


@pytest.mark.parametrize("former", [r"eyJ[\w-]+\.[\w-]+\.[\w-]*", r"(\w+://[^\s:/@]*:)[^\s@]+(?=@)", r"a*b", r"\s+$"])
def test_a_pattern_that_gives_back_or_begins_again_is_found(former):
    assert faults_of(re.compile(former))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.daily(6)
def test_hiding_secrets_in_100_kb_takes_four_times_as_long_as_in_25(unit):
    assert grows_linearly(lambda text: hide_values(text + EVERY_SIGN), unit)


@pytest.mark.parametrize("unit", UNITS)
def test_a_long_text_is_cut_before_it_is_searched(unit, monkeypatch):
    seen = []
    monkeypatch.setattr(redaction, "hide_values", lambda text: seen.append(text) or "")

    encode_line({"message": (unit * 100_000)[:100_000] + EVERY_SIGN})

    assert max(map(len, seen)) <= 7 * len(cut("x " * 100_000))


@pytest.mark.nightly
def test_quadratic_work_is_found():
    former = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")

    assert not grows_linearly(lambda text: former.sub("", text), "eyJ")


def http_api(**changes):
    event = {
        "version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {"host": "testserver"},
        "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "192.0.2.1"}, "requestId": "1"},
    }  # fmt: skip
    return event | changes


def rest_api(**changes):
    context = {"identity": {"sourceIp": "192.0.2.1"}, "path": "/x"}
    return {"httpMethod": "GET", "path": "/", "headers": {}, "requestContext": context} | changes


def load_balancer(**changes):
    return {"httpMethod": "GET", "path": "/", "headers": {}, "requestContext": {"elb": {}}} | changes


def scope_of(event):
    gateway = next(kind for kind in GATEWAYS if kind.infer(event, None, {}))
    scope = gateway(event, LambdaContext(), {"api_gateway_base_path": "/"}).scope
    return scope["headers"].meta(), list(scope["headers"])


def from_the_laptop(**changes):
    request = HttpRequest(**{"method": "GET", "path": "/"} | changes)
    return http_api_event(request, Place(api_id="a", domain_name="localhost", route_key="$default"))


READERS = {
    "a path": lambda text: scope_of(rest_api(path="/" + text)),
    "a path of HTTP": lambda text: scope_of(http_api(rawPath="/" + text)),
    "a query": lambda text: scope_of(rest_api(queryStringParameters={text: text})),
    "many parameters": lambda text: scope_of(rest_api(multiValueQueryStringParameters={"a": list(text)})),
    "a header": lambda text: scope_of(http_api(headers={"x": text})),
    "many headers": lambda text: scope_of(http_api(headers={f"x{n}": "a" for n in range(len(text) // 10)})),
    "one header many times": lambda text: scope_of(rest_api(multiValueHeaders={"x": list(text), "X": list(text)})),
    "many cookies": lambda text: scope_of(http_api(cookies=list(text))),
    "a forwarded address": lambda text: scope_of(load_balancer(headers={"x-forwarded-for": text})),
    "a host": lambda text: scope_of(load_balancer(headers={"host": text})),
    "a trace": lambda text: correlation_of(http_api(headers={"x-amzn-trace-id": text}), LambdaContext()),
    "an encoding": preferred_encoding.__wrapped__,
    "a weight": lambda text: preferred_encoding.__wrapped__(f"gzip;q=0.{text}"),
    "an address": network_of,
    "a line": lambda text: encode_line({"message": text, "exception": text, text: text}),
    "a list of placeholders": lambda text: shape_of.__wrapped__(f"id IN ({', '.join(['%s'] * len(text))})"),
    "rows of placeholders": lambda text: shape_of.__wrapped__(f"VALUES {', '.join(['(%s, %s)'] * len(text))}"),
    "a path on the laptop": lambda text: from_the_laptop(path="/" + text.replace("%", "")),
    "a query on the laptop": lambda text: from_the_laptop(query=text),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("unit", ["a1", ",", ";", "%41", "&a=", "é"])
@pytest.mark.daily(8)
def test_reading_a_request_of_100_kb_takes_four_times_as_long_as_of_25(reader, unit):
    assert grows_linearly(READERS[reader], unit)


MESSAGE = {"id": "x", "task": "t", "enqueued_at": "2026-01-01T00:00:00Z", "args": [], "kwargs": {}, "version": 1}


def body(**changes):
    return json.dumps(MESSAGE | changes)


def record_of(key):
    entity = {"bucket": {"name": "b"}, "object": {"key": key}}
    return {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "t", "s3": entity}


def test_reading_a_message_or_a_key_takes_as_long_as_it_is_long():
    from serverless_django.s3.events import read_objects
    from serverless_django.tasks.wire import read_envelope

    for unit in ("a", "%41", "+", "[", "/", "\\", '"', "1"):
        assert grows_linearly(lambda text: read_envelope(body(id=text, args=[text])), unit)
        assert grows_linearly(lambda text: list(read_objects({"Records": [record_of(text)]})), unit)


@pytest.mark.django_db
@pytest.mark.parametrize("unit", ["eyJ", "a@", "://a:", "%25"])
@pytest.mark.parametrize("place", ["path", "trace", "agent", "cookie", "query"])
@pytest.mark.daily(4)
def test_a_whole_request_of_100_kb_takes_four_times_as_long_as_of_25(place, unit):
    from serverless_django.handlers.api_gateway import handler

    def send(text):
        headers = {"host": "testserver"}
        headers |= {name: text for name, where in HEADERS.items() if where == place}
        path, query = "/" + text if place == "path" else "/", text if place == "query" else ""
        context = {"http": {"method": "GET", "path": path, "sourceIp": "192.0.2.1"}, "requestId": "1"}
        handler(http_api(rawPath=path, rawQueryString=query, headers=headers, requestContext=context), LambdaContext())

    assert grows_linearly(send, unit)


HEADERS = {"x-amzn-trace-id": "trace", "user-agent": "agent", "cookie": "cookie"}
