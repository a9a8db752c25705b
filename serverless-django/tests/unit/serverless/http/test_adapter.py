"""An HTTP event becomes a request, a bad one an answer, and an event of another source an error."""

import asyncio
import json
import threading

import pytest
from asgiref.sync import sync_to_async

from serverless_django.http.adapter import LambdaAdapter
from serverless_django.http.limits import MAX_BODY_BYTES
from serverless_django.sources import WrongEventSourceError


def adapt(*, headers=(), body=b"{}", on_request=lambda scope: None):
    async def application(scope, receive, send):
        on_request(scope)
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return LambdaAdapter(application)


def test_the_response_of_the_application_is_returned(event, lambda_context):
    respond = adapt(headers=[(b"content-type", b"application/json")], body=b'{"a": 1}')

    response = respond(event("api_gateway/healthz"), lambda_context)

    assert (response["statusCode"], response["body"], response["isBase64Encoded"]) == (200, '{"a": 1}', False)


def test_the_application_sees_the_event(event, lambda_context):
    scopes = []
    sent = event("api_gateway/list")

    adapt(on_request=scopes.append)(sent, lambda_context)

    assert scopes[0]["aws.event"] == sent
    assert (scopes[0]["path"], scopes[0]["query_string"]) == ("/v1/books", b"limit=20")
    assert [b"host", b"localhost"] in list(scopes[0]["headers"])


@pytest.mark.parametrize("name", ["sqs/like", "s3/native", "management/trigger"])
def test_an_event_of_another_source_is_an_error(event, lambda_context, name):
    with pytest.raises(WrongEventSourceError, match=r"handlers/api_gateway.py got an event of another source"):
        adapt()(event(name), lambda_context)


@pytest.mark.parametrize(
    "changes",
    [
        {"requestContext": {"requestId": "r"}},
        {"requestContext": None},
        {"headers": {"host": None}},
        {"headers": []},
        {"headers": {"x-name": "a\r\nb"}},
        {"cookies": "a=b"},
        {"body": "YWJjZ", "isBase64Encoded": True},
        {"body": "YW!!Jj", "isBase64Encoded": True},
        {"body": {"a": 1}},
        {"body": "\ud800"},
        {"rawQueryString": None},
        {"rawQueryString": "\ud800"},
        {"version": None},
        {"version": "3.0"},
    ],
    ids=json.dumps,
)
def test_a_malformed_event_is_answered_with_400(event, lambda_context, changes):
    response = adapt()(event("api_gateway/healthz") | changes, lambda_context)

    assert (response["statusCode"], response["headers"]["content-type"]) == (400, "application/problem+json")
    assert json.loads(response["body"])["request_id"] == response["headers"]["x-request-id"] != ""


def test_a_body_that_no_event_can_carry_is_answered_with_413(event, lambda_context):
    response = adapt()(event("api_gateway/create") | {"body": "a" * (MAX_BODY_BYTES + 1)}, lambda_context)

    assert response["statusCode"] == 413
    assert "6,291,457 bytes, at most 6,291,456" in json.loads(response["body"])["detail"]


def test_a_header_in_latin_1_reaches_the_client(event, lambda_context):
    response = adapt(headers=[(b"x-name", "José".encode("latin-1"))])(event("api_gateway/healthz"), lambda_context)

    assert (response["statusCode"], response["headers"]["x-name"]) == (200, "José")


def test_an_application_that_ends_without_an_answer_is_a_fault(event, lambda_context, caplog):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    response = LambdaAdapter(application)(event("api_gateway/healthz"), lambda_context)

    assert response["statusCode"] == 500
    assert "in state RESPONSE" in str(caplog.records[0].exc_info[1])


def test_an_application_that_is_not_djangos_calls_synchronous_code_on_the_main_thread(event, lambda_context):
    threads = []

    async def application(scope, receive, send):
        await sync_to_async(lambda: threads.append(threading.current_thread()))()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    respond = LambdaAdapter(application)
    for _ in range(5):
        respond(event("api_gateway/healthz"), lambda_context)

    assert threads == [threading.main_thread()] * 5


def test_a_loop_that_other_code_ran_and_closed_is_not_ours(event, lambda_context):
    respond = adapt()
    asyncio.run(asyncio.sleep(0))

    assert respond(event("api_gateway/healthz"), lambda_context)["statusCode"] == 200


def test_one_loop_serves_every_adapter_and_request(event, lambda_context):
    loops = set()

    for _ in range(3):
        adapt(on_request=lambda scope: loops.add(asyncio.get_running_loop()))(
            event("api_gateway/healthz"), lambda_context
        )

    assert len(loops) == 1
