"""ASGI scope and body → Django's synchronous chain, in line on this thread → response.

Django's own ASGI entry moves each request to a thread, and each synchronous middleware back and
forth.  Lambda serves one request at a time per process, so that gains nothing, and the
database connection, which belongs to a thread, is lost at each request.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any

from asgiref.sync import async_to_sync
from django import urls
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase
from mangum.types import Response, Scope

from serverless_django.http.fields import TextHeaders
from serverless_django.http.limits import Buffer


class LambdaRequest(ASGIRequest):
    """Django's own request, with headers that were never turned into bytes and back."""

    def __init__(self, scope: Scope, body_file: BytesIO) -> None:
        self._headers = scope["headers"]
        super().__init__({**scope, "headers": ()}, body_file)
        self.scope = scope

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Where Django has made everything of META but the headers, and goes on to read one of them.
        meta.update(self._headers.meta())
        super()._set_content_type_params(meta)  # type: ignore[misc]

    def get_host(self) -> str:
        """Return the host, judged once for all requests that name it.  Raise DisallowedHost."""
        host: str = self._get_raw_host()  # type: ignore[attr-defined]
        return host if _is_allowed(host, tuple(settings.ALLOWED_HOSTS)) else super().get_host()


class DjangoChain(BaseHandler):
    """Middleware, URLs and views as under ASGI; async ones run on the lasting event loop."""

    def __init__(self) -> None:
        self.load_middleware(is_async=False)
        for signal in (signals.request_started, signals.request_finished):
            # A receiver that is connected or disconnected later makes Django look for the receivers again.
            signal.use_caching = True

    def __call__(self, scope: Scope, body: bytes) -> Response:
        """Serve one request.  Raise what Django does not turn into a response."""
        response = None
        try:
            response = self._respond(scope, body)
            return {"status": response.status_code, "headers": _headers_of(response), "body": _content_of(response)}
        finally:
            # To close a response finishes its request as well.
            if response is None:
                signals.request_finished.send(sender=self.__class__)
            else:
                response.close()

    def _respond(self, scope: Scope, body: bytes) -> HttpResponseBase:
        # The context is the request's own: without a prefix, none is set in it.
        if prefix := get_script_prefix(scope):
            urls.set_script_prefix(prefix)
        signals.request_started.send(sender=self.__class__, scope=scope)
        response: HttpResponseBase = self.get_response(LambdaRequest(scope, BytesIO(body)))
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        return response


@lru_cache(maxsize=64)
def _is_allowed(host: str, allowed_hosts: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed_hosts)


def _headers_of(response: HttpResponseBase) -> Any:
    # What items() walks, without a look-up for each: it has the lower-case names already.
    lines = [(name, value) for name, (_, value) in response.headers._store.items()]
    if response.cookies:
        lines += [("set-cookie", cookie.OutputString()) for cookie in response.cookies.values()]
    return TextHeaders(lines)


def _content_of(response: Any) -> bytes:
    if not response.streaming:
        content: bytes = response.content
        return content
    if response.is_async:
        return async_to_sync(_read_async)(response)
    return _read(response)


def _read(response: Iterable[bytes]) -> bytes:
    buffer = Buffer()
    for part in response:
        buffer.write(part)
    return buffer.getvalue()


async def _read_async(response: Any) -> bytes:
    buffer = Buffer()
    # The iterator itself, which the app may have opened something in, not only Django's wrapper of it.
    async with _closing(response._iterator), aclosing(response.streaming_content) as parts:
        async for part in parts:
            buffer.write(part)
    return buffer.getvalue()


@asynccontextmanager
async def _closing(iterator: Any) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if hasattr(iterator, "aclose"):
            await iterator.aclose()
