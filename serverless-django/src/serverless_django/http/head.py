"""HEAD works where GET does: also where a view, or a library that calls it, knows only GET."""

from collections.abc import Awaitable
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from serverless_django.middleware import InlineMiddleware


class HeadMiddleware(InlineMiddleware):
    """Ask the view again by GET if it refuses HEAD and names GET; a server leaves the body out of the answer."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.method != "HEAD":
            response: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
            return response
        return self._ask_async(request) if self._is_async else self._ask(request)

    def _ask(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = self.get_response(request)
        if not _knows_only_get(response):
            return response
        request.method = "GET"
        try:
            answer: HttpResponseBase = self.get_response(request)
        finally:
            request.method = "HEAD"
        return answer

    async def _ask_async(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        if not _knows_only_get(response):
            return response
        request.method = "GET"
        try:
            answer: HttpResponseBase = await self.get_response(request)
        finally:
            request.method = "HEAD"
        return answer


def _knows_only_get(response: HttpResponseBase) -> bool:
    allowed = response.headers.get("Allow", "").replace(" ", "").split(",")
    return response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and "GET" in allowed
