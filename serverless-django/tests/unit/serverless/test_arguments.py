"""Whatever enqueue() accepts a worker reads equal; all else is refused there, in words that say where it is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_django.observability.correlation import Correlation, continued
from serverless_django.tasks import outbox, results
from serverless_django.tasks.arguments import MAX_NESTING, InvalidArgumentsError
from serverless_django.tasks.wire import read_envelope
from tests.sample_tasks import note, note_all, set_options


@pytest.fixture
def sent(settings, monkeypatch):
    """Return what would have been written and sent after the commit."""
    settings.TASKS = {
        "default": {
            "BACKEND": "serverless_django.tasks.backend.SqsBackend",
            "QUEUES": ["default"],
            "OPTIONS": {"queue_urls": {"default": "https://sqs.example.com/1/default"}},
        }
    }
    sent = []
    monkeypatch.setattr(outbox, "write", sent.extend)
    monkeypatch.setattr(outbox, "send_after_commit", lambda calls, results, urls: None)
    monkeypatch.setattr(results, "open_result", lambda result: None)
    return sent


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


# Every character, half surrogate pairs among them; every number of JSON and those that it has none for.
texts = st.text(st.characters())
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary() | st.builds(lambda: 10**5_000)
keys = texts | st.integers() | st.booleans() | st.none() | st.floats() | st.tuples(st.integers())
anything = st.recursive(
    leaves | st.sampled_from([1, 99, 100, 101, 950, 2_000]).map(nested),
    lambda children: (
        st.lists(children)
        | st.lists(children).map(tuple)
        | st.dictionaries(texts, children)
        | st.dictionaries(keys, children, max_size=2)
    ),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(args=st.lists(anything, max_size=2), kwargs=st.dictionaries(st.just("value") | texts, anything, max_size=2))
def test_whatever_is_accepted_is_read_equal(sent, args, kwargs):
    try:
        result = note.enqueue(*args, **kwargs)
    except (TypeError, ValueError):
        assert sent == []
        return

    assert read_envelope(sent.pop().body).arguments() == (result.args, result.kwargs)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    )
)
def test_every_value_of_json_is_accepted_as_it_is(sent, value):
    note.enqueue(value)

    assert read_envelope(sent.pop().body).arguments() == ([value], {})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), r"args\[0\] is nan, and JSON has no such number"),
        ({"a": [1, -float("inf")]}, r"args\[0\]\['a'\]\[1\] is -inf"),
        ("caf\udce9.jpg", r"args\[0\] holds half of a surrogate pair"),
        ({"\ud800": 1}, r"a key of args\[0\] holds half of a surrogate pair"),
        ({1: "a"}, r"args\[0\] has the key 1, and JSON's keys are text; pass '1'"),
        ({None: "a"}, r"has the key None"),
        ([10**5_000], "4300 digits"),
        (nested(MAX_NESTING + 1), f"is nested more than {MAX_NESTING} levels deep"),
        (nested(900), f"is nested more than {MAX_NESTING} levels deep"),
        (nested(50_000), f"are nested more than {MAX_NESTING} levels deep, or in themselves"),
    ],
)
def test_what_no_worker_could_read_is_refused_with_its_place(sent, value, reason):
    with pytest.raises(InvalidArgumentsError, match=reason):
        note.enqueue(value)

    assert sent == []


def test_a_list_within_itself_is_refused(sent):
    value = []
    value.append(value)

    with pytest.raises(InvalidArgumentsError, match="or in themselves"):
        note.enqueue(value)


def test_the_deepest_that_is_accepted_is_read(sent):
    note.enqueue(nested(MAX_NESTING))

    assert read_envelope(sent.pop().body).arguments() == ([nested(MAX_NESTING)], {})


def test_many_values_side_by_side_are_not_deep(sent):
    note.enqueue([{"a": []}] * 10 * MAX_NESTING)

    assert len(sent) == 1


def test_a_tuple_is_read_as_a_list_by_every_backend_of_django(sent):
    result = note.enqueue((1, 2))

    assert (result.args, read_envelope(sent.pop().body).arguments()[0]) == ([[1, 2]], [[1, 2]])


@pytest.mark.parametrize("items", ["abc", [{"id": "no uuid", "text": "a"}], [{}], None])
def test_a_call_of_a_bulk_task_with_items_of_another_type_is_refused(sent, items):
    with pytest.raises(InvalidArgumentsError, match=r"a call of tests\.sample_tasks\.note_all cannot be sent: "):
        note_all.enqueue(items)


def test_nul_travels_but_not_where_it_would_be_stored(sent, monkeypatch):
    note.enqueue("a\0b")
    set_options(monkeypatch, note, keep_result=True)

    with pytest.raises(InvalidArgumentsError, match="PostgreSQL stores no such value"):
        note.enqueue(value={"a": "a\0b"})

    assert read_envelope(sent.pop().body).arguments() == (["a\0b"], {})


def test_a_header_of_the_client_makes_no_call_unreadable(sent):
    with continued(Correlation(request_id="\udce9", trace="\ud800")):
        note.enqueue(1)

    envelope = read_envelope(sent.pop().body)
    assert (envelope.request_id, envelope.trace) == ("?", "?")
