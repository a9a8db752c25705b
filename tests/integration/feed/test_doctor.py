"""The doctor finds nothing wrong with the feed: its settings, what every endpoint asks, its tables."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lambda_app.apps.feed.population import Population
from lambda_app.apps.feed.seeding import seed
from serverless_django.doctor.database_facts import read_database, sent_statements
from serverless_django.doctor.facts import Facts
from serverless_django.doctor.findings import diagnose
from serverless_django.doctor.settings_facts import measure_middleware, read_settings
from serverless_django.observability.recordings import recorded
from serverless_django.testing.requests import client_with_claims
from tests.integration.feed import every_endpoint

pytestmark = pytest.mark.django_db

POPULATION = Population(12_000)
"""So many that reading a table whole counts as a fault."""


def record(route, client):
    with recorded(route) as recording:
        assert every_endpoint.REQUESTS[route](client).status_code < 300
    return recording


@pytest.fixture
def large_feed(monkeypatch):
    seed(POPULATION, on_progress=lambda *progress: None)
    monkeypatch.setattr(every_endpoint, "READER", f"seed-{POPULATION.posts}-2")
    return client_with_claims(sub=every_endpoint.READER, preferred_username="reader")


def test_the_feed_has_full_marks(large_feed, queue, settings):
    middleware, settings_facts = measure_middleware(), read_settings()
    statements = sent_statements([record(route, large_feed) for route in every_endpoint.REQUESTS])

    diagnosis = diagnose(Facts(middleware=middleware, statements=statements, **settings_facts, **read_database()))

    assert len(statements) > 20
    assert [f"{finding.rule}: {finding.evidence}" for finding in diagnosis.findings if is_certain(finding)] == []


def is_certain(finding):
    """Tell whether the finding depends on neither the machine nor what other tests did, and rolled back."""
    return finding.rule not in ("costly-middleware", "slow-statement", "dead-rows", "idle-index")


def test_the_doctor_sees_the_feeds_own_tables(large_feed):
    facts = read_database()

    assert facts["tables"]["feed_post"].rows == POPULATION.posts
    assert ("author_id", "id DESC") in [index.columns for index in facts["indexes"]]


def test_the_command_reports_and_fails_if_anything_is_wrong(settings):
    settings.DEBUG = True
    out = StringIO()

    with pytest.raises(SystemExit, match="1"):
        call_command("doctor", "--visit", "/healthz", stdout=out, no_color=True)

    assert "debug: DEBUG is on" in out.getvalue()
    assert "middleware                               3/4" in out.getvalue()


def test_the_command_says_it_in_json_too(settings):
    settings.DEBUG = True
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=out)

    assert "debug" in [finding["rule"] for finding in json.loads(out.getvalue())["findings"]]


def test_a_visit_takes_what_the_request_needs_from_a_file(tmp_path, settings):
    claims = {"sub": "subject-of-ada", "preferred_username": "ada"}
    event = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    out = StringIO()
    settings.DEBUG = True

    with pytest.raises(SystemExit):
        call_command(
            "doctor", "--visit", "/v1/feed", "--meta", f"aws.event=@{tmp_path}/event.json", "--json", stdout=out
        )

    assert json.loads(out.getvalue())["rules"] > 30


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["--visit", "/v1/feed"], "GET /v1/feed answered 401"), (["--visit", "/healthz", "--meta", "x"], "NAME=VALUE")],
)
def test_a_visit_that_cannot_be_judged_is_refused(arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("doctor", *arguments)


def test_a_statement_that_cannot_be_explained_any_more_is_left_out():
    with recorded("gone") as recording, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE soon_gone (id int)")
        cursor.execute("SELECT id FROM soon_gone")
        cursor.execute("DROP TABLE soon_gone")

    assert [sent.plan for sent in sent_statements([recording])] == [None, None, None]
