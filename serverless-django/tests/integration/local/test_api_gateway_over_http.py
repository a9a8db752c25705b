"""A real HTTP client against the emulator of API Gateway, with functions that only echo."""

import asyncio
import http.client
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread

import pytest

from serverless_django.local.api_gateway import MAX_REQUEST_BYTES
from serverless_django.local.api_gateway_emulator import ApiGatewayEmulator
from serverless_django.local.deployed_api import DeployedApi, Route
from serverless_django.local.listener import bind, serving
from tests.waiting import eventually


@dataclass
class Result:
    payload: bytes
    error: str | None = None
    cold: bool = True


async def echo(function_arn, payload, *, trace_id):
    event = json.loads(payload)
    if event["rawPath"] == "/cookies":
        return Result(b'{"statusCode": 200, "cookies": ["a=1", "b=2"], "body": "ok"}')
    if event["rawPath"] == "/empty":
        return Result(b'{"statusCode": 204, "body": "ignored"}')
    if event["rawPath"] == "/binary":
        return Result(json.dumps({"statusCode": 200, "body": event["body"], "isBase64Encoded": True}).encode())
    return Result(payload)


class Laptop:
    """The emulator of API Gateway in a thread with its own event loop, as a phone meets it."""

    def __init__(self):
        self.lines, self._up, self._thread = [], Event(), Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self):
        route = Route(route_key="$default", function_arn="arn:echo")
        api = DeployedApi(api_id="a1", region="eu-central-1", domain_name="a1.example", routes=(route,))
        gateway = ApiGatewayEmulator(
            api, echo, lambda _: {"keys": []}, on_exchange=lambda exchange: self.lines.append(str(exchange))
        )
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        async with serving(gateway, port=0) as self.address:
            self._up.set()
            await self._done.wait()

    def __enter__(self):
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *exception):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)


@pytest.fixture(scope="module")
def laptop():
    with Laptop() as laptop:
        yield laptop


@pytest.fixture
def send(laptop):
    connection = http.client.HTTPConnection(laptop.address.removeprefix("http://"), timeout=10)

    def send(method, path, **fields):
        connection.request(method, path, **fields)
        reply = connection.getresponse()
        return reply, reply.read()

    yield send
    connection.close()


def test_a_request_arrives_as_an_event_and_its_reply_comes_back(send):
    reply, body = send("POST", "/v1/caf%C3%A9?a=1&a=2", body=b'{"x":1}', headers={"Content-Type": "application/json"})

    event = json.loads(body)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (event["rawPath"], event["rawQueryString"], event["body"]) == ("/v1/café", "a=1&a=2", '{"x":1}')
    assert reply.headers["apigw-requestid"] == event["requestContext"]["requestId"]


def test_every_cookie_reaches_the_client_in_its_own_header(send):
    reply, _ = send("GET", "/cookies")

    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_bytes_survive_the_way_there_and_back(send):
    every_byte = bytes(range(256)) * 100

    assert send("POST", "/binary", body=every_byte)[1] == every_byte


def test_a_chunked_body_arrives_whole(send):
    _, body = send("POST", "/", body=iter([b"one ", b"two"]), headers={"Content-Type": "text/plain"})

    assert json.loads(body)["body"] == "one two"


def test_head_has_the_headers_without_the_body(send):
    reply, body = send("HEAD", "/v1/books")

    assert (reply.status, body) == (200, b"")
    assert int(reply.headers["content-length"]) > 0


def test_a_reply_without_content_keeps_the_connection_usable(send):
    assert [send("GET", path)[0].status for path in ("/empty", "/", "/empty")] == [204, 200, 204]


def test_an_upload_over_the_limit_is_refused_and_the_connection_lives(send):
    reply, body = send("POST", "/", body=bytes(MAX_REQUEST_BYTES + 1))

    assert (reply.status, body) == (413, b'{"message":"Request Entity Too Large"}')
    assert send("GET", "/")[0].status == 200


def test_requests_at_once_do_not_wait_for_each_other(laptop):
    clients = [http.client.HTTPConnection(laptop.address.removeprefix("http://"), timeout=10) for _ in range(20)]
    for client in clients:
        client.request("GET", "/")

    assert [client.getresponse().status for client in clients] == [200] * 20
    for client in clients:
        client.close()


def test_each_request_leaves_one_line(laptop, send):
    send("GET", "/v1/lines?limit=2")

    (line,) = eventually(lambda: [line for line in laptop.lines if "/v1/lines" in line], within=timedelta(seconds=5))
    assert line.split()[:3] == ["GET", "/v1/lines?limit=2", "200"]
    assert line.endswith("ms  cold")


def test_a_reply_is_not_held_back_for_an_acknowledgement(send):
    started = time.monotonic()
    for _ in range(20):
        send("GET", "/")

    # Nagle's algorithm would cost 40 ms each, 0.8 s in all.
    assert time.monotonic() - started < 0.6


def test_a_taken_port_leads_to_the_next_one():
    with bind(0) as first:
        taken = first.getsockname()[1]
        with bind(taken) as second:
            assert taken < second.getsockname()[1] <= taken + 20


def test_when_every_port_is_taken_the_error_says_what_to_do():
    with bind(0) as first:
        taken = first.getsockname()[1]

        with pytest.raises(OSError, match="are all taken; end a server or pass another port"):
            bind(taken, attempts=1)


def test_only_this_machine_is_served():
    with bind(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
