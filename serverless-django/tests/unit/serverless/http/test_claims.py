"""Claims come from the gateway's place in the event, and from nowhere that a client can write."""

import asyncio

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from serverless_django.http.middleware import ClaimsMiddleware

CLAIMS = {"sub": "ada", "preferred_username": "ada"}
EVENT = {"requestContext": {"authorizer": {"jwt": {"claims": CLAIMS, "scopes": None}}}}


def claims_of(request):
    ClaimsMiddleware(lambda request: HttpResponse())(request)
    return request.claims


def test_the_claims_of_the_verified_token_are_on_the_request():
    assert claims_of(RequestFactory().get("/", **{"aws.event": EVENT})) == CLAIMS


def test_an_asgi_scope_carries_them_as_well():
    request = AsyncRequestFactory().get("/")
    request.scope["aws.event"] = EVENT

    assert claims_of(request) == CLAIMS


@pytest.mark.parametrize(
    "event",
    [
        None,
        "text",
        {},
        {"requestContext": None},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {"jwt": {"claims": None}}}},
        {"requestContext": {"authorizer": {"lambda": {"claims": CLAIMS}}}},
        {"authorizer": {"jwt": {"claims": CLAIMS}}},
    ],
)
def test_without_a_verified_token_there_are_none(event):
    assert claims_of(RequestFactory().get("/", **{"aws.event": event})) is None


@pytest.mark.parametrize("name", ["aws.event", "Aws.Event", "aws-event", "aws_event", "x-claims"])
@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_no_header_makes_claims(factory, name):
    request = factory().get("/", headers={name: '{"requestContext": {}}', "authorization": "Bearer a.b.c"})

    assert claims_of(request) is None


def test_it_runs_in_an_async_chain_without_a_thread():
    async def view(request):
        return HttpResponse(str(request.claims))

    response = asyncio.run(ClaimsMiddleware(view)(RequestFactory().get("/", **{"aws.event": EVENT})))

    assert response.content.decode() == str(CLAIMS)
