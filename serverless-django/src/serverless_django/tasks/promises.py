"""Whether calls must be written to the outbox with the transaction around them, also those of `direct` tasks.

Code that stores in a transaction that something was done must not depend on a message that is sent after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_promised: ContextVar[bool] = ContextVar("calls are promised", default=False)


@contextmanager
def promised() -> Iterator[None]:
    """Write every call that is enqueued within as a row of the outbox, also of a task that is `direct`."""
    token = _is_promised.set(True)
    try:
        yield
    finally:
        _is_promised.reset(token)


def is_promised() -> bool:
    return _is_promised.get()
