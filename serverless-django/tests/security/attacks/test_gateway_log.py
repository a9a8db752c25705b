"""A client who writes into the gateway's access log: API Gateway puts values between the quotes as they are."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.deploy.components.api import ACCESS_LOG

WRITTEN_BY_CLIENTS = {
    "$context.authorizer.error",
    "$context.domainName",
    "$context.domainPrefix",
    "$context.error.message",
    "$context.identity.userAgent",
    "$context.integration.error",
    "$context.integrationErrorMessage",
    "$context.path",
    "$context.protocol",
}
"""Texts of the client's choice, or that quote one: an authorizer names the algorithm of the token that it refuses."""

FORMAT = json.dumps(ACCESS_LOG)
HONEST = {"$context.status": "401", "$context.httpMethod": "GET", "$context.error.responseType": "UNAUTHORIZED"}


def logged(text):
    """Return the line of a request that was refused and holds `text` wherever a client may write."""
    forged = re.compile(r"\$context\.(?:authorizer|identity\.(?!sourceIp))[\w.]*")

    def value(variable):
        is_forged = variable[0] in WRITTEN_BY_CLIENTS or forged.fullmatch(variable[0])
        return text if is_forged else HONEST.get(variable[0], "-")

    return re.sub(r"\$context\.[\w.]+", value, FORMAT)


HOSTILE = [
    'Mozilla "5.0"', '"', "\\", '\\"', '", "status": "200', '"}\n{"status": "200"}', "\n",
    "\x00", "\x1b[2K", "\u2028", "é",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_user_agent_or_path_breaks_or_forges_the_gateways_log(text):
    line = json.loads(logged(text))

    assert (line["status"], line["method"], line["error"]) == ("401", "GET", "UNAUTHORIZED")
    assert list(line) == list(ACCESS_LOG)


@given(st.text())
def test_nothing_that_a_client_chooses_changes_the_gateways_line(text):
    assert logged(text) == logged("")


def test_the_log_still_tells_which_request_it_was_and_how_it_ended():
    assert {"request_id", "time", "method", "route", "status", "source_ip", "error"} <= ACCESS_LOG.keys()
