"""`make fuzz`: broken events and random requests, many of them; nothing may escape, and nothing may arrive changed."""

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis

from tests.conformance.cases import Handle
from tests.conformance.differential import carriers, mismatches, oracle, wire_requests
from tests.conformance.mutations import mutated_events
from tests.conformance.replies import InvalidReplyError, reply_of
from tests.figures import write_figures

EVENTS = 100_000
REQUESTS = 3_300
"""Each through every gateway that can carry it, some four or five."""

SEED = 2

GOALS = {
    "events": ">= 100000",
    "escaped": "== 0",
    "answered_500": "== 0",
    "compared": ">= 15000",
    "mismatches": "== 0",
}


def outcome_of(event: Any, handle: Handle) -> str:
    """Return the status, "refused" for what is no HTTP event, or what escaped."""
    from serverless_django.sources import WrongEventSourceError

    try:
        reply = reply_of(handle(event), source=_source_of(event))
    except WrongEventSourceError as error:
        return "refused" if "handlers/" in str(error) else f"escaped: {error}"
    except InvalidReplyError as error:
        return f"escaped: {error}"
    except Exception as error:  # noqa: BLE001 - any that escapes is the finding
        return f"escaped: {type(error).__name__}: {error} {event}"[:500]
    return str(reply.status)


def fuzz(handle: Handle, *, events: int) -> Counter[str]:
    """Return how many of `events` broken events had which outcome."""
    outcomes: Counter[str] = Counter()

    @hypothesis.settings(
        max_examples=events,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.seed(1)
    @hypothesis.given(mutated_events())
    def try_one(event: Any) -> None:
        outcomes[outcome_of(event, handle)] += 1

    try_one()
    return outcomes


def compare(handle: Handle, *, requests: int) -> list[str]:
    """Return the differences between uvicorn and the adapter."""
    with oracle() as ask:
        return [fault for request in wire_requests(requests, seed=SEED) for fault in mismatches(request, ask, handle)]


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    handle = _adapter()
    outcomes = _timed("broken events", lambda: fuzz(handle, events=EVENTS))
    for outcome, count in outcomes.most_common():
        print(f"  {count:>8,}  {outcome}")
    found = _timed("differential requests", lambda: compare(handle, requests=REQUESTS))
    print("\n".join(found[:20]))
    figures = {
        "events": outcomes.total(),
        "escaped": sum(count for outcome, count in outcomes.items() if outcome.startswith("escaped")),
        "answered_500": outcomes["500"],
        "compared": sum(len(carriers(request)) for request in wire_requests(REQUESTS, seed=SEED)),
        "mismatches": len(found),
    }
    return 0 if write_figures("fuzz", figures, GOALS) else 1


def _adapter() -> Handle:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.conformance.settings"
    import django

    from tests.conformance.variants import ours

    django.setup()
    logging.disable(logging.CRITICAL)
    return ours("/")


def _timed[Result](what: str, run: Callable[[], Result]) -> Result:
    started = time.monotonic()
    result = run()
    print(f"{what}: {time.monotonic() - started:.0f} s")
    return result


def _source_of(event: Any) -> str:
    """Return which gateway would read the reply to `event`."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    if isinstance(context, dict) and "elb" in context:
        return "alb_multi" if "multiValueHeaders" in event else "alb_single"
    return (
        "rest_api"
        if isinstance(event, dict) and event.get("version") != "2.0" and "httpMethod" in event
        else "http_api"
    )


if __name__ == "__main__":
    sys.exit(main())
