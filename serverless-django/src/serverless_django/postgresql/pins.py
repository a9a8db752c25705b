"""SQL statement → the rule of RDS Proxy by which it would pin its session, and a guard that asks before each runs.

A pinned session keeps one connection of the proxy to itself until its client leaves; when every client does,
the proxy is as good as none.  The module needs Django and nothing of this project.  In any project:

    connection.execute_wrappers.append(PinGuard(refuse))
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import NoneType
from typing import Any
from uuid import UUID

from serverless_django.postgresql.call_sites import site_of_caller

logger = logging.getLogger(__name__)

MAX_STATEMENT_BYTES = 16_384
"""A statement whose text is longer pins.  Text is what is sent, so bound on the client it contains the values."""

GUIDE = "Amazon RDS User Guide, Avoiding pinning an RDS Proxy"


@dataclass(frozen=True, slots=True)
class Rule:
    """Statements that pin, and what to do instead."""

    name: str
    pattern: str
    """Of a statement without comments and literals, in any case; \\A is where it begins."""

    advice: str
    source: str = GUIDE


RULES = (
    Rule(
        "SET",
        # What holds for one transaction ends with it, and so does the hold on the connection.
        r"\A(SET(?!\s+(LOCAL|TRANSACTION|CONSTRAINTS)\b)|RESET)\b",
        "set it on the role, with ALTER ROLE ... SET, or for one transaction, with SET LOCAL",
    ),
    Rule(
        "set_config",
        r"\bset_config\s*\((?!.*,\s*true\s*\))",
        "set it on the role, with ALTER ROLE ... SET, or for one transaction, with a third argument of true",
    ),
    Rule("prepared statement", r"\A(PREPARE(?!\s+TRANSACTION\b)|EXECUTE|DEALLOCATE)\b", "send the statement itself"),
    Rule("DISCARD", r"\ADISCARD\b", "leave no state in the session, and there is none to discard"),
    Rule(
        "temporary relation",
        r"\A(CREATE\s+(OR\s+REPLACE\s+)?((LOCAL|GLOBAL)\s+)?TEMP(ORARY)?\b|(SELECT|WITH)\b.*\bINTO\s+TEMP(ORARY)?\b)",
        "use a common table expression, or unnest() of an array",
    ),
    Rule(
        "cursor",
        r"\ADECLARE\b",
        "set DISABLE_SERVER_SIDE_CURSORS, and read page by page what does not fit in memory",
    ),
    Rule("LISTEN", r"\A(UN)?LISTEN\b", "listen on a connection that does not go through the proxy"),
    Rule("LOAD", r"\ALOAD\b", "load the library by shared_preload_libraries"),
    Rule(
        "sequence function",
        r"\b(nextval|setval|currval|lastval)\s*\(",
        "let the column's default take the next value and return it, with RETURNING",
    ),
    Rule(
        "session advisory lock",
        r"\bpg_(try_)?advisory_(un)?lock(_shared|_all)?\s*\(",
        "lock for the transaction, with pg_advisory_xact_lock()",
    ),
)

TOO_LONG = Rule(
    "statement over 16 KB",
    r"\A(?!)",
    "send fewer rows or values at once, or one array with unnest(%s) or = ANY(%s)",
)

_CURSOR = next(rule for rule in RULES if rule.name == "cursor")
_PATTERNS = [(rule, re.compile(rule.pattern, re.IGNORECASE | re.DOTALL)) for rule in RULES]
_PLAIN = re.compile(r"\s*(?:select|insert|update|delete|with|savepoint|release|rollback)\b").match
_SUSPECT = ("set_config", "nextval", "setval", "currval", "lastval", "advisory", "temp", ";")
"""Without one of these a statement of a plain kind breaks no rule: asking is ten times faster than the patterns."""

_QUOTED_OR_COMMENT = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/""", re.DOTALL | re.VERBOSE
)


def rule_of(sql: str) -> Rule | None:
    """Return the first rule by which `sql`, of one statement or several, pins whatever its parameters are."""
    # An app sends few different texts, again and again.  Very long ones are seldom sent twice.
    return _remembered_rule_of(sql) if len(sql) < 4096 else _rule_of(sql)


def _rule_of(sql: str) -> Rule | None:
    lowered = sql.lower()
    if _PLAIN(lowered) and not any(word in lowered for word in _SUSPECT):
        return None
    for statement in _QUOTED_OR_COMMENT.sub(_placeholder, sql).split(";"):
        for rule, pattern in _PATTERNS:
            if pattern.search(statement.lstrip("( \t\r\n")):
                return rule
    return None


