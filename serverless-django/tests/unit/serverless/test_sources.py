"""An event at the wrong function is told where it belongs."""

import copy
import json
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.sources import WrongEventSourceError, source_of, wrong_source
from tests.foreign_events import FOREIGN, TYPOS

EVENTS = Path(__file__).parents[2] / "projects" / "sample" / "events"
HANDLERS = ("api_gateway", "management", "s3", "sqs")

SAMPLES = {str(path.relative_to(EVENTS)): path for path in sorted(EVENTS.rglob("*.json"))}
IN_SQS = ("native_in_sqs.json", "eventbridge_in_sqs.json", "test_event.json")
OWNERS = {name: "sqs" if name.endswith(IN_SQS) else name.split("/")[0] for name in SAMPLES}
"""Objects reach handlers/s3.py through SQS, too: such a batch tells by its bodies only whose it is."""

OF_ANOTHER = [
    (wanted, name) for wanted in HANDLERS for name in SAMPLES if wanted not in (OWNERS[name], name.split("/")[0])
    if (wanted, OWNERS[name]) != ("s3", "sqs")
]  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def read(name):
    return json.loads(SAMPLES[name].read_text())


@pytest.fixture(scope="module")
def handle():
    """Return a caller of the deployed handlers: `handle("sqs", event, context)`."""
    handlers = {name: import_module(f"lambda_app.handlers.{name}").handler for name in HANDLERS}
    return lambda name, event, context: handlers[name](copy.deepcopy(event), context)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_event_belongs_to_the_handler_of_its_folder(name):
    assert source_of(read(name)) == OWNERS[name]


@pytest.mark.parametrize(("wanted", "name"), OF_ANOTHER)
def test_a_handler_that_gets_the_event_of_another_names_the_other(handle, lambda_context, wanted, name):
    with pytest.raises(WrongEventSourceError, match=f"invoke the function of handlers/{OWNERS[name]}.py"):
        handle(wanted, read(name), lambda_context)


@pytest.mark.parametrize("wanted", HANDLERS)
@pytest.mark.parametrize("name", FOREIGN)
def test_no_handler_takes_the_event_of_another_service(handle, lambda_context, wanted, name):
    with pytest.raises(WrongEventSourceError, match=f"handlers/{wanted}.py got an event of another source.*no handler"):
        handle(wanted, FOREIGN[name], lambda_context)


@pytest.mark.parametrize("name", TYPOS)
def test_an_operator_who_misspells_a_command_is_told_what_management_takes(name):
    error = wrong_source(TYPOS[name], wanted="management")

    assert str(error).endswith('handlers/management.py takes null, {} and {"command": ["migrate"]}')


@given(JSON)
def test_management_takes_nothing_but_its_three_events(event):
    is_taken = event in (None, {}) or (isinstance(event, dict) and set(event) == {"command"})

    assert (source_of(event) == "management") is is_taken


@pytest.mark.parametrize(
    "event", [[], "text", 1, {"Records": []}, {"Records": [None]}, {"Records": [{"eventSource": []}]}]
)
def test_anything_else_belongs_to_no_handler(event):
    assert source_of(event) == ""
    assert "no handler takes it" in str(wrong_source(event, wanted="sqs"))


def test_the_error_names_the_right_handler(event):
    error = wrong_source(event("sqs/like"), wanted="api_gateway")

    assert str(error) == (
        "handlers/api_gateway.py got an event of another source (keys Records); invoke the function of handlers/sqs.py"
    )
