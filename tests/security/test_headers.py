"""What every answer says to browsers and caches, and what it keeps to itself."""

import json

import pytest

from tests.fresh_process import ENVIRONMENT, run
from tests.security.calls import call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

PATHS = ["/healthz", "/v1/feed", "/v1/openapi.json", "/v1/docs", "/v1/docs/swagger-ui.css", "/nothing", "/v1/shared/1"]
TELLTALE = {"server", "x-powered-by", "via", "set-cookie", "x-runtime", "x-aspnet-version"}


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_can_be_shown_by_a_browser_without_harm(path):
    headers = call("GET", path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_says_what_made_it_or_sets_a_cookie(path):
    answer = call("GET", path, headers={"cookie": "sessionid=x; csrftoken=y"})

    assert TELLTALE.isdisjoint(answer.headers)


def test_scripts_of_the_docs_page_come_from_files_of_ours_only():
    policy = call("GET", "/v1/docs").headers["content-security-policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self'"


DEPLOYED = """
import django, json
django.setup()
from django.conf import settings
from django.core.checks import run_checks
from django.test import RequestFactory
from django.middleware.security import SecurityMiddleware
from django.http import HttpResponse
response = SecurityMiddleware(lambda request: HttpResponse())(RequestFactory().get("/", secure=True))
found = {message.id for message in run_checks(include_deployment_checks=True)}
print(json.dumps({"found": sorted(found), "hsts": response["Strict-Transport-Security"], "debug": settings.DEBUG,
                  "hosts": settings.ALLOWED_HOSTS, "forwarded": settings.USE_X_FORWARDED_HOST}))
"""

JUSTIFIED = {
    "security.W003": "no cookie identifies a member, so no other site can act in a member's name",
    "security.W008": "plain HTTP ends at the gateway, which does not serve it",
    "security.W009": "nothing is signed: there is no SECRET_KEY to be guessed or stolen",
    "security.W002": "frame-ancestors of the content security policy says the same, and more",
    "security.W021": "the list of browsers is for domains whose owner asks for it; the header stands without",
}
"""What `check --deploy` would have, and why it is not so here."""


def test_the_deployed_settings_pass_djangos_own_checks_of_a_deploy():
    variables = ENVIRONMENT.variables() | {"DJANGO_SETTINGS_MODULE": "lambda_app.settings.deployed"}
    finished = run(DEPLOYED, **variables)

    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout.splitlines()[-1])
    assert set(report["found"]) <= set(JUSTIFIED)
    assert report["hsts"] == "max-age=31536000; includeSubDomains"
    assert (report["debug"], report["forwarded"], report["hosts"]) == (False, False, ["api.example.com"])
