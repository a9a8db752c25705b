"""A request is cut short while there is still time to say so, by a timer signal in the thread that serves it.

What it interrupts: Python code, `sleep`, locks, sockets, and psycopg's waiting for the server.
What it does not: a call into C that never looks for signals, such as getaddrinfo or decoding an
image; the error is raised as soon as such a call returns.
"""

import atexit
import signal
import threading
import time
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any

GATEWAY_SECONDS = 29.0
"""The longest that a REST API waits; an HTTP API waits a second more."""

MARGIN_SECONDS = 1.0
"""What remains to clean up and to answer."""

COLD_START_SECONDS = 10.0
"""The longest init phase: a request that waited longer was not waiting for us."""

REPEAT_SECONDS = 0.25
"""Until it strikes again, if cleaning up waits too or something swallowed the error."""


class RequestTimeoutError(BaseException):
    """Not an Exception, so that no `except Exception` on the way takes it for its own fault."""


def seconds_left(event: Mapping[str, Any], context: Any) -> float:
    """Return how long the request of `event` may run: until shortly before the gateway or Lambda ends it.

    `context` is Lambda's.
    """
    remaining: float = context.get_remaining_time_in_millis() / 1000
    return min(remaining, GATEWAY_SECONDS - _seconds_waited(event)) - MARGIN_SECONDS


class RequestTimeout:
    """Raise RequestTimeoutError within the context, `seconds` after it was entered.

    Only signals can do this, and only the main thread gets them; elsewhere nothing is bounded.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if self._seconds <= 0:
            raise RequestTimeoutError
        if threading.current_thread() is threading.main_thread():
            _alarm.watch(self._seconds)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        _alarm.rest()


class _Alarm:
    """The one timer of the process.  It is set for each request, and what it says between requests is not heard."""

    def __init__(self) -> None:
        self._is_heard = False
        self._former: tuple[Any, float, float, float] | None = None

    def watch(self, seconds: float) -> None:
        handler = signal.getsignal(signal.SIGALRM)
        if handler is not _ring:
            signal.signal(signal.SIGALRM, _ring)
        self._is_heard = True
        delay, interval = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_SECONDS)
        if handler not in (_ring, signal.SIG_DFL, None):
            self._former = handler, delay, interval, time.monotonic()

    def rest(self) -> None:
        """Stop watching.  Safe to repeat: the alarm may ring in the very moment in which a request ends."""
        self._is_heard = False
        if self._former:
            self._give_back(*self._former)

    def ring(self) -> None:
        if self._is_heard:
            raise RequestTimeoutError
        self.stop()

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _give_back(self, handler: Any, delay: float, interval: float, since: float) -> None:
        """Leave the signal to who had it before, pytest-timeout for one, with the time that is left to it."""
        self._former = None
        self.stop()
        signal.signal(signal.SIGALRM, handler)
        if delay:
            signal.setitimer(signal.ITIMER_REAL, max(delay - (time.monotonic() - since), 0.001), interval)


_alarm = _Alarm()
# Python gives signals back to the system as it ends, and the system would end it for this one.
atexit.register(_alarm.stop)


def disarm() -> None:
    """Stop watching, after a deadline that was exceeded while its context ended."""
    _alarm.rest()


def _ring(number: int, frame: FrameType | None) -> None:
    _alarm.ring()


def _seconds_waited(event: Mapping[str, Any]) -> float:
    """Return how long ago the gateway took the request, which includes a cold start."""
    context = event.get("requestContext")
    if not isinstance(context, dict):
        return 0.0
    received = context.get("timeEpoch", context.get("requestTimeEpoch"))
    if not isinstance(received, int):
        return 0.0
    waited = time.time() - received / 1000
    return waited if 0 < waited < COLD_START_SECONDS else 0.0
