"""The request that began it is known in whatever it began."""

import pytest

from lambda_app.serverless.observability.logs import logger
from lambda_app.serverless.observability.origins import NOBODY, Origin, continued, current_origin, origin_of
from tests.log_lines import captured_lines

ADA = Origin("request-1", "Root=1-abc;Parent=53995c3f42cd8ad8;Sampled=1")


def test_a_request_is_its_own_origin(event, lambda_context):
    request = event("api_gateway/healthz")

    origin = origin_of(request, lambda_context)

    assert origin == Origin(request["requestContext"]["requestId"], request["headers"].get("x-amzn-trace-id", ""))


@pytest.mark.parametrize("stranger", [None, [], {}, {"Records": []}])
def test_another_event_has_none(stranger, lambda_context):
    assert origin_of(stranger, lambda_context) is NOBODY


@pytest.mark.parametrize("headers", [None, [], {"x-amzn-trace-id": 1}])
def test_a_malformed_event_has_an_origin_without_trace(headers, lambda_context):
    origin = origin_of({"requestContext": {"requestId": "request-1"}, "headers": headers}, lambda_context)

    assert origin == Origin("request-1")


def test_lines_within_bear_the_id_and_the_root_of_the_trace():
    with captured_lines() as lines, continued(ADA, message_id="m"):
        logger.info("within")

    assert lines()[0].items() >= {"correlation_id": "request-1", "trace_id": "1-abc", "message_id": "m"}.items()


def test_the_origin_ends_with_its_block():
    with continued(ADA):
        within = current_origin()

    assert (within, current_origin()) == (ADA, NOBODY)


def test_a_trace_written_in_another_way_is_kept_whole():
    assert Origin("1", "00-4bf92f-00f067-01").fields()["trace_id"] == "00-4bf92f-00f067-01"
