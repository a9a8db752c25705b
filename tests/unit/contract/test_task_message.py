"""A task call survives the journey, and nothing else passes for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app.contract.task_message import FORMAT_VERSION, InvalidTaskMessageError, TaskMessage

FIELDS = {"id": "1", "task": "a.b", "enqueued_at": "2026-11-23T07:30:00+00:00", "args": [], "kwargs": {}, "version": 1}
FIELDS_OF_A_CALL = {name: value for name, value in FIELDS.items() if name != "version"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(args=st.lists(json_values), kwargs=st.dictionaries(st.text(), json_values))
def test_what_is_encoded_is_decoded(args, kwargs):
    message = TaskMessage(id="1", task="a.b", enqueued_at="2026-11-23T07:30:00+00:00", args=args, kwargs=kwargs)

    assert TaskMessage.decode(message.encode()) == message


@given(st.text() | json_values.map(json.dumps))
def test_whatever_is_no_message_is_refused_as_such(body):
    with pytest.raises(InvalidTaskMessageError):
        TaskMessage.decode(body)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": FORMAT_VERSION + 1}, "deploy consumers before producers"),
        ({"version": "1"}, "has version '1'"),
        ({"extra": 1}, "missing or unknown fields: extra"),
        ({"args": {}}, "field 'args' should be list"),
        ({"kwargs": []}, "field 'kwargs' should be dict"),
        ({"task": None}, "field 'task' should be str"),
    ],
)
def test_a_message_of_another_shape_says_what_is_wrong(changes, message):
    with pytest.raises(InvalidTaskMessageError, match=message):
        TaskMessage.decode(json.dumps(FIELDS | changes))


@pytest.mark.parametrize("name", ["id", "task", "enqueued_at", "args", "kwargs"])
def test_a_missing_field_is_named(name):
    body = json.dumps({key: value for key, value in FIELDS.items() if key != name})

    with pytest.raises(InvalidTaskMessageError, match=name):
        TaskMessage.decode(body)


def test_a_body_nested_too_deep_is_refused():
    with pytest.raises(InvalidTaskMessageError, match="not a task message"):
        TaskMessage.decode("[" * 200_000)


def test_the_request_that_began_it_travels_along():
    message = TaskMessage(**FIELDS_OF_A_CALL, request_id="request-1", trace="Root=1-abc")

    decoded = TaskMessage.decode(message.encode())

    assert (decoded.request_id, decoded.trace) == ("request-1", "Root=1-abc")


def test_a_message_that_nobody_asked_for_is_written_as_the_first_version():
    assert json.loads(TaskMessage(**FIELDS_OF_A_CALL).encode())["version"] == 1
