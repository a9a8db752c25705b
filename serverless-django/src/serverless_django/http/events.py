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
from typing import Any
from urllib.parse import unquote, urlencode

from django.conf import settings
from mangum.handlers import ALB, APIGateway, HTTPGateway
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, LambdaHandler, Response, Scope

from serverless_django.http import replies
from serverless_django.http.fields import (
    Fields,
    MalformedEventError,
    WireHeaders,
    body_of,
    check_text,
    list_of,
    mapping_of,
    multi_value_fields,
)
from serverless_django.http.limits import MAX_LOAD_BALANCER_BYTES, MAX_PAYLOAD_BYTES


class HttpApi(HTTPGateway):
    """Payload format 2.0: an HTTP API, which has decoded the path, or a function URL, which has not."""

    max_reply_bytes = MAX_PAYLOAD_BYTES
    body = b""
    """The request's body, once `scope` was read."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return event.get("version") == "2.0"

    @property
    def scope(self) -> Scope:
        event, context = self.event, self.event["requestContext"]
        http, domain_name = context["http"], context.get("domainName", "")
        path = unquote(event["rawPath"]) if ".lambda-url." in domain_name else http["path"]
        method, query, client = http["method"], event["rawQueryString"], http["sourceIp"]
        check_text(method, path, query, client, domain_name)
        self.body = body_of(event)
        return _SAME_FOR_ALL | {
            "method": method.upper(),
            "path": path or "/",
            "root_path": base_path_of(path, self.config) or stage_prefix_of(path, context),
            "query_string": query.encode(),
            "headers": WireHeaders(self._fields(), body=self.body),
            "server": (domain_name, 443),
            "client": (client, 0),
            "aws.event": event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        return replies.payload_2(response)

    def _fields(self) -> Fields:
        headers = mapping_of(self.event, "headers")
        if not (cookies := list_of(self.event, "cookies")):
            return headers.items()
        # A function URL sends cookies twice.
        others = [(name, value) for name, value in headers.items() if name != "cookie"]
        return [*others, ("cookie", "; ".join(cookies))]


class RestApi(APIGateway):
    """API Gateway's REST API, and an HTTP API with payload format 1.0."""

    max_reply_bytes = MAX_PAYLOAD_BYTES
    body = b""
    """The request's body, once `scope` was read."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return "httpMethod" in event

    @property
    def scope(self) -> Scope:
        event, context = self.event, self.event["requestContext"]
        method, client = event["httpMethod"], context["identity"]["sourceIp"]
        domain_name = context.get("domainName") or ""
        prefix, path = self._prefix_and_path(context)
        check_text(method, prefix, path, client, domain_name)
        self.body = body_of(event)
        return _SAME_FOR_ALL | {
            "method": method.upper(),
            "path": prefix + path,
            "root_path": prefix or base_path_of(path, self.config) or stage_prefix_of(path, context),
            "query_string": urlencode(_query_pairs(event)).encode(),
            "headers": WireHeaders(_fields(event), body=self.body),
            "server": (domain_name, 443),
            "client": (client, 0),
            "aws.event": event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        return replies.payload_1(response)

    def _prefix_and_path(self, context: Mapping[str, Any]) -> tuple[str, str]:
        """Return the stage that the client has in its URL and `path` has not, and the decoded path."""
        path, whole = self.event["path"] or "/", context.get("path")
        prefix = whole.removesuffix(path) if isinstance(whole, str) and whole.endswith(path) else ""
        # An HTTP API has decoded the path in this format too.
        return unquote(prefix), path if self.event.get("version") == "1.0" else unquote(path)


class LoadBalancer(ALB):
    """An Application Load Balancer, with or without multi-value headers."""

    max_reply_bytes = MAX_LOAD_BALANCER_BYTES
    body = b""
    """The request's body, once `scope` was read."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        request_context = event.get("requestContext")
        return isinstance(request_context, dict) and "elb" in request_context

    @property
    def scope(self) -> Scope:
        event, fields = self.event, _fields(self.event)
        named = {name.lower(): value for name, value in fields}
        method, path = event["httpMethod"], unquote(event["path"]) or "/"
        check_text(method, path)
        self.body = body_of(event)
        is_plain = named.get("x-forwarded-proto") == "http"
        # Only its own health check names no host: it adds one to each request of a client.
        host = named["host"] if "host" in named else _allowed_host()
        return _SAME_FOR_ALL | {
            "scheme": "http" if is_plain else "https",
            "method": method.upper(),
            "path": path,
            "root_path": base_path_of(path, self.config),
            "query_string": "&".join(f"{name}={value}" for name, value in _query_pairs(event)).encode(),
            "headers": WireHeaders(fields, body=self.body),
            "server": (host.partition(":")[0], 80 if is_plain else 443),
            "client": (_last_hop(named.get("x-forwarded-for", "")), 0),
            "aws.event": event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        return replies.load_balancer(response, multi_value="multiValueHeaders" in self.event)


class UnknownGateway(HttpApi):
    """The end of the list: what no other takes must not reach Mangum's own handlers, which guess."""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        return True

    @property
    def scope(self) -> Scope:
        raise MalformedEventError("neither version 2.0 nor httpMethod says which kind of HTTP event this is")


type Gateway = HttpApi | RestApi | LoadBalancer

GATEWAYS: list[type[LambdaHandler]] = [HttpApi, LoadBalancer, RestApi, UnknownGateway]

_SAME_FOR_ALL: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.0"},
    "http_version": "1.1",
    # Except at a load balancer there is nothing but TLS, whatever a header says.
    "scheme": "https",
    "raw_path": None,
}


def _fields(event: LambdaEvent) -> Fields:
    if event.get("multiValueHeaders") is not None:
        return multi_value_fields(mapping_of(event, "multiValueHeaders"))
    return mapping_of(event, "headers").items()


def _query_pairs(event: LambdaEvent) -> list[tuple[str, str]]:
    if event.get("multiValueQueryStringParameters") is not None:
        parameters = mapping_of(event, "multiValueQueryStringParameters")
        return [(name, _text(value)) for name in parameters for value in list_of(parameters, name)]
    return [(name, _text(value)) for name, value in mapping_of(event, "queryStringParameters").items()]


def _allowed_host() -> str:
    return next((host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"), "localhost")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise MalformedEventError(f"a query parameter should be text, got {type(value).__name__}")


def _last_hop(forwarded_for: str) -> str:
    """Return the address that the load balancer itself saw; what stands before it, the client may have written."""
    address = forwarded_for.rpartition(",")[2].strip()
    if address.startswith("["):
        return address[1:].partition("]")[0]
    # The port of an IPv4 client, if the load balancer is told to preserve it.
    return address.partition(":")[0] if address.count(":") == 1 else address


def base_path_of(path: str, config: LambdaConfig) -> str:
    """Return the configured base path if `path` lies under it, else ""."""
    if (configured := config["api_gateway_base_path"]) == "/":
        return ""
    base_path = f"/{configured.strip('/')}"
    return base_path if _is_under(path, base_path) else ""


def stage_prefix_of(path: str, request_context: Mapping[str, Any]) -> str:
    """Return "/prod" if an HTTP API has put its stage, named in `request_context`, before `path`.

    It does so at its own address.  Behind a custom domain "/v1/books" in stage "v1" is a path of the project.
    """
    stage = request_context.get("stage")
    if stage == "$default" or not stage or not isinstance(stage, str):
        return ""
    if ".execute-api." not in str(request_context.get("domainName", ".execute-api.")):
        return ""
    return f"/{stage}" if _is_under(path, f"/{stage}") else ""


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
