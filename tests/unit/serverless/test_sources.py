"""An event at the wrong function is told where it belongs."""

import pytest

from lambda_app.serverless.sources import source_of, wrong_source


@pytest.mark.parametrize(
    "name",
    [
        "api_gateway/healthz",
        "api_gateway/create_post",
        "sqs/like",
        "s3/native",
        "s3/eventbridge",
        "management/migrate",
    ],
)
def test_a_sample_event_belongs_to_the_handler_of_its_folder(event, name):
    assert source_of(event(name)) == name.split("/")[0]


@pytest.mark.parametrize(
    "event", [None, [], "text", 1, {}, {"Records": []}, {"Records": [None]}, {"Records": [{"eventSource": []}]}]
)
def test_anything_else_belongs_to_nobody(event):
    assert source_of(event) == ""
    assert "no handler takes it" in str(wrong_source(event, wanted="sqs"))


def test_the_error_names_the_right_handler(event):
    error = wrong_source(event("sqs/like"), wanted="api_gateway")

    assert str(error) == (
        "handlers/api_gateway.py got an event of another source (keys Records); invoke the function of handlers/sqs.py"
    )
