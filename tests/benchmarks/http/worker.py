"""One variant: `python -m tests.benchmarks.http.worker NAME`, then commands on standard input, answers on output."""

import gc
import json
import logging
import os
import resource
import sys
import threading
import time
from typing import Any, TextIO

import django

from tests.benchmarks.http.variants import VARIANTS, Variant
from tests.interleaved import ROOT

EVENTS = ROOT / "events" / "api_gateway"


def main(name: str) -> None:
    # Whatever a peer prints goes to standard error: output is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Nor are log lines compared: a budget that a slow machine breaks would write one per request.
    logging.disable(logging.CRITICAL)
    django.setup()
    worker = VariantWorker(VARIANTS[name]())
    for line in sys.stdin:
        command = json.loads(line)
        _write(answers, getattr(worker, command.pop("do"))(**command))


class VariantWorker:
    """Each method is a command."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._threads = _count_threads()

    def answer(self, path: str) -> Any:
        """Return status and body of one request."""
        reply = self.variant.call(self._prepared(path, 1)[0])
        return {"status": reply["statusCode"], "body": reply["body"]}

    def measure(self, path: str, count: int) -> Any:
        """Return what each of `count` requests cost, in microseconds."""
        # A new one each time: on Lambda no two events are the same object.
        prepared, call = self._prepared(path, count), self.variant.call
        gc.collect()
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        for argument in prepared:
            call(argument)
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        return {"wall": wall / count / 1000, "cpu": cpu / count / 1000}

    def threads(self, path: str, count: int) -> int:
        """Return how many threads `count` requests start."""
        before = len(self._threads)
        for argument in self._prepared(path, count):
            self.variant.call(argument)
        return len(self._threads) - before

    def adopt(self, policy: str) -> None:
        """Treat all that init has made as "default", "freeze" or "off" says."""
        if policy == "freeze":
            gc.freeze()
        elif policy == "off":
            gc.disable()

    def pauses(self, path: str, count: int) -> Any:
        """Return how long the collector stopped each of `count` requests, in all and at most, in milliseconds."""
        pauses = _time_collections()
        for argument in self._prepared(path, count):
            self.variant.call(argument)
        gc.callbacks.clear()
        return {
            "pauses": len(pauses),
            "longest": max(pauses, default=0),
            "total": sum(pauses),
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    def _prepared(self, path: str, count: int) -> list[Any]:
        text = json.dumps(event_for(path))
        return [self.variant.prepare(json.loads(text)) for _ in range(count)]


def event_for(path: str) -> dict[str, Any]:
    """Return the sample event of a feed page, for `path`, which may have a query."""
    event: dict[str, Any] = json.loads((EVENTS / "feed_page.json").read_text())
    raw_path, _, query = path.partition("?")
    event |= {"rawPath": raw_path, "rawQueryString": query}
    event["queryStringParameters"] = dict(part.split("=") for part in query.split("&")) if query else {}
    event["requestContext"]["http"]["path"] = raw_path
    return event


def _time_collections() -> list[float]:
    """Return a list to which every collection from now on adds its milliseconds."""
    pauses: list[float] = []
    started = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal started
        if phase == "start":
            started = time.perf_counter()
        else:
            pauses.append((time.perf_counter() - started) * 1000)

    gc.callbacks.append(note)
    return pauses


def _count_threads() -> list[str]:
    """Return a list to which every thread that starts from now on adds its name."""
    started: list[str] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    threading.Thread.start = counted  # type: ignore[method-assign]
    return started


def _write(answers: TextIO, answer: Any) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
