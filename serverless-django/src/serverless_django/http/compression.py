"""Responses are compressed as zstd, br or gzip, as the client accepts them.

A gateway compresses nothing, and what is compressed travels as base64: a page of JSON still
becomes a fifth.  No body here mixes a secret with what a stranger's page could make a browser
send, because callers are known by a header and not by a cookie; so its length tells nothing.
"""

import re
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from serverless_django.middleware import InlineMiddleware

MIN_BYTES = 1_024
"""What fits into one packet anyway gains nothing."""

_WEIGHT = re.compile(r"0(\.[0-9]*)?|1(\.0*)?")

COMPRESSIBLE = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")


class CompressionMiddleware(InlineMiddleware):
    """First in the list: every other sees the body as the view wrote it."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # A 304 has the headers that the response in whose place it stands would have had.
        whole = getattr(response, "whole", response)
        if isinstance(whole, HttpResponse) and _is_compressible(whole):
            patch_vary_headers(response, ("Accept-Encoding",))
            if encoding := preferred_encoding(request.META.get("HTTP_ACCEPT_ENCODING", "")):
                _weaken_etag(response)
                if whole is response:
                    _compress(whole, encoding)
        return response


@lru_cache(maxsize=128)
def preferred_encoding(accepted: str) -> str:
    """Return the best of our encodings that `accepted` allows, an Accept-Encoding header; empty if none."""
    weights = dict(map(_weight, accepted.lower().split(",")))
    allowed = [(weights.get(name, weights.get("*", 0.0)), name) for name in COMPRESSORS]
    # The first of the best, in our order.
    weight, name = max(allowed, key=lambda pair: pair[0])
    return name if weight > 0 else ""


def _weight(item: str) -> tuple[str, float]:
    name, _, parameter = item.partition(";")
    key, _, value = parameter.partition("=")
    if key.strip() != "q":
        return name.strip(), 1.0
    return name.strip(), float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0


def _is_compressible(response: HttpResponse) -> bool:
    headers = response.headers
    return (
        len(response.content) >= MIN_BYTES
        and headers.get("Content-Type", "").startswith(COMPRESSIBLE)
        and "Content-Encoding" not in headers
        and "no-transform" not in headers.get("Cache-Control", "")
        and "Content-Range" not in headers
    )


def _compress(response: HttpResponse, encoding: str) -> None:
    compressed = COMPRESSORS[encoding](response.content)
    if len(compressed) >= len(response.content):
        return
    response.content = compressed
    response.headers["Content-Encoding"] = encoding
    response.headers["Content-Length"] = str(len(compressed))


def _weaken_etag(response: HttpResponseBase) -> None:
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):
        # These bytes are not the ones it was made for, but mean the same.
        response.headers["ETag"] = f"W/{etag}"


# Each is imported by the first response that needs it, not by the cold start.
# The levels are where time and size meet for pages of JSON.


def _zstd(content: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    return zstd.compress(content, level=3)


def _br(content: bytes) -> bytes:
    import brotli

    compressed: bytes = brotli.compress(content, quality=4)
    return compressed


def _gzip(content: bytes) -> bytes:
    return zlib.compress(content, level=6, wbits=31)


COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "br": _br, "gzip": _gzip}
"""In the order of preference: the first is the fastest."""
