"""The id and trace of a request travel with the tasks that it enqueues, so that one id finds all their log lines."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext

from serverless_django.observability.logs import logger


@dataclass(frozen=True, slots=True)
class Correlation:
    """The request that began the work; its fields are empty for work that a schedule began."""

    request_id: str = ""
    """As the client was told in X-Request-Id."""

    trace: str = ""
    """The well-formed parts of the trace header, such as "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"."""

    def fields(self) -> dict[str, str]:
        """Return the fields of the request in each log line."""
        given = {"correlation_id": self.request_id, "trace_id": _root(self.trace)}
        return {name: value for name, value in given.items() if value}


NO_CORRELATION = Correlation()

_current: ContextVar[Correlation] = ContextVar("correlation", default=NO_CORRELATION)


def current_correlation() -> Correlation:
    return _current.get()


@contextmanager
def continued(correlation: Correlation, **fields: str) -> Iterator[None]:
    """Run the block as work that `correlation` began: its log lines and its tasks have the id of `correlation`.

    `fields` are added to each log line, too.
    """
    token = _current.set(correlation)
    try:
        with logger.append_context_keys(**correlation.fields(), **fields):
            yield
    finally:
        _current.reset(token)


def correlation_of(event: Any, context: LambdaContext) -> Correlation:
    """Return the request of `event`, with the id of its gateway or of Lambda's `context`, or NO_CORRELATION."""
    if not isinstance(event, dict) or "requestContext" not in event:
        return NO_CORRELATION
    headers = event.get("headers")
    trace = headers.get("x-amzn-trace-id") if isinstance(headers, dict) else None
    return Correlation(request_id_of(event, context), _trace_of(trace) if isinstance(trace, str) else "")


MAX_TRACE_CHARACTERS = 256
_ROOT = re.compile(r"Root=(1-[0-9a-f]{1,8}(?:-[0-9a-f]{1,24})?)")
_PART = re.compile(rf"{_ROOT.pattern}|Self=1-[0-9a-f-]{{1,33}}|Parent=[0-9a-f]{{16}}|Sampled=[01?]|Lineage=[0-9a-f:|]+")


def _trace_of(header: str) -> str:
    """Return the well-formed parts of a trace header: a client may send anything under its name."""
    parts = header.split(";") if len(header) <= MAX_TRACE_CHARACTERS else []
    return ";".join(part for part in parts if _PART.fullmatch(part))


def _root(trace: str) -> str:
    """Return the id within a trace header, "" if there is none."""
    return next((found[1] for part in trace.split(";") if (found := _ROOT.fullmatch(part))), "")


def request_id_of(event: Mapping[str, Any], context: Any) -> str:
    """Return the gateway's id of the request in `event`, or the one in Lambda's `context`; never an empty one.

    A load balancer, for example, gives no id.
    """
    given = _context_of(event).get("requestId") or getattr(context, "aws_request_id", None)
    # It becomes a header.
    return given if isinstance(given, str) and given.isascii() and given.isprintable() else str(uuid4())


def _context_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    context = event.get("requestContext")
    # Parsed JSON; asking for a Mapping costs ten times as much.
    return context if isinstance(context, dict) else {}
