"""Every file under events/ is an event that its folder's handler accepts."""

import json
from importlib import import_module
from pathlib import Path

import pytest

EVENTS = Path(__file__).parents[1] / "events"

BAD_MESSAGES = {
    "poison.json": ["059f36b4-87a3-44ab-83d2-661975970002", "059f36b4-87a3-44ab-83d2-661975970003"],
}
"""Samples that show a refusal; whatever another sample holds is done."""


def failures_of(response):
    if response is None:
        return []
    if response.get("statusCode", 200) >= 500:
        return [response["body"]]
    return [item["itemIdentifier"] for item in response.get("batchItemFailures", [])]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", sorted(EVENTS.rglob("*.json")), ids=lambda path: str(path.relative_to(EVENTS)))
def test_the_sample_event_is_handled(path, lambda_context):
    handler = import_module(f"lambda_app.handlers.{path.parent.name}").handler

    response = handler(json.loads(path.read_text()), lambda_context)

    assert json.loads(json.dumps(response)) == response
    assert failures_of(response) == BAD_MESSAGES.get(path.name, [])


def test_every_handler_has_sample_events():
    handlers = {path.stem for path in (EVENTS.parent / "lambda_app" / "handlers").glob("[!_]*.py")}

    assert {path.parent.name for path in EVENTS.rglob("*.json")} == handlers
