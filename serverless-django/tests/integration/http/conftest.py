"""Views that do what makes driving Django hard, behind an adapter and on a real database."""

import json
import threading

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.urls import clear_url_caches

from serverless_django.http.adapter import LambdaAdapter


@pytest.fixture
def respond(settings):
    """Return an adapter of Django as these tests configure it."""
    settings.ROOT_URLCONF = "tests.integration.http.urls"
    settings.ALLOWED_HOSTS = ["localhost"]
    # These views are extravagant on purpose.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Budget" not in name]
    clear_url_caches()
    return LambdaAdapter(ASGIHandler())


@pytest.fixture
def get(respond, event, lambda_context):
    """Return a client: `get("/sync/pid")` gives the reply, `get(..., remaining_ms=1500)` leaves little time."""

    def get(path, *, remaining_ms=30_000, method="GET", **headers):
        sent = event("api_gateway/healthz") | {"rawPath": path}
        sent["requestContext"]["http"] |= {"path": path, "method": method}
        sent["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        lambda_context.remaining_ms = remaining_ms
        return respond(sent, lambda_context)

    return get


@pytest.fixture
def value(get):
    """Return what a view says: `value("/sync/pid")`."""
    return lambda path: json.loads(get(path)["body"])["value"]


@pytest.fixture
def threads():
    """Return a counter of the threads that were started since."""
    before = set(threading.enumerate())
    return lambda: len(set(threading.enumerate()) - before)


@pytest.fixture(autouse=True)
def _own_connection():
    """No connection outlives its test: each counts its own."""
    yield
    connection.close()