_remembered_rule_of = lru_cache(maxsize=512)(_rule_of)


def _placeholder(match: re.Match[str]) -> str:
    return " " if match[0].startswith(("--", "/*")) else "x"


class PinningStatementError(RuntimeError):
    """A statement would pin its session of RDS Proxy."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A statement that would pin, and the line of the application that sent it."""

    rule: Rule
    statement: str
    site: str

    def __str__(self) -> str:
        return (
            f"{self.rule.name} pins the session of RDS Proxy: {self.statement[:200]!r} at {self.site}; "
            f"{self.rule.advice}, or say why not with allow_pin(reason)"
        )


type OnPin = Callable[[Pin], None]


def refuse(pin: Pin) -> None:
    """Raise PinningStatementError, before the statement runs: for tests and while one develops."""
    raise PinningStatementError(str(pin))


METRIC = "PinningStatements"

_reported: set[str] = set()


def report(pin: Pin) -> None:
    """Count the metric PinningStatements, and log a warning once per line of code: for production."""
    if pin.site not in _reported:
        _reported.add(pin.site)
        logger.warning("%s", pin)
    # Where each line of the log is a JSON object CloudWatch takes the metric from it ("embedded metric format").
    metrics = [{"Namespace": "ServerlessDjango", "Dimensions": [[]], "Metrics": [{"Name": METRIC}]}]
    embedded = {"Timestamp": int(datetime.now(UTC).timestamp() * 1000), "CloudWatchMetrics": metrics}
    values = {"_aws": embedded, METRIC: 1, "rule": pin.rule.name, "site": pin.site}
    logger.info("a statement pins its session", extra=values)


_reason: ContextVar[str] = ContextVar("reason to pin", default="")


@contextmanager
def allow_pin(reason: str) -> Iterator[None]:
    """Let statements pin inside the block.  Raise ValueError without a `reason`, which is for readers of the code."""
    if not reason.strip():
        raise ValueError("allow_pin needs a reason")
    token = _reason.set(reason)
    try:
        yield
    finally:
        _reason.reset(token)


class PinGuard:
    """An execute wrapper of Django's that calls `on_pin` before each statement that would pin.

    `measures` is for a cursor that says itself when a text is too long: see `check_length`.
    """

    def __init__(self, on_pin: OnPin, *, measures: bool = True) -> None:
        self.on_pin = on_pin
        self.measures = measures

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        text = sql if isinstance(sql, str) else _text_of(sql)
        if rule := self._rule(text, params, many, context):
            self.found(rule, text)
        return execute(sql, params, many, context)

    def found(self, rule: Rule, sql: str) -> None:
        """Call `on_pin` with `rule` and `sql`, unless the caller has allowed it."""
        if not _reason.get():
            site = site_of_caller()
            self.on_pin(Pin(rule, sql, f"{site.file}:{site.line}"))

    def check_length(self, text: bytes) -> None:
        """Hold `text`, as it is sent, to the limit."""
        if len(text) > MAX_STATEMENT_BYTES:
            # It is logged: up to the first value, which a member may have written.
            self.found(TOO_LONG, text[:300].partition(b"'")[0].decode(errors="replace"))

    def _rule(self, text: str, params: Any, many: bool, context: dict[str, Any]) -> Rule | None:
        if getattr(context["cursor"].cursor, "name", None):
            return _CURSOR
        if rule := rule_of(text):
            return rule
        rows = [params] if not many else params if isinstance(params, list | tuple) else []
        return TOO_LONG if self.measures and any(_is_long(text, row, context) for row in rows) else None


_BRIEF = frozenset({bool, date, datetime, float, int, time, timedelta, NoneType, UUID})
"""Types whose literals have less than a hundred bytes."""


def _is_long(text: str, params: Any, context: dict[str, Any]) -> bool:
    if not params:
        return len(text.encode()) > MAX_STATEMENT_BYTES
    # Binding costs more than all else here; what is brief beyond doubt is not bound to be measured.
    if len(text) + 450 * len(params) < MAX_STATEMENT_BYTES // 4 and all(map(_is_brief, params)):
        return False
    return len(context["connection"].ops.compose_sql(text, params).encode()) > MAX_STATEMENT_BYTES


def _is_brief(value: Any) -> bool:
    return type(value) in _BRIEF or (type(value) is str and len(value) <= 100)


def _text_of(sql: Any) -> str:
    return sql.decode() if isinstance(sql, bytes) else str(sql.as_string(None))
