"""Waiting for what another process does."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any


def eventually(claim: Callable[[], Any], *, within: timedelta) -> Any:
    """Return the first true value of `claim`.  Fail with its last value when the time is over."""
    deadline = time.monotonic() + within.total_seconds()
    while not (value := claim()):
        assert time.monotonic() < deadline, f"still {value!r} after {within}"
        time.sleep(0.1)
    return value
