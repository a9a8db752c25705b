"""The task calls that a test has sent, kept until it delivers them."""

from typing import Any

from django.tasks import TaskResult, task_backends

BACKEND = "django.tasks.backends.dummy.DummyBackend"


class TaskQueue:
    """What `enqueue()` was called with; nothing runs before `run()`."""

    @property
    def calls(self) -> "list[TaskResult[Any, Any]]":
        """The calls that wait, oldest first: each has `task`, `args` and `kwargs`."""
        return task_backends["default"].results  # type: ignore[attr-defined,no-any-return]

    def run(self, *, times: int = 1) -> None:
        """Deliver every call that waits, in order, each `times` times: SQS may deliver a message more than once.

        Raise what a task raises; the calls behind it are gone.
        """
        calls = list(self.calls)
        self.calls.clear()
        for call in calls:
            for _ in range(times):
                call.task.call(*call.args, **call.kwargs)
