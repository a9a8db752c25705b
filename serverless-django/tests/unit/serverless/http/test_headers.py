"""Headers are pairs of bytes for ASGI and META for Django, and both say the same."""

import pytest
from django.core.handlers.asgi import ASGIRequest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.http.fields import MalformedEventError, TextHeaders, WireHeaders

NAMES = st.sampled_from(
    ["host", "X-A", "x-a", "X_A", "Cookie", "cookie", "Content-Type", "content-length", "", "é", "a b"]
)
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=5) | st.just("λ")


def django_meta(headers):
    """Return what Django itself makes of the pairs of bytes."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": list(headers)}
    meta = ASGIRequest(scope, None).META
    return {key: value for key, value in meta.items() if key.startswith(("HTTP_", "CONTENT_"))}


@given(fields=st.lists(st.tuples(NAMES, VALUES), max_size=6), body=st.binary(max_size=2))
def test_the_short_way_to_meta_leads_where_djangos_does(fields, body):
    headers = WireHeaders(fields, body=body)

    cookies = {key: value.rstrip("; ") for key, value in headers.meta().items() if key == "HTTP_COOKIE"}

    expected = django_meta(headers)
    assert headers.meta() | cookies == expected | {key: expected[key].rstrip("; ") for key in cookies}


@pytest.mark.parametrize("end", ["\r", "\n", "\0"])
def test_a_value_cannot_begin_another_header(end):
    with pytest.raises(MalformedEventError, match="header x has a control character"):
        WireHeaders([("x", f"a{end}b")], body=b"")


def test_the_length_is_that_of_the_body():
    headers = WireHeaders([("Content-Length", "999")], body=b"abc")

    assert list(headers) == [[b"content-length", b"3"]]
    assert headers.meta() == {"CONTENT_LENGTH": "3"}


def test_text_beyond_latin_1_was_utf_8_on_the_wire():
    assert list(WireHeaders([("x", "λ")], body=b"")) == [[b"x", "λ".encode()]]


def test_the_headers_of_a_response_are_pairs_of_bytes_for_asgi_servers():
    assert list(TextHeaders([("x-name", "José")])) == [[b"x-name", "José".encode("latin-1")]]
