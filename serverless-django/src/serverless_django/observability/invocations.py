"""Each invocation → one log line: what it was, how it ended, how long it took, and its SQL.

    @observed("sqs")
    def handler(event, context): ...

It is the only wrapper around a handler: other code that needs each invocation adds a function to `listeners`.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from django.http import HttpRequest

from serverless_django.observability.correlation import continued, correlation_of
from serverless_django.observability.logs import logger
from serverless_django.observability.recordings import counter
from serverless_django.observability.uncaught import printable

queries_logger = logging.getLogger(__name__)

MAX_SQL_CHARACTERS = 500

type Handler = Callable[[Any, LambdaContext], Any]


@dataclass(slots=True)
class Invocation:
    """What is known of an invocation; complete when the listeners get it."""

    source: str
    """The handler's module: "api_gateway", "sqs" …"""

    cold_start: bool
    route: str = ""
    """Method and pattern of the URL that matched, never the path, which may name a person: there are few of them."""

    queries: int = 0
    sql_seconds: float = 0
    seconds: float = 0
    outcome: dict[str, Any] = field(default_factory=dict)
    """`status` of HTTP; `messages` and `failed` of a batch; `error` if it raised."""

    def count_query(self, sql: Any, nanoseconds: int) -> None:
        """Count the statement `sql`, which took `nanoseconds`."""
        self.queries += 1
        self.sql_seconds += nanoseconds / 1e9
        if queries_logger.isEnabledFor(logging.DEBUG):
            # Its text alone: the parameters are what people wrote.
            text = str(sql)[:MAX_SQL_CHARACTERS]
            queries_logger.debug("query", extra={"sql": text, "sql_ms": round(nanoseconds / 1e6, 2)})

    def fields(self) -> dict[str, Any]:
        """Return what its line says."""
        return {
            "source": self.source,
            "cold_start": self.cold_start,
            **({"route": self.route} if self.route else {}),
            **self.outcome,
            "duration_ms": round(self.seconds * 1000, 2),
            "queries": self.queries,
            "sql_ms": round(self.sql_seconds * 1000, 2),
        }


listeners: list[Callable[[Invocation], None]] = []
"""Called once at the end of each invocation, before its line is written."""

_current: ContextVar[Invocation | None] = ContextVar("invocation", default=None)
_is_warm = False


def current_invocation() -> Invocation | None:
    """Return the invocation that runs now; None in a command or a test."""
    return _current.get()


def note_route(request: HttpRequest) -> None:
    """Keep which URL pattern `request` has matched, if any."""
    invocation, match = _current.get(), request.resolver_match
    if invocation is not None and match is not None:
        invocation.route = f"{request.method} /{match.route}"


def observed(source: str) -> Callable[[Handler], Handler]:
    """Return a decorator for the handler called `source`, such as "sqs".

    Every log line of the handler gets the context of its invocation, and one more line is written at its end.
    """

    def decorate(handler: Handler) -> Handler:
        @logger.inject_lambda_context(clear_state=True)
        @wraps(handler)
        def run(event: Any, context: LambdaContext) -> Any:
            try:
                with continued(correlation_of(event, context)):
                    return _measured(handler, event, context, _begin(source))
            except Exception as error:
                if (shown := printable(error)) is error:
                    raise
                raise shown from None

        return run

    return decorate


def _begin(source: str) -> Invocation:
    global _is_warm
    invocation = Invocation(source, cold_start=not _is_warm)
    _is_warm = True
    return invocation


def _measured(handler: Handler, event: Any, context: LambdaContext, invocation: Invocation) -> Any:
    token, counter_token = _current.set(invocation), counter.set(invocation.count_query)
    started = perf_counter()
    try:
        reply = handler(event, context)
        invocation.outcome = _outcome(event, reply)
    except BaseException as error:
        invocation.outcome = {"error": f"{type(error).__module__}.{type(error).__qualname__}"}
        raise
    else:
        return reply
    finally:
        _current.reset(token)
        counter.reset(counter_token)
        invocation.seconds = perf_counter() - started
        _finish(invocation)


def _finish(invocation: Invocation) -> None:
    for listener in listeners:
        listener(invocation)
    logger.info("invocation", extra=invocation.fields())


def _outcome(event: Any, reply: Any) -> dict[str, Any]:
    if not isinstance(reply, dict):
        return {}
    if "statusCode" in reply:
        # Neither method nor path: what matched nothing may say anything, and Django logs it as hidden as any text.
        return {"status": reply["statusCode"]}
    if "batchItemFailures" in reply:
        return {"messages": len(event["Records"]), "failed": len(reply["batchItemFailures"])}
    return {}
