"""Time is measured from where the gateway measures it, and the one timer of the process is lent, not taken."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from serverless_django.http.request_timeout import RequestTimeout, RequestTimeoutError, seconds_left

ROOT = Path(__file__).parents[4]


def work(seconds):
    """Compute until `seconds` have passed: interrupted, but never because something sleeps."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(100))


@pytest.fixture(params=[(False, 0), (True, 100), (True, 0)], ids=["unused", "a timer", "a handler"])
def timer(request):
    """Run the test with the signal unused, as on Lambda, and with another handler or timer."""
    is_taken, seconds = request.param
    former, delay = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, 0)[0]
    signal.signal(signal.SIGALRM, (lambda *args: None) if is_taken else signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield is_taken
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, former)
    signal.setitimer(signal.ITIMER_REAL, delay)


@pytest.mark.parametrize(
    ("remaining_ms", "event", "seconds"),
    [
        (30_000, {}, 28.0),
        (10_000, {}, 9.0),
        (500, {}, -0.5),
        (30_000, {"requestContext": None}, 28.0),
        (30_000, {"requestContext": {"timeEpoch": "now"}}, 28.0),
    ],
)
def test_the_shorter_of_lambda_and_gateway_counts_less_a_margin(lambda_context, remaining_ms, event, seconds):
    lambda_context.remaining_ms = remaining_ms

    assert seconds_left(event, lambda_context) == seconds


@pytest.mark.parametrize("key", ["timeEpoch", "requestTimeEpoch"])
@pytest.mark.parametrize(("waited", "seconds"), [(4, 24), (3600, 28), (-5, 28)])
def test_a_cold_start_counts_too(lambda_context, key, waited, seconds):
    event = {"requestContext": {key: int((time.time() - waited) * 1000)}}

    assert seconds_left(event, lambda_context) == pytest.approx(seconds, abs=0.5)


@pytest.mark.usefixtures("timer")
def test_what_takes_too_long_is_interrupted():
    started = time.monotonic()
    with pytest.raises(RequestTimeoutError), RequestTimeout(0.1):
        work(10)

    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("timer")
def test_it_strikes_again_when_it_was_swallowed():
    struck = []

    def swallow():
        try:
            work(10)
        except RequestTimeoutError as error:
            struck.append(error)
        work(10)

    with pytest.raises(RequestTimeoutError), RequestTimeout(0.05):
        swallow()

    assert len(struck) == 1


@pytest.mark.usefixtures("timer")
def test_a_later_request_is_not_cut_at_the_time_of_an_earlier_one():
    with RequestTimeout(0.2):
        pass
    with RequestTimeout(10):
        work(0.4)


@pytest.mark.usefixtures("timer")
def test_a_shorter_deadline_than_the_last_one_is_kept():
    with RequestTimeout(10):
        pass
    with pytest.raises(RequestTimeoutError), RequestTimeout(0.1):
        work(10)


@pytest.mark.usefixtures("timer")
def test_between_requests_nothing_is_raised():
    with RequestTimeout(0.1):
        pass

    work(0.3)


def test_a_timer_of_other_code_goes_on(timer):
    handler, before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]
    with RequestTimeout(5):
        pass

    if timer:
        assert signal.getsignal(signal.SIGALRM) is handler
        assert signal.getitimer(signal.ITIMER_REAL)[0] == pytest.approx(before, abs=2)


def test_without_time_nothing_is_begun():
    with pytest.raises(RequestTimeoutError), RequestTimeout(0):
        pytest.fail("begun")


def test_another_thread_is_not_bounded():
    done = []

    def run():
        with RequestTimeout(0.05):
            work(0.2)
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert done == [True]


def test_a_process_that_ends_leaves_no_timer_to_end_it():
    program = (
        "import atexit, os, signal\n"
        "atexit.register(lambda: os._exit(signal.getitimer(signal.ITIMER_REAL)[0] > 0))\n"
        "from serverless_django.http.request_timeout import RequestTimeout\n"
        "with RequestTimeout(100): pass"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
