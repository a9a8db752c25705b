"""The emulator of API Gateway admits, invokes and answers as API Gateway does, whatever the function does."""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus

import pytest

from serverless_django.local.api_gateway import HttpRequest
from serverless_django.local.api_gateway_emulator import ApiGatewayEmulator, Exchange
from serverless_django.local.deployed_api import DeployedApi, JwtAuthorizer, Route
from serverless_django.local.environments import ThrottledError
from serverless_django.local.http_replies import message_reply
from serverless_django.local.issuer import LocalIssuer

GUARD = JwtAuthorizer(issuer="https://issuer.example", audience=("books",))
API = DeployedApi(
    api_id="a1b2c3d4e5",
    region="eu-central-1",
    domain_name="a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    routes=(
        Route(route_key="$default", function_arn="arn:open"),
        Route(route_key="ANY /v1/{proxy+}", function_arn="arn:guarded", authorizer=GUARD),
        Route(route_key="GET /v1/docs", function_arn="arn:docs"),
        Route(route_key="GET /scoped", function_arn="arn:scoped", authorizer=GUARD, scopes=("books.write",)),
    ),
)


@dataclass
class Result:
    payload: bytes = b'{"statusCode": 200, "body": "done"}'
    error: str | None = None
    cold: bool = False


class Functions:
    """Remembers what was invoked; answers with `outcome`, or raises it."""

    def __init__(self, outcome=None, *, seconds=0.0):
        self.outcome, self.seconds, self.invocations = outcome or Result(), seconds, []

    async def __call__(self, function_arn, payload, *, trace_id):
        self.invocations.append((function_arn, json.loads(payload), trace_id))
        await asyncio.sleep(self.seconds)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("issuer") / "key.pem")


@pytest.fixture
def token(issuer):
    return issuer.issue_token("ada", issuer=GUARD.issuer, audience="books")


@pytest.fixture
def answer(issuer):
    def answer(path, functions, *, method="GET", timeout_seconds=5.0, **fields):
        gateway = ApiGatewayEmulator(API, functions, lambda _: issuer.jwks, timeout_seconds=timeout_seconds)
        reply, _ = asyncio.run(gateway.answer(HttpRequest(method=method, path=path, **fields)))
        return reply.status, json.loads(reply.body) if reply.body.startswith(b"{") else reply.body

    return answer


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def test_an_open_route_runs_its_function(answer):
    functions = Functions()

    assert answer("/healthz", functions) == (200, b"done")
    ((arn, event, trace_id),) = functions.invocations
    assert (arn, event["routeKey"], event["rawPath"]) == ("arn:open", "$default", "/healthz")
    assert trace_id == event["headers"]["x-amzn-trace-id"]


def test_a_guarded_route_hands_the_claims_to_its_function(answer, token):
    functions = Functions()

    assert answer("/v1/books", functions, headers=bearer(token)) == (200, b"done")
    ((arn, event, _),) = functions.invocations
    assert arn == "arn:guarded"
    assert event["pathParameters"] == {"proxy": "books"}
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["preferred_username"] == "ada"


@pytest.mark.parametrize("headers", [[], bearer("forged.by.me")])
def test_without_a_valid_token_no_function_runs(answer, headers):
    functions = Functions()

    assert answer("/v1/books", functions, headers=headers) == (401, {"message": "Unauthorized"})
    assert functions.invocations == []


def test_a_refusal_names_the_scheme(issuer):
    gateway = ApiGatewayEmulator(API, Functions(), lambda _: issuer.jwks)

    reply, cold = asyncio.run(gateway.answer(HttpRequest(method="GET", path="/v1/books")))

    assert ("www-authenticate", "Bearer") in reply.headers
    assert cold is None


def test_a_public_path_below_a_guarded_one_is_open(answer):
    assert answer("/v1/docs", Functions()) == (200, b"done")


def test_more_slashes_do_not_lead_around_the_authorizer(answer):
    assert answer("//v1/books", Functions())[0] == 401


def test_an_encoded_path_does_not_lead_around_the_authorizer(answer):
    assert answer("/%761/books", Functions())[0] == 401


def test_a_token_without_the_scope_is_forbidden(answer, token):
    assert answer("/scoped", Functions(), headers=bearer(token)) == (403, {"message": "Forbidden"})


def test_an_unknown_route_is_not_found(issuer):
    api = DeployedApi(api_id="a", region="r", domain_name="d", routes=(API.routes[2],))
    gateway = ApiGatewayEmulator(api, Functions(), lambda _: issuer.jwks)

    reply, _ = asyncio.run(gateway.answer(HttpRequest(method="POST", path="/v1/docs")))

    assert (reply.status, reply.body) == (404, b'{"message":"Not Found"}')


def test_a_path_that_cannot_be_decoded_is_a_bad_request(answer):
    assert answer("/100%", Functions()) == (400, {"message": "Bad Request"})


@pytest.mark.parametrize(
    ("outcome", "reply"),
    [
        (Result(error="Unhandled", payload=b'{"errorMessage": "secret"}'), (500, {"message": "Internal Server Error"})),
        (Result(payload=b'{"statusCode": "200"}'), (500, {"message": "Internal Server Error"})),
        (Result(payload=b"no json"), (500, {"message": "Internal Server Error"})),
        (ThrottledError("busy"), (503, {"message": "Service Unavailable"})),
    ],
)
def test_a_function_that_fails_is_answered_as_on_aws(answer, outcome, reply):
    assert answer("/", Functions(outcome)) == reply


def test_a_function_that_takes_too_long_is_not_waited_for(answer):
    assert answer("/", Functions(seconds=3), timeout_seconds=0.01) == (503, {"message": "Service Unavailable"})


def test_an_event_beyond_lambdas_limit_is_too_large(answer):
    functions = Functions()

    # Base64 makes these 5 MB a third longer.
    assert answer("/", functions, method="POST", body=bytes(5_000_000)) == (
        413,
        {"message": "Request Entity Too Large"},
    )
    assert functions.invocations == []


@pytest.mark.parametrize(("size", "status"), [(10_000, 200), (10_300, 431)])
def test_headers_have_a_limit(answer, size, status):
    assert answer("/", Functions(), headers=[("X-Large", "x" * size)])[0] == status


def test_the_line_of_a_request_says_what_ran():
    request = HttpRequest(method="GET", path="/v1/books", query="limit=2")
    reply = message_reply(HTTPStatus.NOT_FOUND)

    line = str(Exchange(request, reply, milliseconds=12.34, cold=True))

    assert line.split() == ["GET", "/v1/books?limit=2", "404", "12.3", "ms", "cold"]
