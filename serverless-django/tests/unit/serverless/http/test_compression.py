"""A body is sent in the best encoding that the client takes, and only where that helps."""

import random
import sys
import zlib

import brotli
import pytest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import RequestFactory

from serverless_django.http.compression import MIN_BYTES, CompressionMiddleware, preferred_encoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"caption": "again and again"}' * 100
DECOMPRESS = {
    "zstd": zstd.decompress,
    "br": brotli.decompress,
    "gzip": lambda content: zlib.decompress(content, wbits=31),
}


def answer(response, accept="zstd, br, gzip"):
    headers = {} if accept is None else {"accept-encoding": accept}
    return CompressionMiddleware(lambda request: response)(RequestFactory().get("/", headers=headers))


def json_response(content=TEXT, **headers):
    return HttpResponse(content, content_type="application/json", headers=headers)


@pytest.mark.parametrize("encoding", DECOMPRESS)
def test_the_client_reads_what_the_view_wrote(encoding):
    response = answer(json_response(), encoding)

    assert response.headers["Content-Encoding"] == encoding
    assert DECOMPRESS[encoding](response.content) == TEXT
    assert len(response.content) < len(TEXT) / 5


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0.5, gzip;q=0.8", "gzip"),
        ("zstd;q=0, *", "br"),
        ("br;q=0", ""),
        ("*;q=0", ""),
        ("identity", ""),
        ("deflate", ""),
        ("gzip;q=many", ""),
        ("gzip;q=nan", ""),
        ("gzip;q=inf", ""),
        ("gzip;q=1_0", ""),
        ("gzip;q=+1", ""),
        ("gzip;q=1e0", ""),
        ("gzip;q=-0.5", ""),
        ("gzip;q=2", ""),
        ("gzip;q= 1.000 ", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("", ""),
        (",;=,", ""),
    ],
)
def test_the_best_that_is_accepted_is_chosen(accepted, encoding):
    assert preferred_encoding(accepted) == encoding


def test_every_cache_is_told_that_the_body_depends_on_the_header():
    assert answer(json_response(), None).headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "response",
    [
        JsonResponse({}),
        HttpResponse(TEXT, content_type="image/webp"),
        json_response(TEXT[: MIN_BYTES - 1]),
        json_response(**{"Content-Encoding": "gzip"}),
        json_response(**{"Cache-Control": "public, no-transform"}),
        json_response(**{"Content-Range": "bytes 0-9/10"}),
    ],
    ids=["small", "image", "below the least", "encoded already", "told not to", "a range"],
)
def test_where_it_does_not_help_nothing_changes(response):
    content, headers = response.content, dict(response.headers)

    answer(response)

    assert (response.content, dict(response.headers)) == (content, headers)


def test_a_body_that_would_grow_is_left_alone():
    noise = random.Random(1).randbytes(2 * MIN_BYTES)

    response = answer(HttpResponse(noise, content_type="text/plain"))

    assert response.content == noise
    assert "Content-Encoding" not in response.headers


def test_a_stream_is_not_held_back():
    response = answer(StreamingHttpResponse([TEXT], content_type="text/plain"))

    assert b"".join(response) == TEXT


def test_the_length_is_that_of_what_is_sent():
    response = answer(json_response(**{"Content-Length": str(len(TEXT))}))

    assert response.headers["Content-Length"] == str(len(response.content))


@pytest.mark.parametrize(("etag", "sent"), [('"abc"', 'W/"abc"'), ('W/"abc"', 'W/"abc"')])
def test_an_etag_becomes_weak(etag, sent):
    assert answer(json_response(ETag=etag)).headers["ETag"] == sent
