"""Every log line of a function is one JSON object with the id of its invocation, whoever wrote it.

Modules log with the standard library.  Powertools gives the format, and handlers the context:

    @logger.inject_lambda_context(clear_state=True)
    def handler(event, context): ...

Events are never logged whole: they carry tokens.
"""

import logging
from typing import Any

from aws_lambda_powertools import Logger

logger = Logger(service="lambda_app", log_uncaught_exceptions=False)

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
