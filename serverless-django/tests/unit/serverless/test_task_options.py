"""Options stand on the task, and what is wrong about them is refused at import, in words that list the right ones."""

import copy
import pickle
from datetime import timedelta

import django
import pytest
from django.tasks import task as django_task
from django.tasks.exceptions import InvalidTask
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.contract.resources import Queue, Topology
from serverless_django.tasks import TaskOptions, task
from serverless_django.tasks.options import ServerlessTask, options_of
from tests import sample_tasks
from tests.sample_tasks import Note, note, note_all

BACKENDS = ("backend.SqsBackend", "in_process.ImmediateBackend", "in_process.DummyBackend")
TAKES_OPTIONS = django.VERSION >= (6, 1)
"""Whether Django's own decorator passes on what it does not know."""

DECORATORS = pytest.mark.parametrize("decorator", [task, django_task] if TAKES_OPTIONS else [task])
DEFAULTS = {
    "max_attempts": 3, "retry_after": timedelta(seconds=5), "bulk": False, "direct": False, "transactional": True,
    "keep_result": False, "group_by": "",
}  # fmt: skip
RIGHT = {
    "max_attempts": st.integers(1, 10),
    "retry_after": st.timedeltas(timedelta(microseconds=1), timedelta(minutes=15)),
    "bulk": st.booleans(),
    "direct": st.booleans(),
    "transactional": st.booleans(),
    "keep_result": st.booleans(),
    "group_by": st.sampled_from(["", "items"]),
}
anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.timedeltas() | st.lists(st.integers())
)


def take_items(items: list[int]) -> None:
    pass


def take_value(value):
    pass


def take_context(context, value):
    pass


def take_unknown(items: "list[Unknown]") -> None:  # noqa: F821
    pass


def take_ambiguous(items: list[str | bytes]) -> None:
    pass


def is_possible(options):
    bulk, keep = options.get("bulk"), options.get("keep_result")
    return not (bulk and (keep or options.get("transactional") is False)) and not (options.get("direct") and keep)


@pytest.mark.parametrize("backend", BACKENDS)
@DECORATORS
@pytest.mark.parametrize("name", list(RIGHT))
def test_every_backend_of_the_library_takes_each_option(settings, backend, decorator, name):
    settings.TASKS = {"default": {"BACKEND": f"serverless_django.tasks.{backend}"}}
    value = {"max_attempts": 7, "retry_after": timedelta(minutes=1), "transactional": False, "group_by": "items"}
    options = {name: value.get(name, True)}

    declared = decorator(**options)(take_items)

    assert options_of(declared) == DEFAULTS | options


def test_the_options_are_those_of_the_type():
    assert list(TaskOptions.__annotations__) == list(RIGHT) == list(DEFAULTS)


@given(st.fixed_dictionaries({}, optional=RIGHT))
def test_what_is_possible_is_taken_and_kept_and_what_contradicts_itself_is_refused(options):
    if not is_possible(options):
        with pytest.raises(InvalidTask, match=r"test_task_options\.take_items is (bulk|direct), so .*; take "):
            task(**options)(take_items)
        return

    declared = task(**options)(take_items)

    assert options_of(declared) == DEFAULTS | options
    assert options_of(declared.using(priority=5, queue_name="likes")) == DEFAULTS | options


def is_right(name, value):
    if value is None:
        return name in ("max_attempts", "retry_after", "transactional", "keep_result")
    limits = {"max_attempts": range(1, 11), "group_by": ("", "items")}
    if name == "retry_after":
        return isinstance(value, timedelta) and timedelta(0) < value <= timedelta(minutes=15)
    return type(value) is type(DEFAULTS[name]) and value in limits.get(name, (True, False))


@given(name=st.sampled_from(list(RIGHT)), value=anything)
def test_a_value_of_another_type_or_out_of_bounds_is_refused(name, value):
    if is_right(name, value):
        assert getattr(task(**{name: value})(take_items), name) == value
    else:
        with pytest.raises(InvalidTask, match=rf"test_task_options\.take_items has {name}="):
            task(**{name: value})(take_items)


