"""The JSON API under /v1: strict when it reads, and described by its own OpenAPI document."""

from functools import cached_property
from math import ceil
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from lambda_app.apps.feed.authentication import BearerToken
from lambda_app.apps.feed.docs import DocsPage
from lambda_app.apps.feed.errors import RefusedError, TooManyError
from lambda_app.apps.feed.routes import members, photos, posts, shared
from serverless_django.identity.ninja import ask_for_token
from serverless_django.pagination import InvalidCursorError

MAX_ERRORS = 20
"""Of what is wrong with a request, the first; `error_count` says how many there are."""

MAX_NAME_LENGTH = 100
"""A name that a client has made up is repeated no longer than this."""

PROBLEM = {
    "description": "Problem details (RFC 9457)",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "errors": {"type": "array", "items": {"type": "object"}, "maxItems": MAX_ERRORS},
                    "error_count": {"type": "integer"},
                    "request_id": {"type": "string"},
                },
            }
        }
    },
}

BY_GATEWAY = {
    "description": "An address that cannot be read, or no valid token: as API Gateway says it, or as the API does",
    "content": {
        "application/json": {"schema": {"type": "object", "properties": {"message": {"type": "string"}}}},
        **PROBLEM["content"],  # type: ignore[dict-item]
    },
}

LINKS = {
    "open_upload": {"read_photo": {"photo_id": "$response.body#/photo/id"}},
    "create_post": {
        name: {"post_id": "$response.body#/id"}
        for name in ("read_post", "delete_post", "like_post", "unlike_post", "read_shared_post")
    },
    "read_post": {
        name: {"handle": "$response.body#/author/handle"}
        for name in ("read_member", "read_posts_of_member", "follow_member", "unfollow_member")
    },
}
"""Operation → what one can ask next, and with which part of its answer."""


class StrictParser(Parser):
    """JSON as the standard has it: no NaN, no lone surrogates, bounded depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        return msgspec.json.decode(request.body)


class JSONRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return msgspec.json.encode(data)


class FeedAPI(NinjaAPI):
    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        response = super().create_temporal_response(request)
        # A response is for one member: no shared cache may keep it.
        response["Cache-Control"] = "private, no-cache"
        return response

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        return self._openapi_schema

    @cached_property
    def _openapi_schema(self) -> OpenAPISchema:
        schema = super().get_openapi_schema()
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"]["4XX"] = PROBLEM
                operation["responses"] |= {"400": BY_GATEWAY, "401": BY_GATEWAY}
                _add_links(operation)
        return schema


def _add_links(operation: dict[str, Any]) -> None:
    links = LINKS.get(operation["operationId"], {})
    for status, response in operation["responses"].items():
        if links and str(status).startswith("2"):
            response["links"] = {
                name: {"operationId": name, "parameters": parameters} for name, parameters in links.items()
            }


api = FeedAPI(
    title="Feed",
    version="1",
    description="The backend of a mobile photo feed.",
    urls_namespace="feed",
    docs=DocsPage(),
    auth=BearerToken(),
    parser=StrictParser(),
    renderer=JSONRenderer(),
)
api.add_router("", posts.router)
api.add_router("", members.router)
api.add_router("", photos.router)
api.add_router("", shared.router)
api.add_exception_handler(AuthenticationError, ask_for_token)


@api.exception_handler(RefusedError)
def refuse(request: HttpRequest, error: RefusedError) -> HttpResponse:
    response = api.create_response(request, {"detail": str(error)}, status=error.status)
    if isinstance(error, TooManyError):
        response["Retry-After"] = str(ceil(error.retry_after.total_seconds()))
    return response


@api.exception_handler(InvalidCursorError)
def refuse_cursor(request: HttpRequest, error: InvalidCursorError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=422)


@api.exception_handler(ValidationError)
def refuse_input(request: HttpRequest, error: ValidationError) -> HttpResponse:
    found = error.errors
    first = [each | {"loc": [_short(name) for name in each["loc"]]} for each in found[:MAX_ERRORS]]
    return api.create_response(request, {"detail": first, "error_count": len(found)}, status=422)


def _short(name: str | int) -> str | int:
    return name[:MAX_NAME_LENGTH] if isinstance(name, str) else name
