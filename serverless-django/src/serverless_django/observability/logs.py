"""Every log line of a function is one JSON object with the id of its invocation, from any logger.

Modules log with the standard library.  Powertools gives the fields, and `observed` the context:

    @observed("sqs")
    def handler(event, context): ...

Events are never logged whole, and what looks like a token or personal is hidden in every line.  A record that cannot
be formatted is a line that says so: Python's own report would print its arguments as they are.
With POWERTOOLS_LOGGER_SAMPLE_RATE=0.01 one invocation of a hundred is logged at DEBUG, each query with its time.
"""

import contextlib
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from django.http import HttpRequest

from serverless_django.observability.redaction import hide_fields, is_hidden, may_hold_secrets
from serverless_django.observability.texts import text_of, text_of_error


class LineFormatter(LambdaPowertoolsFormatter):
    """Powertools' fields as a line without secrets.  It never raises an Exception."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return super().format(record)
        except Exception as error:  # noqa: BLE001 (what is lost here, is lost without a word)
            return self._line_of_failure(record, error)

    # Powertools says that it takes a LogRecord, and gives the line's fields.
    def serialize(self, log: Any) -> str:
        # Django adds the request to what it says of a 4xx, and its text has the query.
        if isinstance(request := log.get("request"), HttpRequest):
            log["request"] = f"{request.method} {request.path}"
        return encode_line(log)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the standard library's name)
        return text_of_error(ei[1])

    def _extract_log_message(self, log_record: logging.LogRecord) -> Any:
        if not isinstance(log_record.msg, str) and not log_record.args:
            return log_record.msg
        try:
            return log_record.getMessage()
        except Exception as error:  # noqa: BLE001 (code of an argument's, which may raise anything)
            # Without its arguments: apart from the message nothing tells which of them is a password.
            return f"{text_of(log_record.msg)} [the arguments do not fit: {type(error).__name__}]"

    def _line_of_failure(self, record: logging.LogRecord, error: Exception) -> str:
        try:
            fields = {"level": record.levelname, "location": f"{record.funcName}:{record.lineno}",
                      "message": record.msg, "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S%:z}",
                      "logging_error": type(error).__name__}  # fmt: skip
            return encode_line(self.log_format | fields)
        except Exception as again:  # noqa: BLE001 (the same)
            return UNWRITTEN % type(again).__name__


class LineHandler(logging.StreamHandler[Any]):
    """Where Python would print a record that cannot be written, it says only that there was one."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the standard library's name)
        with contextlib.suppress(Exception):
            self.stream.write(UNWRITTEN % type(sys.exception()).__name__ + self.terminator)


UNWRITTEN = '{"level":"ERROR","message":"a line could not be written: %s"}'

logger = Logger(
    service="serverless_django",
    log_uncaught_exceptions=False,
    logger_handler=LineHandler(sys.stdout),
    logger_formatter=LineFormatter(
        service="serverless_django",
        utc=True,
        use_rfc3339=True,
        # X-Ray's own key: `trace_id` bears that of the request which began it, also in a worker.
        xray_trace_id=None,
        # The traceback is in the line as text; the same again in parts takes milliseconds, and twice the bytes.
        serialize_stacktrace=False,
    ),
)

QUIET = ("mangum", "botocore", "boto3", "urllib3")
"""Each request has one line in the gateway's access log; boto3 tells how it found its credentials."""


def json_logging(theirs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return Django's LOGGING when deployed: `theirs`, the project's, with a root logger that writes JSON lines."""
    logging_ = dict(theirs or {})
    root = {"handlers": ["json"], "level": logging_.get("root", {}).get("level", "INFO")}
    return {
        **logging_,
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {**logging_.get("handlers", {}), "json": {"()": f"{__name__}.json_handler"}},
        "root": root,
        "loggers": {**{name: {"level": "WARNING"} for name in QUIET}, **logging_.get("loggers", {})},
    }


def json_handler() -> logging.Handler:
    """Return the one handler that writes JSON lines, for the root logger."""
    # The root logger has it now: a line of Powertools' own logger would be written twice.
    logging.getLogger(logger.service).propagate = False
    return logger.registered_handler


MAX_BRIEF_BYTES = 4_096

_BRIEF = frozenset({bool, float, int, str, type(None)})

# Some readers take these for the end of a line, and JSON may hold them as they are.
_LINE_ENDS = {number: f"\\u{number:04x}" for number in (0x85, 0x2028, 0x2029)}


def encode_line(fields: Mapping[Any, Any]) -> str:
    """Return `fields` as a JSON object on one line, whatever they are."""
    if line := _brief_line(fields):
        return line
    line = msgspec.json.encode(hide_fields(fields)).decode()
    return line if line.isascii() else line.translate(_LINE_ENDS)


def _brief_line(fields: Mapping[Any, Any]) -> str:
    """Return the line of what is short and harmless, as nearly all is, at a quarter of the cost; "" of all else."""
    if not (_BRIEF.issuperset(map(type, fields.values())) and set(map(type, fields)) == {str}):
        return ""
    try:
        line = msgspec.json.encode(fields).decode()
    except ValueError:
        return ""
    is_harmless = line.isascii() and not may_hold_secrets(line) and not any(map(is_hidden, fields))
    return line if is_harmless and len(line) < MAX_BRIEF_BYTES else ""


NAMESPACE = "ServerlessDjango"


def metric_fields(
    metrics: Mapping[str, float], dimensions: Mapping[str, str], *, by: Sequence[Sequence[str]] = ()
) -> dict[str, Any]:
    """Return `extra` for a log line, so that CloudWatch reads `metrics` from it.

    `dimensions` are the names and values of all dimensions.  Each list of names in `by` is one series of each metric;
    without `by` there is one series with all dimensions.
    """
    declaration = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names) for names in by] or [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": _unit_of(name)} for name in metrics],
    }
    timestamp = int(datetime.now(UTC).timestamp() * 1000)
    return {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [declaration]}, **dimensions, **metrics}


def _unit_of(name: str) -> str:
    if name.endswith("Ms"):
        return "Milliseconds"
    return "Bytes" if name.endswith("Bytes") else "Count"
