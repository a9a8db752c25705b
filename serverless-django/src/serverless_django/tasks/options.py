"""`@task(...)` with the options of this library: how a task is sent, retried and run; wrong ones are refused at import.

An option that a task does not set has the value that its queue declares in the topology, or else the default.
"""

# Django's Task is generic for the type checker only.
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any, Concatenate, Literal, Self, TypedDict, Unpack, get_type_hints, overload

from django.tasks import DEFAULT_TASK_BACKEND_ALIAS, DEFAULT_TASK_QUEUE_NAME, Task, TaskContext, task_backends
from django.tasks.base import DEFAULT_TASK_PRIORITY
from django.tasks.exceptions import InvalidTask

from serverless_django.conf import topology
from serverless_django.contract.resources import MAX_RETRY_AFTER, MAX_TASK_ATTEMPTS
from serverless_django.tasks.items import convert_items, item_reader
from serverless_django.tasks.registry import loaded_task

if TYPE_CHECKING:
    type _Function[**P, R] = Callable[P, R]
    type _WithContext[**P, R] = Callable[Concatenate[TaskContext[Any, Any], P], R]
    _AnyTask = Task[Any, Any]
else:
    _AnyTask = Task


class TaskOptions(TypedDict, total=False):
    """How a task is sent, retried and run.

    Without any: a call is a row of the outbox, written in the caller's transaction, and runs in one transaction
    with its receipt, so that its effect in the database happens exactly once.
    """

    max_attempts: int
    """Failures after which a message goes to the dead-letter queue, 1 to 10.  Default: as the queue declares."""

    retry_after: timedelta
    """Wait after the first failure, up to 15 minutes; doubled after each further one, with up to half of it taken off
    at random.  Default: as the queue declares."""

    bulk: bool
    """The task takes one list, and a call with two lists joined does what two calls do: a batch becomes one call."""

    direct: bool
    """Send without a row: for events whose caller repeats what was not accepted.  SQS's error reaches the caller."""

    transactional: bool
    """False: run outside a transaction, for a task that works outside the database for long.  It may run twice, and
    must be safe to repeat.  Default: as the queue declares."""

    keep_result: bool
    """Keep status, return value and errors for `task.get_result(id)`.  Default: as the queue declares."""

    group_by: str
    """On a FIFO queue: the parameter of the task whose values are each a group, in which order is kept."""


class _Declaration(TaskOptions, total=False):
    """What `@task` takes beside: as `django.tasks.task` does."""

    priority: int
    queue_name: str
    backend: str


