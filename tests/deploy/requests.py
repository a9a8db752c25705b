"""A request every 100 ms while releases change, and what became of each."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.e2e.conftest import Phone

INTERVAL_SECONDS = 0.1
AT_ONCE = 16


@dataclass
class Phase:
    """What was answered while something happened."""

    answers: Counter[str] = field(default_factory=Counter)
    """By the name of the release that answered; everything but a 200 under "failed"."""

    seconds: float = 0
    slowest_seconds: float = 0

    @property
    def sent(self) -> int:
        return self.answers.total()

    @property
    def failed(self) -> int:
        return self.answers["failed"]

    @property
    def releases(self) -> set[str]:
        return set(self.answers) - {"failed"}


@contextlib.contextmanager
def requests_every_100_ms(phone: Phone, path: str = "/readyz") -> Iterator[Phase]:
    """Send until the block ends, on time also while answers are slow, and wait for the last answer."""
    phase, over, started = Phase(), threading.Event(), time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def send_forever() -> None:
            due = time.monotonic()
            while not over.wait(max(0, due - time.monotonic())):
                pool.submit(_send, phone, path, phase)
                due += INTERVAL_SECONDS

        sender = threading.Thread(target=send_forever)
        sender.start()
        try:
            yield phase
        finally:
            over.set()
            sender.join()
            phase.seconds = time.monotonic() - started


def _send(phone: Phone, path: str, phase: Phase) -> None:
    started = time.monotonic()
    try:
        answer = phone.request("GET", path)
        name = str(answer.json["status"]) if answer.status == 200 else "failed"
    except (OSError, ValueError):
        name = "failed"
    phase.answers[name] += 1
    phase.slowest_seconds = max(phase.slowest_seconds, time.monotonic() - started)
