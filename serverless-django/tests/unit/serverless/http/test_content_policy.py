"""The policy of the settings on each response, unless a view says something else."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override

from serverless_django.http.middleware import ContentSecurityPolicyMiddleware


def policy_of(view):
    return ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/")).headers.get("Content-Security-Policy")


def plain(request):
    return HttpResponse()


def test_a_response_gets_the_policy_of_the_settings(settings):
    settings.SECURE_CSP = {"default-src": [CSP.NONE], "frame-ancestors": [CSP.NONE]}

    assert policy_of(plain) == "default-src 'none'; frame-ancestors 'none'"


def test_what_a_view_says_stays(settings):
    settings.SECURE_CSP = {"default-src": [CSP.NONE]}

    assert policy_of(lambda request: HttpResponse(headers={"Content-Security-Policy": "img-src *"})) == "img-src *"


@pytest.mark.parametrize(("override", "policy"), [({"img-src": [CSP.SELF]}, "img-src 'self'"), ({}, None)])
def test_a_decorator_of_djangos_is_heard(settings, override, policy):
    settings.SECURE_CSP = {"default-src": [CSP.NONE]}

    assert policy_of(csp_override(override)(plain)) == policy


def test_a_nonce_is_another_one_for_each_response(settings):
    settings.SECURE_CSP = {"script-src": [CSP.NONCE]}

    def view(request):
        return HttpResponse(str(request._csp_nonce))

    first, second = policy_of(view), policy_of(view)

    assert first.startswith("script-src 'nonce-")
    assert first != second


def test_without_a_policy_there_is_no_header(settings):
    settings.SECURE_CSP = {}

    assert policy_of(plain) is None
