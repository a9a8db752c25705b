"""Lambda event → the event source it came from, so that an event at the wrong function is told where it belongs."""

from collections.abc import Mapping
from typing import Any


class WrongEventSourceError(ValueError):
    """A function was invoked with an event of another source."""


def source_of(event: Any) -> str:
    """Return the name of the module in `lambda_app.handlers` that takes `event`, or ""."""
    if not isinstance(event, Mapping):
        return ""
    if isinstance(event.get("requestContext"), Mapping):
        return "api_gateway"
    if event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent":
        return "s3"
    if "command" in event:
        return "management"
    return _source_of_records(event.get("Records"))


def _source_of_records(records: Any) -> str:
    first = records[0] if isinstance(records, list) and records else None
    name = first.get("eventSource") if isinstance(first, Mapping) else None
    return {"aws:sqs": "sqs", "aws:s3": "s3"}.get(name, "") if isinstance(name, str) else ""


def wrong_source(event: Any, *, wanted: str) -> WrongEventSourceError:
    """Return the error for an `event` that the function of handler `wanted` cannot take."""
    source = source_of(event)
    advice = f"invoke the function of handlers/{source}.py" if source else "no handler takes it"
    shape = f"keys {', '.join(sorted(map(str, event))[:10])}" if isinstance(event, Mapping) else repr(event)[:100]
    return WrongEventSourceError(f"handlers/{wanted}.py got an event of another source ({shape}); {advice}")
