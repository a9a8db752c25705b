"""The HTTP API: which routes need a token is decided before Lambda is invoked, all else is Django's."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from serverless_django.contract.resources import Topology
from serverless_django.deploy.components.domain import ApiDomain
from serverless_django.deploy.components.logs import ExpiringLogs
from serverless_django.deploy.components.users import TokenIssuer
from serverless_django.deploy.config import Stage

ACCESS_LOG: Mapping[str, str] = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "source_ip": "$context.identity.sourceIp",
    "response_bytes": "$context.responseLength",
    "response_ms": "$context.responseLatency",
    "function_ms": "$context.integrationLatency",
    "function_status": "$context.integrationStatus",
    "error": "$context.error.responseType",
}
"""API Gateway puts each value between the quotes as it is, so none may be a text that a client chooses.

A quote in a User-Agent, a path or a token's header, which authorizers quote, would forge the fields that follow it.
The function logs the path of what it refuses.
"""


class Api(Construct):
    """The API and its `$default` stage.  `add_routes` says which function answers.

    In two steps, because every function is told the host name of the API.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self.domain = None if stage.edge != "none" or not stage.domain else ApiDomain(self, "Domain", stage=stage)
        self.http_api = apigateway.HttpApi(
            self,
            "HttpApi",
            create_default_stage=False,
            cors_preflight=_preflight(stage),
            # One name is enough: a second would be a way around what stands before the first.
            disable_execute_api_endpoint=True if self.domain else None,
            ip_address_type=apigateway.IpAddressType.DUAL_STACK,
        )
        self.deployed = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http_api,
            # The one name that does not become the first part of every path.
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=stage.api_requests_per_second, burst_limit=stage.api_burst),
            domain_mapping=self.domain.mapping if self.domain else None,
        )
        resource = cast("apigateway.CfnStage", self.deployed.node.default_child)
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=ExpiringLogs(self, "AccessLogs", stage=stage).log_group_arn, format=json.dumps(ACCESS_LOG)
        )

    @property
    def host(self) -> str:
        """The name that requests carry when they reach Django."""
        if self.domain:
            return self.domain.name
        stack = Stack.of(self)
        return f"{self.http_api.api_id}.execute-api.{stack.region}.{stack.url_suffix}"

    def add_routes(self, topology: Topology, *, function: lambda_.IFunction, issuer: TokenIssuer) -> None:
        # One permission for all routes: one for each would outgrow the function's policy.
        integration = integrations.HttpLambdaIntegration("Django", function, scope_permission_to_route=False)
        jwt = authorizers.HttpJwtAuthorizer("Jwt", issuer.url, jwt_audience=list(issuer.audience))
        any_method, reading = [apigateway.HttpMethod.ANY], [apigateway.HttpMethod.GET, apigateway.HttpMethod.HEAD]
        for path in topology.authenticated_paths:
            self.http_api.add_routes(path=path, methods=any_method, integration=integration, authorizer=jwt)
        for path in topology.public_paths:
            self.http_api.add_routes(path=path, methods=reading, integration=integration)
        for path in ("/", "/{proxy+}"):
            self.http_api.add_routes(path=path, methods=any_method, integration=integration)


def _preflight(stage: Stage) -> apigateway.CorsPreflightOptions | None:
    # API Gateway answers preflights and writes all headers of CORS: what Django said of it would be dropped.
    if not stage.cors_origins:
        return None
    return apigateway.CorsPreflightOptions(
        allow_origins=list(stage.cors_origins),
        allow_methods=[apigateway.CorsHttpMethod.ANY],
        allow_headers=["authorization", "content-type", "idempotency-key", "if-none-match"],
        expose_headers=["etag", "idempotent-replayed", "retry-after", "x-request-id"],
        max_age=Duration.hours(1),
    )
