"""An HTTP event in, an answer out, through the deployed handler, Django and PostgreSQL."""

import json
import logging

import pytest
from django.db import connections
from django.http import JsonResponse
from django.test import override_settings
from django.urls import path

from lambda_app.urls import urlpatterns as service_urls
from serverless_django.handlers.api_gateway import handler

pytestmark = pytest.mark.django_db(transaction=True)


def fail(request):
    raise LookupError("the secret of the house")


def backend_pid(request):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return JsonResponse({"value": cursor.fetchone()[0]})


urlpatterns = [*service_urls, path("fail", fail), path("pid", backend_pid)]


@pytest.fixture
def get(event, lambda_context):
    """Return a client: `get("/v1/feed")` gives the response with its body decoded."""

    def get(path, **changes):
        sent = event("api_gateway/healthz") | {"rawPath": path}
        sent["requestContext"]["http"]["path"] = path
        sent["headers"] |= changes
        response = handler(sent, lambda_context)
        return response | {"json": json.loads(response["body"])}

    return get


def test_the_probe_of_the_code_needs_no_database(get, django_db_blocker):
    # Between requests Django looks at a connection that an earlier test has left open.
    connections.close_all()
    with django_db_blocker.block():
        response = get("/healthz")

    assert (response["statusCode"], response["json"]) == (200, {"status": "ok"})


def test_the_probe_of_the_database_asks_it(get):
    assert get("/readyz")["statusCode"] == 200


def test_an_unavailable_database_is_answered_with_503(get, monkeypatch):
    # An earlier test may have left open a connection, which an unreachable host does not close.
    connections.close_all()
    monkeypatch.setitem(connections.settings["default"], "HOST", "/nowhere")

    response = get("/readyz")

    assert (response["statusCode"], response["headers"]["retry-after"]) == (503, "1")
    assert response["json"]["title"] == "Service Unavailable"


def test_an_unknown_route_is_a_problem_that_names_its_request(get):
    response = get("/nowhere")

    assert response["headers"]["content-type"] == "application/problem+json"
    assert response["json"] == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "request_id": "JKJaXmPLvHcESHA=",
    }


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/feed"])
def test_every_response_names_its_request(get, path):
    assert get(path)["headers"]["x-request-id"] == "JKJaXmPLvHcESHA="


def test_another_host_is_refused(get):
    assert get("/nowhere", host="evil.example.com")["statusCode"] == 400


def test_without_claims_the_feed_is_not_shown(get):
    assert get("/v1/feed")["statusCode"] == 401


def test_with_claims_the_feed_is_shown(event, lambda_context):
    response = handler(event("api_gateway/feed_page"), lambda_context)

    assert response["statusCode"] == 200


@pytest.mark.parametrize("body", ["{", "", "[]", '{"caption": 1}', "\ud800"])
def test_a_bad_body_is_a_problem_of_the_client(event, lambda_context, body):
    sent = event("api_gateway/create_post") | {"body": body}

    response = handler(sent, lambda_context)

    assert 400 <= response["statusCode"] < 500
    assert response["headers"]["content-type"] == "application/problem+json"


@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_of_ours_is_logged_once_and_not_shown(get, caplog):
    response = get("/fail")

    assert response["statusCode"] == 500
    assert "secret" not in response["body"]
    assert [record.exc_info[0] for record in caplog.records if record.levelno >= logging.ERROR] == [LookupError]


@override_settings(ROOT_URLCONF=__name__)
def test_fifty_requests_use_one_connection(get):
    assert len({get("/pid")["json"]["value"] for _ in range(50)}) == 1


@override_settings(ROOT_URLCONF=__name__)
def test_a_connection_that_was_closed_in_between_is_replaced_before_the_request(get, postgresql):
    before = get("/pid")["json"]["value"]
    postgresql.execute(f"SELECT pg_terminate_backend({before}, 5000)")

    after = get("/pid")

    assert after["statusCode"] == 200
    assert after["json"]["value"] != before
