"""What one encoder writes one decoder reads, and nothing else passes for a call."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.contract.task_message import FORMAT_VERSION, InvalidTaskMessageError, TaskMessage
from serverless_django.tasks.wire import read_envelope

FIELDS = {"id": "1", "task": "a.b", "enqueued_at": "2026-11-23T07:30:00+00:00", "args": [], "kwargs": {}, "version": 1}
FIELDS_OF_A_CALL = {name: value for name, value in FIELDS.items() if name != "version"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(args=st.lists(json_values), kwargs=st.dictionaries(st.text(), json_values))
def test_what_is_encoded_is_decoded(args, kwargs):
    message = TaskMessage(id="1", task="a.b", enqueued_at="2026-11-23T07:30:00+00:00", args=args, kwargs=kwargs)

    envelope = read_envelope(message.encode())

    assert (envelope.id, envelope.task, envelope.arguments()) == ("1", "a.b", (args, kwargs))


@given(st.text() | json_values.map(json.dumps))
def test_whatever_is_no_message_is_refused_as_such(body):
    with pytest.raises(InvalidTaskMessageError):
        read_envelope(body)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": FORMAT_VERSION + 1}, f"version {FORMAT_VERSION + 1}, .*deploy consumers before producers"),
        ({"version": FORMAT_VERSION + 1, "new": 1}, "deploy consumers before producers"),
        ({"version": "1"}, r"Expected `int`, got `str` - at `\$.version`"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"args": {}}, "args should be a list"),
        ({"kwargs": []}, "kwargs should be an object"),
        ({"task": None}, r"Expected `str`, got `null` - at `\$.task`"),
        ({"enqueued_at": "yesterday"}, "enqueued_at 'yesterday', which is no ISO 8601 time with a zone"),
    ],
)
def test_a_message_of_another_shape_says_what_is_wrong(changes, message):
    with pytest.raises(InvalidTaskMessageError, match=message):
        read_envelope(json.dumps(FIELDS | changes))


@pytest.mark.parametrize("name", ["id", "task", "enqueued_at", "args", "kwargs"])
def test_a_missing_field_is_named(name):
    body = json.dumps({key: value for key, value in FIELDS.items() if key != name})

    with pytest.raises(InvalidTaskMessageError, match=name):
        read_envelope(body)


def test_a_body_nested_too_deep_is_refused():
    with pytest.raises(InvalidTaskMessageError, match="not a task message"):
        read_envelope("[" * 200_000)


def test_the_request_that_began_it_travels_along():
    message = TaskMessage(**FIELDS_OF_A_CALL, request_id="request-1", trace="Root=1-abc")

    decoded = read_envelope(message.encode())

    assert (decoded.request_id, decoded.trace) == ("request-1", "Root=1-abc")


def test_a_message_without_a_request_is_written_as_the_first_version():
    assert json.loads(TaskMessage(**FIELDS_OF_A_CALL).encode())["version"] == 1
