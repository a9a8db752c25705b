"""The deployed API is read as a value, and the most specific of its routes wins."""

from types import SimpleNamespace

import pytest

from serverless_django.local.deployed_api import (
    DeployedApi,
    JwtAuthorizer,
    Route,
    UnsupportedApiError,
    read_deployed_api,
)

FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:web:live"
INTEGRATION_URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION_ARN}/invocations"
KEYS = ["$default", "ANY /{proxy+}", "ANY /v1/{proxy+}", "GET /v1/{proxy+}", "ANY /v1/docs", "GET /v1/docs"]
KEYS += ["GET /v1/posts/{id}", "GET /v1/posts/recent", "GET /v1/posts/{id}/likes"]


def api(*keys):
    routes = tuple(Route(route_key=key, function_arn=FUNCTION_ARN) for key in keys)
    return DeployedApi(api_id="a1", region="us-east-1", domain_name="a1.example", routes=routes)


def selected(method, path, *, keys=tuple(KEYS)):
    found = api(*keys).select(method, path)
    return found and (found[0].route_key, found[1])


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/v1/docs", "GET /v1/docs", {}),
        ("POST", "/v1/docs", "ANY /v1/docs", {}),
        ("GET", "/v1/posts/recent", "GET /v1/posts/recent", {}),
        ("GET", "/v1/posts/7", "GET /v1/posts/{id}", {"id": "7"}),
        ("GET", "/v1/posts/7/likes", "GET /v1/posts/{id}/likes", {"id": "7"}),
        ("GET", "/v1/posts/7/views", "GET /v1/{proxy+}", {"proxy": "posts/7/views"}),
        ("PUT", "/v1/posts/7", "ANY /v1/{proxy+}", {"proxy": "posts/7"}),
        ("GET", "/v2/books", "ANY /{proxy+}", {"proxy": "v2/books"}),
        ("GET", "/v1", "ANY /{proxy+}", {"proxy": "v1"}),
        ("GET", "/", "$default", {}),
    ],
)
def test_the_most_specific_route_wins_whatever_their_order(method, path, key, parameters, order):
    assert selected(method, path, keys=KEYS[::order]) == (key, parameters)


def test_a_request_that_no_route_takes_has_none():
    assert selected("POST", "/healthz", keys=["GET /healthz", "ANY /v1/{proxy+}"]) is None


def test_a_dot_in_a_route_is_only_a_dot():
    assert selected("GET", "/v1/openapiXjson", keys=["GET /v1/openapi.json"]) is None


def test_path_parameters_are_decoded_once_more_like_the_path():
    assert selected("GET", "/v1/a%2Fb", keys=["GET /v1/{name}"]) == ("GET /v1/{name}", {"name": "a/b"})


def client(*, route=None, integration=None, authorizer=None):
    routes = [{"RouteKey": "ANY /v1/{proxy+}", "Target": "integrations/i1"} | (route or {})]
    integrations = [{"IntegrationId": "i1", "IntegrationUri": INTEGRATION_URI, "PayloadFormatVersion": "2.0"}]
    return SimpleNamespace(
        meta=SimpleNamespace(region_name="us-east-1"),
        get_routes=lambda **_: {"Items": routes},
        get_integrations=lambda **_: {"Items": [integrations[0] | (integration or {})]},
        get_authorizers=lambda **_: {"Items": [authorizer] if authorizer else []},
    )


AUTHORIZER = {
    "AuthorizerId": "z1",
    "IdentitySource": ["$request.header.Authorization"],
    "JwtConfiguration": {"Issuer": "https://issuer.example", "Audience": ["books"]},
}


def test_the_deployed_api_is_read_with_its_functions_and_authorizers():
    route = {"AuthorizationType": "JWT", "AuthorizerId": "z1", "AuthorizationScopes": ["books.read"]}

    deployed = read_deployed_api(client(route=route, authorizer=AUTHORIZER), "a1")

    guard = JwtAuthorizer(issuer="https://issuer.example", audience=("books",))
    assert deployed.domain_name == "a1.execute-api.us-east-1.amazonaws.com"
    assert deployed.authorizer == guard
    assert deployed.routes == (
        Route(route_key="ANY /v1/{proxy+}", function_arn=FUNCTION_ARN, authorizer=guard, scopes=("books.read",)),
    )


def test_a_route_without_authorizer_is_open():
    deployed = read_deployed_api(client(route={"AuthorizationType": "NONE", "AuthorizerId": None}), "a1")

    assert deployed.routes[0].authorizer is None
    assert deployed.authorizer is None


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"integration": {"PayloadFormatVersion": "1.0"}}, "needs a function with payload 2.0"),
        ({"integration": {"IntegrationUri": "https://example.com"}}, "needs a function with payload 2.0"),
        ({"route": {"Target": "integrations/none"}}, "needs a function with payload 2.0"),
        ({"route": {"AuthorizationType": "AWS_IAM"}}, "guarded by AWS_IAM"),
        ({"route": {"AuthorizationType": "JWT", "AuthorizerId": "lost"}}, "guarded by JWT"),
        (
            {
                "route": {"AuthorizationType": "JWT", "AuthorizerId": "z1"},
                "authorizer": AUTHORIZER | {"IdentitySource": ["$request.querystring.token"]},
            },
            "looks at headers only",
        ),
    ],
)
def test_what_the_emulator_cannot_do_is_refused_at_start(parts, message):
    with pytest.raises(UnsupportedApiError, match=message):
        read_deployed_api(client(**parts), "a1")
