"""The same request to uvicorn, and through each gateway and our adapter: Django sees the same."""

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.urls import clear_url_caches

from serverless_django.http.adapter import LambdaAdapter
from tests.conformance import settings as conformance_settings
from tests.conformance.differential import ORACLE_SETTINGS, mismatches, oracle, wire_requests

REQUESTS = 100


@pytest.fixture
def adapter(settings, lambda_context):
    for name in ORACLE_SETTINGS:
        setattr(settings, name, getattr(conformance_settings, name))
    clear_url_caches()
    respond = LambdaAdapter(ASGIHandler())
    return lambda event: respond(event, lambda_context)


@pytest.mark.nightly
def test_what_django_sees_does_not_depend_on_the_gateway(adapter):
    with oracle() as ask:
        found = [fault for request in wire_requests(REQUESTS, seed=1) for fault in mismatches(request, ask, adapter)]

    assert found == []


def test_a_difference_would_be_found(adapter):
    def deaf(event):
        event["rawQueryString"] = ""
        return adapter(event)

    with oracle() as ask:
        found = [fault for request in wire_requests(20, seed=1) for fault in mismatches(request, ask, deaf)]

    assert found
