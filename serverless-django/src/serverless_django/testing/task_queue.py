"""The task calls that a test has sent, kept until it delivers them."""

from typing import Any

from django.tasks import TaskResult, task_backends

BACKEND = "serverless_django.tasks.in_process.DummyBackend"


class TaskQueue:
    """What `enqueue()` was called with; nothing runs before `run()`."""

    def __init__(self) -> None:
        # Django keeps a backend for each context: a handler's context is a copy of the test's, and finds this one there
        # if it is made first.
        self._backend: Any = task_backends["default"]

    @property
    def calls(self) -> "list[TaskResult[Any, Any]]":
        """The calls that wait, oldest first: each has `task`, `args` and `kwargs`."""
        return self._backend.results  # type: ignore[no-any-return]

    def run(self, *, times: int = 1) -> None:
        """Deliver every call that waits, in order, each `times` times: SQS may deliver a message more than once.

        Raise what a task raises; the calls behind it are gone.
        """
        calls = list(self.calls)
        self.calls.clear()
        for call in calls:
            for _ in range(times):
                call.task.call(*call.args, **call.kwargs)
