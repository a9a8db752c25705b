"""Each source of HTTP events, each odd request and each hard response: ours passes every case."""

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.urls import clear_url_caches

from serverless_django.http.adapter import LambdaAdapter
from tests.conformance import requests, responses
from tests.conformance import settings as conformance_settings
from tests.conformance.cases import fault_of

CASES = [*requests.CASES, *responses.CASES]


@pytest.fixture
def adapter(settings):
    for name in ("ROOT_URLCONF", "ALLOWED_HOSTS", "MIDDLEWARE", "DATA_UPLOAD_MAX_MEMORY_SIZE"):
        setattr(settings, name, getattr(conformance_settings, name))
    clear_url_caches()
    return lambda base_path: LambdaAdapter(ASGIHandler(), base_path=base_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_ours_passes(adapter, lambda_context, case):
    handle = adapter(case.base_path)

    assert fault_of(case, lambda event: handle(event, lambda_context)) == ""


def test_there_are_as_many_cases_as_we_say():
    assert len({case.id for case in CASES}) == len(CASES) >= 200
