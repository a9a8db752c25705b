"""Secrets and personal data never stand in a log, in whatever way they reach it."""

import json

import pytest

from serverless_django.observability.redaction import HIDDEN, NAMES, hide_fields, hide_values
from serverless_django.testing.log_lines import captured_lines

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_secret_or_personal_field_is_hidden_at_any_depth(name):
    line = hide_fields({"outer": [{name.title(): "x"}], name: {"deep": "x"}, "kept": 1})

    assert line == {"outer": [{name.title(): HIDDEN}], name: HIDDEN, "kept": 1}


@pytest.mark.parametrize(
    "text",
    [
        f"refused {JWT}",
        "Authorization: Bearer s3cr3t.token-x",
        "https://bucket/key?X-Amz-Credential=AKIA/x&X-Amz-Signature=s3cr3t&a=1",
        "X-Amz-Security-Token=s3cr3t",
        "postgresql://app:s3cr3t@proxy:5432/app",
        "connection failed: password=s3cr3t host=proxy",
        "s3cr3t@example.org",
        json.dumps({"body": json.dumps({"password": "s3cr3t"})}),
        json.dumps({"event": json.dumps({"headers": {"authorization": "s3cr3t"}})}),
    ],
)
def test_what_looks_like_a_secret_is_hidden_in_any_text(text):
    hidden = hide_values(text)

    assert "s3cr3t" not in hidden
    assert JWT not in hidden
    assert HIDDEN in hidden


@pytest.mark.parametrize(
    "text",
    [
        "400 @media rules",
        "https://bucket/key?X-Amz-Date=20261123",
        "the password was refused",
        "eyJ is no token",
        "a@b",
    ],
)
def test_harmless_text_is_left_as_it_is(text):
    assert hide_values(text) == text


def test_a_line_stays_json_when_something_in_it_is_hidden():
    with captured_lines() as lines:
        from serverless_django.observability.logs import logger

        logger.warning('said "Bearer abc" to ada@example.org', extra={"headers": {"Cookie": "a=1"}})

    assert lines()[0]["message"] == f'said "Bearer {HIDDEN}" to {HIDDEN}'
    assert lines()[0]["headers"] == {"Cookie": HIDDEN}


def test_a_traceback_is_searched_too():
    with captured_lines() as lines:
        from serverless_django.observability.logs import logger

        try:
            raise ValueError(f"bad token {JWT}")
        except ValueError:
            logger.exception("failed")

    assert JWT not in json.dumps(lines())
    assert lines()[0]["exception_name"] == "ValueError"
