"""The request that began it is known in whatever it began."""

import pytest

from serverless_django.observability.correlation import (
    NO_CORRELATION,
    Correlation,
    continued,
    correlation_of,
    current_correlation,
)
from serverless_django.observability.logs import logger
from serverless_django.testing.log_lines import captured_lines

ADA = Correlation("request-1", "Root=1-abc;Parent=53995c3f42cd8ad8;Sampled=1")


def test_a_request_is_its_own_origin(event, lambda_context):
    request = event("api_gateway/healthz")

    correlation = correlation_of(request, lambda_context)

    assert correlation == Correlation(
        request["requestContext"]["requestId"], request["headers"].get("x-amzn-trace-id", "")
    )


@pytest.mark.parametrize("stranger", [None, [], {}, {"Records": []}])
def test_another_event_has_none(stranger, lambda_context):
    assert correlation_of(stranger, lambda_context) is NO_CORRELATION


@pytest.mark.parametrize("headers", [None, [], {"x-amzn-trace-id": 1}])
def test_a_malformed_event_has_an_origin_without_trace(headers, lambda_context):
    correlation = correlation_of({"requestContext": {"requestId": "request-1"}, "headers": headers}, lambda_context)

    assert correlation == Correlation("request-1")


def test_lines_within_bear_the_id_and_the_root_of_the_trace():
    with captured_lines() as lines, continued(ADA, message_id="m"):
        logger.info("within")

    assert lines()[0].items() >= {"correlation_id": "request-1", "trace_id": "1-abc", "message_id": "m"}.items()


def test_the_origin_ends_with_its_block():
    with continued(ADA):
        within = current_correlation()

    assert (within, current_correlation()) == (ADA, NO_CORRELATION)


ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (f"{ROOT};Sampled=1", f"{ROOT};Sampled=1"),
        (f"Self=1-0-1;{ROOT};evil=x", f"Self=1-0-1;{ROOT}"),
        ("00-4bf92f-00f067-01", ""),
        ("Root=1-zzzzzzzz-bd862e3fe1be46a994272793", ""),
        (f"{ROOT}\n", ""),
        ("Root=eyJhbGciOiJub25lIn0.e30.", ""),
        (f"{ROOT};" * 10, ""),
        ("a" * 10_000, ""),
    ],
)
def test_only_the_well_formed_parts_of_a_trace_header_are_taken(header, taken, lambda_context):
    event = {"requestContext": {"requestId": "request-1"}, "headers": {"x-amzn-trace-id": header}}

    assert correlation_of(event, lambda_context) == Correlation("request-1", taken)


def test_an_origin_from_a_message_logs_no_trace_that_is_none():
    assert "trace_id" not in Correlation("1", "00-4bf92f-00f067-01").fields()
