"""What watching costs: a line per invocation in the function, and an open console beside the system under load.

`make bench-console`, while `make run` runs in another terminal.  With and without are interleaved, and what is
compared is CPU time, of the launcher and everything that it started: on a busy machine the clock says little.
"""

import asyncio
import contextlib
import http.client
import io
import json
import logging
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from serverless_django.local.console.burst import Burst
from serverless_django.local.running import STATE, RunningCloud
from tests.figures import write_figures

GOALS = {"overhead_us_per_request": "<= 150", "console_cost_percent": "< 5", "axe_serious": "== 0"}
ROUNDS = 12
REQUESTS, AT_ONCE = 300, 4
CALLS, SAMPLES = 200, 40
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    cloud = RunningCloud.find(Path.cwd() / STATE)
    figures = {"overhead_us_per_request": _overhead_us()} | _console_cost(cloud) | {"axe_serious": _axe_serious(cloud)}
    return 0 if write_figures("console", figures, GOALS) else 1


# --- in the function --------------------------------------------------------------------------------------------------


def _overhead_us() -> float:
    """Return what `observed` adds to a handler that does nothing: its context, its counts and its line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.local")
    import django

    django.setup()
    from serverless_django.observability.invocations import observed
    from serverless_django.observability.logs import json_handler
    from serverless_django.testing import LambdaContext
    from tests.fresh_process import EVENTS

    stream = json_handler()
    assert isinstance(stream, logging.StreamHandler)
    event = json.loads((EVENTS / "api_gateway" / "healthz.json").read_text())
    handlers = {"bare": _reply, "observed": observed("api_gateway")(_reply)}
    times: dict[str, list[float]] = {name: [] for name in handlers}
    for _ in range(SAMPLES):
        stream.setStream(io.StringIO())
        for name, handler in handlers.items():
            times[name].append(_microseconds(handler, event, LambdaContext()))
    return round(statistics.median(times["observed"]) - statistics.median(times["bare"]), 1)


def _reply(event: Any, context: Any) -> dict[str, int]:
    return {"statusCode": 200}


def _microseconds(handler: Callable[[Any, Any], Any], event: Any, context: Any) -> float:
    # CPU time: the line is written to memory, so that there is nothing else to wait for.
    started = time.process_time()
    for _ in range(CALLS):
        handler(event, context)
    return (time.process_time() - started) / CALLS * 1e6


# --- beside the system ------------------------------------------------------------------------------------------------


def _console_cost(cloud: RunningCloud) -> dict[str, float]:
    """Return how much more CPU a request takes, of what the whole system spends on it, while a page is open.

    The page's share is sought where it arises, in the launcher, the emulator and the servers: what the functions
    themselves spend varies by more.  It is an upper bound for 500 requests a second: the console asks once a
    second, however many requests share that.
    """
    around: dict[str, list[float]] = {"closed": [], "open": []}
    whole: list[float] = []
    rates: list[float] = []
    _load(cloud)
    for turn in range(ROUNDS):
        for state in sorted(around, reverse=bool(turn % 2)):
            with _watching(cloud) if state == "open" else contextlib.nullcontext():
                spent, seconds = _cpu_of(cloud, _load)
            around[state].append(spent.around / REQUESTS * 1000)
            rates.append(REQUESTS / seconds)
            if state == "closed":
                whole.append((spent.around + spent.functions) / REQUESTS * 1000)
            _progress(turn, state, spent, seconds)
    added = statistics.median(around["open"]) - statistics.median(around["closed"])
    return {
        "console_cost_percent": round(added / statistics.median(whole) * 100, 2),
        "console_cpu_ms_per_request": round(added, 3),
        "system_cpu_ms_per_request": round(statistics.median(whole), 3),
        "requests_per_second": round(statistics.median(rates), 1),
    }


def _load(cloud: RunningCloud) -> None:
    burst = Burst(cloud.url, cloud.issue_token("ada"), requests=REQUESTS, at_once=AT_ONCE)
    asyncio.run(burst.run())
    assert burst.statuses[200] == REQUESTS, burst.statuses


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU time."""

    around: float
    """Of the launcher, the emulator, PostgreSQL and PgBouncer."""

    functions: float

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.around - other.around, self.functions - other.functions)


def _cpu_of(cloud: RunningCloud, work: Callable[[RunningCloud], None]) -> tuple[Spent, float]:
    before, started = _spent(cloud.pid), time.monotonic()
    work(cloud)
    return _spent(cloud.pid) - before, time.monotonic() - started


def _spent(launcher: int) -> Spent:
    """Return the CPU time of the launcher and of all that it started."""
    stats = dict(_stats())
    ours, added = {launcher}, {launcher}
    while added:
        added = {pid for pid, (parent, _, _) in stats.items() if parent in added} - ours
        ours |= added
    around = functions = 0.0
    for pid in ours & set(stats):
        _, own, of_children = stats[pid]
        # The launcher's children that ended were functions; the servers' were their own.
        if _is_function(pid):
            functions += own + of_children
        else:
            around += own + (0 if pid == launcher else of_children)
    return Spent(around, functions)


def _is_function(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"awslambdaric" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _stats() -> Iterator[tuple[int, tuple[int, float, float]]]:
    """Yield each process with its parent, and the CPU time of itself and of the children it has waited for."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rpartition(")")[2].split()
            own, of_children = (sum(map(int, fields[start : start + 2])) / CLOCK_TICKS for start in (11, 13))
            yield int(file.parent.name), (int(fields[1]), own, of_children)


@contextlib.contextmanager
def _watching(cloud: RunningCloud) -> Iterator[None]:
    """Read the console's events as a page does."""
    connection = http.client.HTTPConnection(urlsplit(cloud.console).netloc, timeout=30)
    connection.request("GET", "/events")
    events = connection.getresponse()
    reader = threading.Thread(target=_drain, args=[events], daemon=True)
    reader.start()
    try:
        yield
    finally:
        connection.sock.shutdown(2)
        reader.join(5)
        connection.close()


def _drain(events: http.client.HTTPResponse) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        while events.read1(1 << 16):
            pass


def _progress(turn: int, state: str, spent: Spent, seconds: float) -> None:
    around, functions = (part / REQUESTS * 1000 for part in (spent.around, spent.functions))
    cost = f"{around:6.2f} CPU-ms per request, functions {functions:6.2f}  {REQUESTS / seconds:6.1f}/s"
    print(f"  round {turn + 1:>2} of {ROUNDS}, console {state:<6}  {cost}", flush=True)


# --- for all users ----------------------------------------------------------------------------------------------------


def _axe_serious(cloud: RunningCloud) -> int:
    """Return how many serious and critical faults axe finds, at both widths and in both schemes."""
    from tests.tools.browser import PROJECT, opened

    axe = (PROJECT / "serverless-django" / "node_modules" / "axe-core" / "axe.min.js").read_text()
    count = "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).length)"
    with opened(f"{cloud.console}/") as page:
        page.until("document.querySelectorAll('#queues-body tr').length > 0")
        page.evaluate(f"{axe}; 0")
        found = 0
        for width, dark in ((1280, False), (1280, True), (400, False), (400, True)):
            page.resize(width, 900, dark=dark)
            found += page.evaluate(count)
    return found


if __name__ == "__main__":
    sys.exit(main())
