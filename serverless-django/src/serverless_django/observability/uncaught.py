"""What Python or Lambda's runtime would print of an error, as it is, → a log line, or text without secrets."""

import logging
import sys
import threading
from typing import Any

from serverless_django.observability.logs import LineHandler
from serverless_django.observability.redaction import hide_values
from serverless_django.observability.texts import cut, text_of

logger = logging.getLogger(__name__)


def log_what_python_prints() -> None:
    """Send warnings and errors that are not caught to the log, if its lines are ours.  Safe to repeat."""
    if not any(isinstance(handler, LineHandler) for handler in logging.getLogger().handlers):
        return
    # The handlers of others would print a record that they cannot write.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _log_error
    threading.excepthook = _log_error_of_thread
    sys.unraisablehook = _log_unraisable


def printable(error: Exception) -> Exception:
    """Return `error`, or one of the same name whose text may be printed: Lambda's runtime prints it as it is."""
    text = hide_values(cut(text_of(error)))
    try:
        if str(error) == text:
            return error
    except Exception:  # noqa: BLE001, S110 (it has no text)
        pass
    shown: Exception = type(type(error).__name__, (Exception,), {})(text)
    return shown.with_traceback(error.__traceback__)


def _log_error(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    logger.critical("uncaught error", exc_info=error)


def _log_error_of_thread(arguments: threading.ExceptHookArgs) -> None:
    if not issubclass(arguments.exc_type, SystemExit):
        logger.critical("uncaught error in a thread", exc_info=arguments.exc_value)


def _log_unraisable(arguments: Any) -> None:
    logger.critical("an error that could not be raised", exc_info=arguments.exc_value)
