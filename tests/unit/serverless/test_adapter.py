"""An HTTP event becomes a request, a bad one an answer, and an event of another source an error."""

import asyncio
import json
import threading

import pytest
from asgiref.sync import sync_to_async

from lambda_app.serverless.http.adapter import LambdaAdapter
from lambda_app.serverless.sources import WrongEventSourceError


def application(*, headers=(), body=b"{}", on_request=lambda scope: None):
    async def application(scope, receive, send):
        on_request(scope)
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return application


@pytest.fixture
def adapt():
    adapters = []

    def adapt(*args, **kwargs):
        adapters.append(LambdaAdapter(application(*args, **kwargs)))
        return adapters[-1]

    yield adapt
    for adapter in adapters:
        adapter.loop.close()
    asyncio.set_event_loop(None)


def test_the_response_of_the_application_is_returned(adapt, event, lambda_context):
    respond = adapt(headers=[(b"content-type", b"application/json")], body=b'{"a": 1}')

    response = respond(event("api_gateway/healthz"), lambda_context)

    assert (response["statusCode"], response["body"], response["isBase64Encoded"]) == (200, '{"a": 1}', False)


def test_the_application_sees_the_event(adapt, event, lambda_context):
    scopes = []
    sent = event("api_gateway/feed_page")

    adapt(on_request=scopes.append)(sent, lambda_context)

    assert scopes[0]["aws.event"] == sent
    assert (scopes[0]["path"], scopes[0]["query_string"]) == ("/v1/feed", b"limit=20")


@pytest.mark.parametrize("name", ["sqs/like", "s3/native", "management/trigger"])
def test_an_event_of_another_source_is_an_error(adapt, event, lambda_context, name):
    with pytest.raises(WrongEventSourceError, match=r"handlers/api_gateway.py got an event of another source"):
        adapt()(event(name), lambda_context)


@pytest.mark.parametrize(
    "changes",
    [
        {"requestContext": {"requestId": "r"}},
        {"headers": {"host": None}},
        {"headers": []},
        {"body": "YWJjZ", "isBase64Encoded": True},
        {"body": {"a": 1}},
        {"rawQueryString": None},
        {"version": None},
        {"headers": {"host": "a:b:c"}},
    ],
    ids=json.dumps,
)
def test_a_malformed_event_is_answered_with_400(adapt, event, lambda_context, changes):
    response = adapt()(event("api_gateway/healthz") | changes, lambda_context)

    assert (response["statusCode"], response["headers"]["content-type"]) == (400, "application/problem+json")
    assert json.loads(response["body"])["request_id"] == response["headers"]["x-request-id"] != ""


def test_a_header_that_the_gateway_cannot_carry_is_answered_with_500(adapt, event, lambda_context):
    response = adapt(headers=[(b"x-name", "José".encode("latin-1"))])(event("api_gateway/healthz"), lambda_context)

    assert (response["statusCode"], json.loads(response["body"])["title"]) == (500, "Internal Server Error")


def test_synchronous_code_runs_on_one_thread_for_all_requests(event, lambda_context):
    threads = []

    async def application(scope, receive, send):
        await sync_to_async(lambda: threads.append(threading.get_ident()))()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    respond = LambdaAdapter(application)
    for _ in range(5):
        respond(event("api_gateway/healthz"), lambda_context)

    assert len(threads) == 5
    assert len(set(threads)) == 1
    respond.loop.close()
    asyncio.set_event_loop(None)


def test_a_loop_that_somebody_else_has_closed_is_not_ours(adapt, event, lambda_context):
    respond = adapt()
    asyncio.run(asyncio.sleep(0))

    assert respond(event("api_gateway/healthz"), lambda_context)["statusCode"] == 200
