"""Every log line of a function is one JSON object with the id of its invocation, whoever wrote it.

Modules log with the standard library.  Powertools gives the format, and `observed` the context:

    @observed("sqs")
    def handler(event, context): ...

Events are never logged whole, and what looks like a token or personal is hidden in every line.
With POWERTOOLS_LOGGER_SAMPLE_RATE=0.01 one invocation of a hundred is logged at DEBUG, each query with its time.
"""

import logging
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from lambda_app.serverless.observability.redaction import hide_fields, hide_values


class RedactingFormatter(LambdaPowertoolsFormatter):
    """Powertools' line, less what nobody may read there."""

    # Powertools says that it takes a LogRecord, and gives the line's fields.
    def serialize(self, log: Any) -> str:
        return hide_values(msgspec.json.encode(hide_fields(log), enc_hook=str).decode())


logger = Logger(
    service="lambda_app",
    log_uncaught_exceptions=False,
    logger_formatter=RedactingFormatter(
        service="lambda_app",
        utc=True,
        use_rfc3339=True,
        # X-Ray's own key: `trace_id` bears that of the request which began it, also in a worker.
        xray_trace_id=None,
        # The traceback is in the line as text; the same again in parts takes milliseconds, and twice the bytes.
        serialize_stacktrace=False,
    ),
)

JSON_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"json": {"()": "lambda_app.serverless.observability.logs.json_handler"}},
    "root": {"handlers": ["json"], "level": "INFO"},
    # Each request has one line in the gateway's access log; boto3 tells how it found its credentials.
    "loggers": {name: {"level": "WARNING"} for name in ("mangum", "botocore", "boto3", "urllib3")},
}
"""Django's LOGGING when deployed."""


def json_handler() -> logging.Handler:
    """Return the one handler that writes JSON lines, for the root logger."""
    # The root logger has it now: a line of Powertools' own logger would be written twice.
    logging.getLogger(logger.service).propagate = False
    return logger.registered_handler