@DECORATORS
@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (take_value, {"max_attempts": 11}, "take_value has max_attempts=11; possible are 1 to 10"),
        (take_value, {"max_attempts": True}, "has max_attempts=True, which should be of type int"),
        (take_value, {"retry_after": 5}, "has retry_after=5, which should be of type timedelta"),
        (take_value, {"retry_after": timedelta(0)}, "has retry_after=0:00:00; possible is more than 0, and up to 0:15"),
        (take_value, {"bulk": True}, r"bulk task take_value takes \(value\); let it take one list"),
        (take_unknown, {"bulk": True}, "annotations of bulk task take_unknown cannot be read: name 'Unknown'"),
        (take_ambiguous, {"bulk": True}, "which JSON cannot hold"),
        (take_items, {"bulk": True, "keep_result": True}, "none has its own result; take keep_result or bulk off"),
        (take_items, {"bulk": True, "transactional": False}, "in one transaction; take transactional=False or bulk"),
        (take_value, {"direct": True, "keep_result": True}, "keep_result needs one; take keep_result or direct off"),
        (take_value, {"group_by": "account"}, r"group_by='account', which is none of its parameters \(value\)"),
        (take_context, {"group_by": "context", "takes_context": True}, r"none of its parameters \(value\)"),
    ],
)
def test_a_wrong_option_is_refused_at_import(decorator, function, options, message):
    with pytest.raises(InvalidTask, match=message):
        decorator(**options)(function)


@DECORATORS
def test_an_unknown_option_is_refused_with_those_that_there_are(decorator):
    options = "options are max_attempts, retry_after, bulk, direct, transactional, keep_result, group_by"

    with pytest.raises(TypeError, match=f"test_task_options.take_value has no option 'colour'; {options}"):
        decorator(colour="red")(take_value)
    with pytest.raises(TypeError, match=r"has no option 'max_attempt' \(did you mean 'max_attempts'\?\); options are"):
        decorator(max_attempt=3)(take_value)


def test_a_moment_is_no_option():
    with pytest.raises(TypeError, match="run_after"):
        task(run_after=None)(take_value)


def test_a_backend_that_knows_no_options_is_named_with_those_that_do(settings):
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}

    with pytest.raises(TypeError, match=r"options \(bulk\), which DummyBackend of TASKS\['default'\] does not know"):
        task(bulk=True)(take_items)
    assert options_of(task(take_value)) == DEFAULTS


def test_a_task_survives_copies_with_its_options():
    declared = sample_tasks.note_all

    twin = copy.deepcopy(declared)

    assert (type(twin), twin) == (ServerlessTask, declared)


@pytest.mark.skipif(not TAKES_OPTIONS, reason="Django 6.0 pickles the function of a task, which the task hides")
def test_a_task_survives_pickling_with_its_options():
    declared = sample_tasks.note_all

    twin = pickle.loads(pickle.dumps(declared))  # noqa: S301

    assert (type(twin), twin) == (ServerlessTask, declared)


QUEUE = Queue(name="default", max_attempts=7, retry_after=timedelta(minutes=1), transactional=False, keep_result=True)


@pytest.mark.parametrize(
    ("declared", "options"),
    [
        ({}, {"max_attempts": 7, "retry_after": timedelta(minutes=1), "transactional": False, "keep_result": True}),
        (
            {"max_attempts": 2, "transactional": True, "keep_result": False},
            {"max_attempts": 2, "retry_after": timedelta(minutes=1), "transactional": True, "keep_result": False},
        ),
        ({"bulk": True}, {"transactional": True, "keep_result": False}),
        ({"direct": True}, {"transactional": False, "keep_result": False}),
    ],
)
def test_a_task_that_does_not_say_has_what_its_queue_declares(settings, declared, options):
    settings.SERVERLESS = {"TOPOLOGY": Topology(queues=(QUEUE, Queue(name="likes")))}

    assert options_of(task(**declared)(take_items)).items() >= options.items()


def test_a_call_for_another_queue_keeps_the_defaults_of_the_declared_one(settings):
    """The worker, which finds the task by its path, has no others."""
    settings.SERVERLESS = {"TOPOLOGY": Topology(queues=(QUEUE, Queue(name="likes")))}

    assert options_of(note.using(queue_name="likes")) == options_of(note)


def test_a_task_of_another_backend_has_the_defaults(settings):
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}

    assert options_of(django_task(take_value)) == options_of(None) == DEFAULTS


def test_a_bulk_task_gets_its_items_as_it_declares_them(monkeypatch):
    seen = []
    monkeypatch.setattr("tests.sample_tasks.FailedCall.objects.bulk_create", seen.extend, raising=False)
    item = {"id": "01a20795-f084-79ab-806f-4dff5a779e01", "text": "a"}

    note_all.call([item])
    note_all.call(notes=[Note(**item)])

    assert [row.error for row in seen] == ["a", "a"]