_TYPES = get_type_hints(TaskOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessTask(_AnyTask):
    """A task of this library's backends, with its `TaskOptions`.  None: as its queue declares."""

    max_attempts: int | None = None
    retry_after: timedelta | None = None
    bulk: bool = False
    direct: bool = False
    transactional: bool | None = None
    keep_result: bool | None = None
    group_by: str = ""

    def __new__(cls, **values: Any) -> Self:
        """Raise TypeError, with every name that is possible, if one of `values` is no field of a task."""
        if unknown := sorted(values.keys() - {field.name for field in fields(cls)}):
            near = get_close_matches(unknown[0], _TYPES, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise TypeError(
                f"task {_path(values['func'])} has no option {unknown[0]!r}{hint}; options are {', '.join(_TYPES)}"
            )
        return object.__new__(cls)

    def __post_init__(self) -> None:
        """Raise InvalidTask if an option, or two of them together, are impossible."""
        # Not super(): with slots, dataclass makes a second class, which the first one's super() does not know.
        Task.__post_init__(self)
        if fault := next(_faults(self), None):
            raise InvalidTask(f"task {self.module_path} {fault}")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task in this process; the items of a bulk task get the type that it declares, as in a worker."""
        if self.bulk:
            args, kwargs = (convert_items(self.func, args, kwargs),), {}
        return Task.call(self, *args, **kwargs)

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """See `call`."""
        if self.bulk:
            args, kwargs = (convert_items(self.func, args, kwargs),), {}
        return await Task.acall(self, *args, **kwargs)


@overload
def task[**P, R](function: _Function[P, R], /) -> Task[P, R]: ...
@overload
def task[**P, R](
    *, takes_context: Literal[True], **options: Unpack[_Declaration]
) -> Callable[[_WithContext[P, R]], Task[P, R]]: ...
@overload
def task[**P, R](
    *, takes_context: Literal[False] = False, **options: Unpack[_Declaration]
) -> Callable[[_Function[P, R]], Task[P, R]]: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    priority: int = DEFAULT_TASK_PRIORITY,
    queue_name: str = DEFAULT_TASK_QUEUE_NAME,
    backend: str = DEFAULT_TASK_BACKEND_ALIAS,
    takes_context: bool = False,
    **options: Any,
) -> Any:
    """Make `function` a task, as `django.tasks.task` does; `options` are `TaskOptions`, checked by type.

    `priority`, `queue_name`, `backend` and `takes_context` are those of Django's decorator, which since Django 6.1
    passes `options` on, too.

    Raise TypeError for an option that does not exist, or if the backend is not one of this library and so has no
    options; raise InvalidTask if an option is impossible.
    """
    if "run_after" in options:
        raise TypeError("run_after is a moment of one call; pass it as task.using(run_after=...)")

    def declare(function: Callable[..., Any]) -> Task[Any, Any]:
        task_class = task_backends[backend].task_class
        if options and not issubclass(task_class, ServerlessTask):
            raise TypeError(
                f"task {_path(function)} has options ({', '.join(options)}), which "
                f"{type(task_backends[backend]).__name__} of TASKS[{backend!r}] does not know; "
                "in tests use ImmediateBackend or DummyBackend of serverless_django.tasks.in_process"
            )
        return task_class(
            func=function,
            priority=priority,
            queue_name=queue_name,
            backend=backend,
            takes_context=takes_context,
            # Django 6.0 has no default for it.
            run_after=None,
            **options,
        )

    return declare(function) if function else declare


def options_of(task: Task[Any, Any] | None) -> TaskOptions:
    """Return every option of `task`: its own, or those of its queue; None is a task that cannot be found.

    The defaults of a queue are for tasks that can take them: a task that is bulk has a transaction and no
    result, and a direct one has no result either.
    """
    # A worker finds a task by its path, and knows nothing of the queue that using() chose for one call.
    declared = task and (loaded_task(task.module_path) or task)
    queue = topology().queue_of(declared.queue_name if declared else "")
    own = {name: value for name in _TYPES if (value := getattr(task, name, None)) is not None}
    bulk, direct = own.get("bulk", False), own.get("direct", False)
    defaults: TaskOptions = {
        "max_attempts": queue.max_attempts,
        "retry_after": queue.retry_after,
        "bulk": False,
        "direct": False,
        "transactional": queue.transactional or bulk,
        "keep_result": queue.keep_result and not (bulk or direct),
        "group_by": "",
    }
    return {**defaults, **own}  # type: ignore[typeddict-item]


def _faults(task: ServerlessTask) -> Iterator[str]:
    """Yield what is impossible about the options of `task`: the fact, the limit and the way out."""
    yield from _faults_of_type(task)
    if task.max_attempts is not None and not 1 <= task.max_attempts <= MAX_TASK_ATTEMPTS:
        yield f"has max_attempts={task.max_attempts}; possible are 1 to {MAX_TASK_ATTEMPTS}"
    if task.retry_after is not None and not timedelta(0) < task.retry_after <= MAX_RETRY_AFTER:
        yield f"has retry_after={task.retry_after}; possible is more than 0, and up to {MAX_RETRY_AFTER}"
    if task.direct and task.keep_result:
        yield "is direct, so it has no row, and keep_result needs one; take keep_result or direct off"
    if task.group_by and task.group_by not in (names := _parameters(task.func)[task.takes_context :]):
        yield f"has group_by={task.group_by!r}, which is none of its parameters ({', '.join(names)})"
    if task.bulk:
        yield from _faults_of_bulk(task)


def _faults_of_type(task: ServerlessTask) -> Iterator[str]:
    for name, kind in _TYPES.items():
        value = getattr(task, name)
        if type(value) is not kind and (value is not None or name in ("bulk", "direct", "group_by")):
            yield f"has {name}={value!r}, which should be of type {kind.__name__}"


def _faults_of_bulk(task: ServerlessTask) -> Iterator[str]:
    item_reader(task.func)
    if task.keep_result:
        yield "is bulk, so many calls run as one and none has its own result; take keep_result or bulk off"
    if task.transactional is False:
        yield "is bulk, so many calls run as one in one transaction; take transactional=False or bulk off"


@cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(signature(function).parameters)


def _path(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
