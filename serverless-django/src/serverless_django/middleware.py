"""A middleware that runs in line under WSGI and ASGI alike: what does no I/O needs no thread."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class InlineMiddleware:
    """Override `before` or `after`; neither may wait for anything."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        self.before(request)
        response = self.get_response(request)
        return self._after_awaiting(request, response) if self._is_async else self.after(request, response)

    async def _after_awaiting(self, request: HttpRequest, response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return self.after(request, await response)

    def before(self, request: HttpRequest) -> None:
        """Look at, or add to, the request on its way in."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response on its way out, as it is or changed."""
        return response
