"""HTTP event of Lambda → ASGI scope and body, at Mangum's own joint: its handler classes, subclassed per source.

Each source is read as captures of it show, and its path is decoded once:

| source       | path            | query                   | cookies              | client                  |
|--------------|-----------------|-------------------------|----------------------|-------------------------|
| HTTP API     | decoded         | as on the wire          | `cookies`            | request context         |
| function URL | percent-encoded | as on the wire          | `cookies` and header | request context         |
| REST API     | percent-encoded | decoded mappings        | headers              | request context         |
| ALB          | percent-encoded | mappings as on the wire | headers              | last of X-Forwarded-For |
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlencode

from mangum.handlers import ALB, APIGateway, HTTPGateway
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, LambdaHandler, Response, Scope

from lambda_app.serverless.http import replies
from lambda_app.serverless.http.fields import (
    Fields,
    MalformedEventError,
    WireHeaders,
    body_of,
    list_of,
    mapping_of,
    multi_value_fields,
    text_of,
)
from lambda_app.serverless.http.prefixes import base_path_of, stage_prefix_of


class HttpApi(HTTPGateway):
    """API Gateway's HTTP API, payload format 2.0.  It has decoded the path, so we do not."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return event.get("version") == "2.0"

    @cached_property
    def body(self) -> bytes:
        return body_of(self.event)

    @cached_property
    def scope(self) -> Scope:
        context = mapping_of(self.event, "requestContext")
        http = mapping_of(context, "http", of="requestContext")
        path = self._path(http) or "/"
        return _scope(
            self,
            self._fields(),
            method=text_of(http, "method", of="requestContext.http").upper(),
            path=path,
            root_path=base_path_of(path, self.config) or stage_prefix_of(path, context),
            query_string=text_of(self.event, "rawQueryString").encode(),
            client=(text_of(http, "sourceIp", of="requestContext.http"), 0),
            server=(_domain_name(context), 443),
        )

    def __call__(self, response: Response) -> dict[str, Any]:
        return replies.payload_2(response)

    def _path(self, http: Mapping[str, Any]) -> str:
        return text_of(http, "path", of="requestContext.http")

    def _fields(self) -> Fields:
        headers = mapping_of(self.event, "headers")
        cookies = list_of(self.event, "cookies")
        if not cookies:
            return headers.items()
        # A function URL sends cookies twice.
        others = [(name, value) for name, value in headers.items() if name != "cookie"]
        return [*others, ("cookie", "; ".join(cookies))]


class FunctionUrl(HttpApi):
    """A function's own URL: payload 2.0 as well, with the path as on the wire in `rawPath`."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        origin = event.get("requestContext")
        return event.get("version") == "2.0" and isinstance(origin, dict) and ".lambda-url." in _domain_name(origin)

    def _path(self, http: Mapping[str, Any]) -> str:
        return unquote(text_of(self.event, "rawPath"))


class RestApi(APIGateway):
    """API Gateway's REST API, and an HTTP API with payload format 1.0."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return "httpMethod" in event

    @cached_property
    def body(self) -> bytes:
        return body_of(self.event)

    @cached_property
    def scope(self) -> Scope:
        context = mapping_of(self.event, "requestContext")
        identity = mapping_of(context, "identity", of="requestContext")
        prefix, path = self._prefix_and_path(context)
        return _scope(
            self,
            _fields(self.event),
            method=text_of(self.event, "httpMethod").upper(),
            path=prefix + path,
            root_path=prefix or base_path_of(path, self.config) or stage_prefix_of(path, context),
            query_string=urlencode(_query_pairs(self.event)).encode(),
            client=(text_of(identity, "sourceIp", of="requestContext.identity"), 0),
            server=(_domain_name(context), 443),
        )

    def __call__(self, response: Response) -> dict[str, Any]:
        return replies.payload_1(response)

    def _prefix_and_path(self, context: Mapping[str, Any]) -> tuple[str, str]:
        """Return the stage that the client has in its URL and `path` has not, and the decoded path."""
        path = text_of(self.event, "path") or "/"
        whole = context.get("path")
        prefix = whole.removesuffix(path) if isinstance(whole, str) and whole.endswith(path) else ""
        # An HTTP API has decoded the path in this format too.
        return unquote(prefix), path if self.event.get("version") == "1.0" else unquote(path)


class LoadBalancer(ALB):
    """An Application Load Balancer, with or without multi-value headers."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        request_context = event.get("requestContext")
        return isinstance(request_context, dict) and "elb" in request_context

    @cached_property
    def body(self) -> bytes:
        return body_of(self.event)

    @cached_property
    def scope(self) -> Scope:
        fields = list(_fields(self.event))
        path = unquote(text_of(self.event, "path")) or "/"
        named = {name.lower(): value for name, value in fields}
        is_plain = named.get("x-forwarded-proto") == "http"
        return _scope(
            self,
            fields,
            method=text_of(self.event, "httpMethod").upper(),
            path=path,
            root_path=base_path_of(path, self.config),
            query_string="&".join(f"{name}={value}" for name, value in _query_pairs(self.event)).encode(),
            client=(_last_hop(named.get("x-forwarded-for", "")), 0),
            server=(named.get("host", "").partition(":")[0], 80 if is_plain else 443),
            scheme="http" if is_plain else "https",
        )

    def __call__(self, response: Response) -> dict[str, Any]:
        return replies.load_balancer(response, multi_value="multiValueHeaders" in self.event)


class UnknownGateway(HttpApi):
    """The end of the list: what no other takes must not reach Mangum's own handlers, which guess."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return True

    @cached_property
    def scope(self) -> Scope:
        raise MalformedEventError("neither version 2.0 nor httpMethod says which kind of HTTP event this is")


GATEWAYS: list[type[LambdaHandler]] = [LoadBalancer, FunctionUrl, HttpApi, RestApi, UnknownGateway]


ASGI = {"version": "3.0", "spec_version": "2.0"}


def _scope(gateway: Any, fields: Fields, **parts: Any) -> Scope:
    return {
        "type": "http",
        "asgi": ASGI,
        "http_version": "1.1",
        # Except at a load balancer there is nothing but TLS, whatever a header says.
        "scheme": "https",
        "raw_path": None,
        "headers": WireHeaders(fields, body=gateway.body),
        "aws.event": gateway.event,
        "aws.context": gateway.context,
        **parts,
    }


def _domain_name(request_context: Mapping[str, Any]) -> str:
    name = request_context.get("domainName")
    return name if isinstance(name, str) else ""


def _fields(event: LambdaEvent) -> Fields:
    if event.get("multiValueHeaders") is not None:
        return multi_value_fields(mapping_of(event, "multiValueHeaders"))
    return mapping_of(event, "headers").items()


def _query_pairs(event: LambdaEvent) -> list[tuple[str, str]]:
    if event.get("multiValueQueryStringParameters") is not None:
        parameters = mapping_of(event, "multiValueQueryStringParameters")
        return [(name, _text(value)) for name in parameters for value in list_of(parameters, name)]
    return [(name, _text(value)) for name, value in mapping_of(event, "queryStringParameters").items()]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise MalformedEventError(f"a query parameter should be text, got {value!r:.100}")


def _last_hop(forwarded_for: str) -> str:
    """Return the address that the load balancer itself saw; what stands before it, the client may have written."""
    address = forwarded_for.rpartition(",")[2].strip()
    if address.startswith("["):
        return address[1:].partition("]")[0]
    # The port of an IPv4 client, if the load balancer is told to preserve it.
    return address.partition(":")[0] if address.count(":") == 1 else address
