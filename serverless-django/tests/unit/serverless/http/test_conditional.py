"""A 304 has the headers of its 200, and an ETag is the same in every environment."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.utils.cache import patch_vary_headers
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.http.compression import CompressionMiddleware
from serverless_django.http.conditional import ConditionalGetMiddleware
from serverless_django.presigning import Signer, utc_now

REPEATED = ("Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Last-Modified", "Vary")
"""RFC 9110, 15.4.5, and Last-Modified."""

ENCODINGS = st.sampled_from(["", "identity", "gzip", "br", "zstd, br, gzip", "gzip;q=0", "*"])
VIEWS = st.fixed_dictionaries(
    {
        "size": st.sampled_from([1, 1_023, 1_024, 5_000]),
        "is_random": st.booleans(),
        "content_type": st.sampled_from(["application/json", "text/html; charset=utf-8", "image/png"]),
        "etag": st.sampled_from([None, '"mine"', 'W/"mine"']),
        "cache_control": st.sampled_from([None, "private, no-cache", "public, max-age=30", "no-transform"]),
        "modified": st.sampled_from([None, "Wed, 25 Nov 2026 12:00:00 GMT"]),
        "vary": st.sampled_from([None, "Origin", "Accept-Encoding"]),
        "is_streamed": st.booleans(),
    }
)


def view(*, size, is_random, content_type, etag, cache_control, modified, vary, is_streamed):
    content = bytes(number * number * 251 % 255 for number in range(size)) if is_random else b"a" * size
    headers = {"ETag": etag, "Cache-Control": cache_control, "Last-Modified": modified}
    headers = {name: value for name, value in headers.items() if value}

    def respond(request):
        response = (
            StreamingHttpResponse([content], content_type=content_type, headers=headers)
            if is_streamed
            else HttpResponse(content, content_type=content_type, headers=headers)
        )
        if vary:
            patch_vary_headers(response, [vary])
        return response

    return respond


def ask(respond, method="GET", **headers):
    chain = CompressionMiddleware(ConditionalGetMiddleware(respond))
    return chain(RequestFactory().generic(method, "/", headers=headers))


def said(response):
    return {name: response.headers.get(name) for name in REPEATED}


@given(VIEWS, ENCODINGS, st.sampled_from(["GET", "HEAD"]))
def test_a_304_repeats_the_validators_and_vary_of_its_200(parts, accepted, method):
    first = ask(view(**parts), accept_encoding=accepted)
    etag, modified = first.headers.get("ETag"), first.headers.get("Last-Modified")
    condition = {"if_none_match": etag} if etag else {"if_modified_since": modified or "Wed, 25 Nov 2026 12:00:00 GMT"}

    again = ask(view(**parts), method, accept_encoding=accepted, **condition)

    assert again.status_code == (304 if etag or modified else 200)
    assert said(again) == said(first)


def test_a_compressed_200_and_its_304_have_one_etag():
    page = view(size=5_000, is_random=False, content_type="application/json", etag='"x"', cache_control=None,
                modified=None, vary=None, is_streamed=False)  # fmt: skip

    again = ask(page, accept_encoding="gzip", if_none_match='W/"x"')

    assert (again.status_code, again.headers["ETag"], again.headers["Vary"]) == (304, 'W/"x"', "Accept-Encoding")


def test_a_failed_precondition_is_no_copy_of_the_page():
    page = view(size=5_000, is_random=False, content_type="application/json", etag='"x"', cache_control=None,
                modified=None, vary=None, is_streamed=False)  # fmt: skip

    refused = ask(page, accept_encoding="gzip", if_match='"y"')

    assert (refused.status_code, "Vary" in refused.headers) == (412, False)


def test_head_says_what_get_says():
    page = view(size=5_000, is_random=False, content_type="application/json", etag=None, cache_control=None,
                modified=None, vary=None, is_streamed=False)  # fmt: skip

    assert ask(page, "HEAD").headers == ask(page).headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_changes_something_has_no_etag(method):
    assert "ETag" not in ask(lambda request: HttpResponse(b"a"), method).headers


def page_of(now, **signer):
    """Return a page with two links, as one execution environment signs them."""
    links = [
        Signer(region="eu-central-1", secret_key="s", **signer).presign(
            f"https://media.example.com/pictures/{name}.webp",
            service="s3", parameters={}, expires_in_seconds=3600, now=now,
        )
        for name in "ab"
    ]  # fmt: skip
    return lambda request: HttpResponse(f'{{"urls": ["{links[0]}", "{links[1]}"]}}', content_type="application/json")


NOW = utc_now().replace(minute=0, second=0, microsecond=0)
ONE, OTHER = {"access_key": "ASIAONE", "token": "t/1+="}, {"access_key": "ASIAOTHER", "token": "t/2+="}


def test_the_etag_of_a_page_with_presigned_links_is_that_of_every_environment():
    first = ask(page_of(NOW, **ONE))

    again = ask(page_of(NOW, **OTHER), if_none_match=first.headers["ETag"])

    assert first.content != ask(page_of(NOW, **OTHER)).content
    assert first.headers["ETag"].startswith('W/"')
    assert (again.status_code, again.headers["ETag"]) == (304, first.headers["ETag"])


def test_links_that_live_longer_are_a_new_page():
    first = ask(page_of(NOW, **ONE))

    assert ask(page_of(NOW.replace(minute=30), **ONE), if_none_match=first.headers["ETag"]).status_code == 200
