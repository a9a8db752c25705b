"""Django's advisories of 2026 that concern ASGI, caches or headers: none applies here, and none will by an upgrade."""

import json

import django
import pytest
from django.core import signing
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.http import BadHeaderError, HttpResponse
from django.middleware.cache import UpdateCacheMiddleware
from django.test import RequestFactory

from lambda_app.settings import base
from serverless_django.caching.privacy import PRIVATE, PrivateByDefaultMiddleware
from serverless_django.http.fields import MalformedEventError, WireHeaders
from serverless_django.testing import LambdaContext
from tests.fresh_process import EVENTS

BIG = b"x" * (base.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)


def deliver(body, **headers):
    """Send a POST whose headers are as given, also where a gateway would correct them."""
    from serverless_django.handlers.api_gateway import handler

    event = json.loads((EVENTS / "api_gateway" / "create.json").read_text())
    event |= {"body": body.decode(), "isBase64Encoded": False}
    event["headers"] |= {"host": "testserver", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return handler(event, LambdaContext())


def test_the_locked_release_has_every_fix():
    # Releases of the same day, with every fix that was known then; later ones are for `make audit` to find.
    assert django.VERSION[2] >= {(6, 0): 10, (6, 1): 3}[django.VERSION[:2]]


@pytest.mark.timeout(20)
def test_cve_2025_14550_repeated_headers_take_time_in_proportion():
    fields = [("x-a", "twenty characters of")] * 200_000

    # Joined one by one this would copy two hundred gigabytes.
    assert len(WireHeaders(fields, body=b"").meta()["HTTP_X_A"]) == 200_000 * 21 - 1


@pytest.mark.parametrize("name", ["x_auth_user", "X_Auth_User", "x-auth_user", "content_length", "authorization_"])
def test_cve_2026_3902_a_header_with_an_underscore_is_no_header(name):
    headers = WireHeaders([("x-auth-user", "ada"), (name, "eve")], body=b"")

    assert headers.meta() == {"HTTP_X_AUTH_USER": "ada"}
    assert [wire for wire, _ in headers] == [b"x-auth-user"]


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("length", ["1", "0", "-1", "", "abc", "999999999"])
def test_cve_2026_33034_a_length_that_lies_opens_no_limit(length):
    assert deliver(BIG, content_length=length)["statusCode"] == 413


@pytest.mark.usefixtures("one_connection")
def test_cve_2026_5766_nor_does_it_for_files():
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    reply = deliver(part + BIG + b"\r\n--x--\r\n", content_length="1", content_type="multipart/form-data; boundary=x")

    assert reply["statusCode"] == 413


SHAREABLE = "public, max-age=60"
RESPONSES = {
    "cve-2026-6907: Vary: *": {"Vary": "*"},
    "cve-2026-48587: white space around it": {"Vary": " * "},
    "cve-2026-48587: among others": {"Vary": "Accept ,  * "},
    "cve-2026-35193: Vary: Authorization": {"Vary": "Authorization"},
    "cve-2026-35192: Vary: Cookie": {"Vary": "Cookie"},
}


@pytest.mark.parametrize("headers", RESPONSES.values(), ids=RESPONSES)
def test_what_depends_on_the_caller_is_kept_by_no_shared_cache(headers):
    response = HttpResponse(headers=headers | {"Cache-Control": SHAREABLE})

    answered = PrivateByDefaultMiddleware(lambda request: response)(RequestFactory().get("/"))

    assert answered.headers["Cache-Control"] == PRIVATE


def test_cve_2026_48588_nor_is_what_sets_a_cookie():
    response = HttpResponse(headers={"Cache-Control": SHAREABLE})
    response.set_cookie("a", "b")

    answered = PrivateByDefaultMiddleware(lambda request: response)(RequestFactory().get("/"))

    assert answered.headers["Cache-Control"] == PRIVATE


@pytest.mark.parametrize(
    "headers",
    [{"Vary": "*"}, {"Vary": " * "}, {"Cache-Control": "Private"}, {"Cache-Control": "PRIVATE, max-age=60"}],
    ids=str,
)
def test_cve_2026_8404_and_django_keeps_none_of_them_either(settings, headers):
    """For who adds Django's own cache of pages: the release that is locked refuses them."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(headers)}
    }
    request = RequestFactory().get("/")
    request._cache_update_cache = True

    UpdateCacheMiddleware(lambda request: HttpResponse(headers=headers))(request)

    assert caches["default"]._cache == {}


def test_no_cache_of_pages_and_no_session_is_there_to_be_fooled():
    assert not [name for name in base.MIDDLEWARE if "cache.Update" in name or "session" in name.lower()]


@pytest.mark.parametrize("text", ["a\r\nx: y", "a\nb", "a\x00b"])
def test_cve_2026_53878_no_header_holds_another_line(text):
    with pytest.raises(MalformedEventError):
        WireHeaders([("x-a", text)], body=b"")
    if "\n" in text:
        with pytest.raises(BadHeaderError):
            HttpResponse(headers={"X-A": text})


def test_cve_2026_6873_nothing_is_signed_so_nothing_can_be_forged(settings):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        signing.dumps({"a": 1})
