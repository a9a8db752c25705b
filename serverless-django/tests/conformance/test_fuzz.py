"""No event, however broken, makes the adapter raise or answer what no gateway would take."""

import logging

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.urls import clear_url_caches

from serverless_django.http.adapter import LambdaAdapter
from tests.conformance import settings as conformance_settings
from tests.conformance.differential import ORACLE_SETTINGS
from tests.conformance.fuzz import fuzz, outcome_of

EVENTS = 2_000


@pytest.fixture
def handle(settings, lambda_context):
    for name in ORACLE_SETTINGS:
        setattr(settings, name, getattr(conformance_settings, name))
    clear_url_caches()
    logging.disable(logging.CRITICAL)
    respond = LambdaAdapter(ASGIHandler())
    yield lambda event: respond(event, lambda_context)
    logging.disable(logging.NOTSET)


@pytest.mark.nightly
def test_nothing_escapes(handle):
    outcomes = fuzz(handle, events=EVENTS)

    assert outcomes.total() == EVENTS
    assert set(outcomes) <= {"200", "400", "404", "405", "refused"}
    assert min(outcomes["200"], outcomes["400"]) > EVENTS / 20


def test_what_escapes_is_found():
    assert outcome_of({"requestContext": {}}, lambda event: event["body"]).startswith("escaped: KeyError")
    assert outcome_of({"requestContext": {}}, lambda event: {"statusCode": "200"}).startswith("escaped: statusCode")
