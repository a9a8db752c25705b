"""The HTTP API that was deployed, as a value: its routes, their functions and their authorizers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from serverless_django.local.api_gateway import strictly_unquoted

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client

DEFAULT_ROUTE = "$default"

_PARAMETER = re.compile(r"\{(\w+)(\+?)\}")
_FUNCTION_ARN = re.compile(r"arn:[^:/]+:lambda:[^:/]+:\d+:function:[^/]+")


class UnsupportedApiError(ValueError):
    """The deployed API uses something of API Gateway that its emulator does not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtAuthorizer:
    """Whose tokens are accepted."""

    issuer: str
    audience: tuple[str, ...]
    identity_header: str = "authorization"


@dataclass(frozen=True, kw_only=True)
class Route:
    """Requests that one function answers."""

    route_key: str
    """"$default", or a method and a path: "GET /items/{id}", "ANY /v1/{proxy+}"."""

    function_arn: str
    authorizer: JwtAuthorizer | None = None
    scopes: tuple[str, ...] = ()
    """A token needs one of them."""

    @cached_property
    def method(self) -> str:
        return self.route_key.partition(" ")[0]

    @cached_property
    def path(self) -> str:
        return self.route_key.partition(" ")[2]

    @cached_property
    def specificity(self) -> tuple[bool, int, bool]:
        """How closely a route describes its requests: the greatest wins."""
        literals = [part for part in self.path.split("/") if part and not part.startswith("{")]
        return "+}" not in self.path, len(literals), self.method != "ANY"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # One part in three is literal, then come a name and its "+", if any.
        parts = _PARAMETER.split(self.path)
        pattern = re.escape(parts[0])
        for name, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'}){re.escape(literal)}"
        return re.compile(pattern, re.DOTALL)

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the path parameters if this route takes a request for `method` and `path`, else None."""
        if self.route_key == DEFAULT_ROUTE:
            return {}
        if self.method not in (method, "ANY") or not (found := self._pattern.fullmatch(path)):
            return None
        return {name: strictly_unquoted(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedApi:
    """One HTTP API in its stage `$default`."""

    api_id: str
    region: str
    domain_name: str
    routes: tuple[Route, ...]
    account_id: str = "000000000000"

    def select(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the most specific route for `method` and a decoded `path`, with its path parameters, or None."""
        matches = [(route, found) for route in self.routes if (found := route.match(method, path)) is not None]
        return max(matches, key=lambda match: (match[0].route_key != DEFAULT_ROUTE, match[0].specificity), default=None)

    @property
    def authorizer(self) -> JwtAuthorizer | None:
        """The authorizer of the first route that has one: whom a token for this API must be from."""
        return next((route.authorizer for route in self.routes if route.authorizer), None)


def read_deployed_api(client: "ApiGatewayV2Client", api_id: str) -> DeployedApi:
    """Return the routes, integrations and authorizers of the API `api_id`, asked with `client`.

    Raise UnsupportedApiError if a route does not end at a Lambda function with payload 2.0, or has an authorizer that
    is not for JWT.
    """
    integrations = {item["IntegrationId"]: item for item in client.get_integrations(ApiId=api_id)["Items"]}
    authorizers = {item["AuthorizerId"]: item for item in client.get_authorizers(ApiId=api_id)["Items"]}
    region = client.meta.region_name
    return DeployedApi(
        api_id=api_id,
        region=region,
        # Not the emulator's own address: the functions are told the name that AWS would give the API.
        domain_name=f"{api_id}.execute-api.{region}.amazonaws.com",
        routes=tuple(
            _route(item, integrations=integrations, authorizers=authorizers)
            for item in client.get_routes(ApiId=api_id)["Items"]
        ),
    )


def _route(item: Mapping[str, Any], *, integrations: Mapping[str, Any], authorizers: Mapping[str, Any]) -> Route:
    key = item["RouteKey"]
    integration_id = item.get("Target", "").rpartition("/")[2]
    return Route(
        route_key=key,
        function_arn=_function_arn(key, integrations.get(integration_id, {})),
        authorizer=_authorizer(key, item, authorizers),
        scopes=tuple(item.get("AuthorizationScopes") or ()),
    )


def _function_arn(route_key: str, integration: Mapping[str, Any]) -> str:
    arn = _FUNCTION_ARN.search(integration.get("IntegrationUri", ""))
    if arn is None or integration.get("PayloadFormatVersion") != "2.0":
        raise UnsupportedApiError(
            f"route {route_key!r} has integration {integration!r}; this emulator needs a function with payload 2.0"
        )
    return arn.group()


def _authorizer(route_key: str, item: Mapping[str, Any], authorizers: Mapping[str, Any]) -> JwtAuthorizer | None:
    kind = item.get("AuthorizationType") or "NONE"
    if kind == "NONE":
        return None
    authorizer = authorizers.get(item.get("AuthorizerId", ""), {})
    if kind != "JWT" or not authorizer.get("JwtConfiguration"):
        raise UnsupportedApiError(f"route {route_key!r} is guarded by {kind}; this emulator knows JWT only")
    source = authorizer["IdentitySource"][0]
    if not source.lower().startswith("$request.header."):
        raise UnsupportedApiError(
            f"route {route_key!r} takes its token from {source!r}; this emulator looks at headers only"
        )
    configuration = authorizer["JwtConfiguration"]
    return JwtAuthorizer(
        issuer=configuration["Issuer"],
        audience=tuple(configuration["Audience"]),
        identity_header=source.lower().removeprefix("$request.header."),
    )
