"""Whatever is sent, the answer says whose fault it is: a problem document, never a failure of ours."""

import json
import logging

import pytest

from tests.integration.feed.conftest import make_member
from tests.security.bad_inputs import ALLOWED, bad_inputs
from tests.security.calls import call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

INPUTS = list(bad_inputs())
CLAIMS = {"sub": "subject-of-ada", "preferred_username": "ada"}


def test_there_are_at_least_a_hundred():
    assert len({each.name for each in INPUTS}) == len(INPUTS) >= 100


def test_no_input_is_a_fault_of_ours(record_property, caplog):
    make_member("ada")
    wrong, failed = [], 0
    for each in INPUTS:
        answer = call(each.method, each.path, query=each.query, body=each.body, headers=each.headers, claims=CLAIMS)
        failed += answer.status >= 500
        if answer.status not in ALLOWED or not is_problem(answer):
            wrong.append(f"{each.name}: {answer.status} {answer.body[:200]}")
    record_property("bad_inputs", len(INPUTS))
    record_property("bad_input_5xx", failed)

    assert wrong == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR and record.exc_info
            and "DisallowedHost" not in str(record.exc_info[0])] == []  # fmt: skip


def is_problem(answer):
    document = json.loads(answer.body)
    return (
        answer.headers["content-type"] == "application/problem+json"
        and document["status"] == answer.status
        and document["request_id"] == answer.headers["x-request-id"]
    )


def test_a_refusal_does_not_say_how_the_house_is_built():
    make_member("ada")
    said = "".join(
        call(each.method, each.path, query=each.query, body=each.body, headers=each.headers, claims=CLAIMS).body
        for each in INPUTS
    )

    for word in ("Traceback", "psycopg", "site-packages", "lambda_app", "SELECT ", "django"):
        assert word not in said
