"""Lambda event → its event source, so that an error can name the right function for the event."""

from collections.abc import Mapping
from typing import Any

NOT_A_REQUEST = frozenset({"type", "methodArn", "routeArn", "authorizationToken", "messageVersion", "requestPayload"})
"""Keys beside those of a request that only other events have: of an authorizer, a Bedrock agent, a destination."""

CONTEXT_OF_A_REQUEST = frozenset({"http", "elb", "httpMethod", "resourcePath"})
"""WebSockets, VPC Lattice, AppSync and Lambda's destinations have a `requestContext`, too, but none of these in it."""


class WrongEventSourceError(ValueError):
    """A function was invoked with an event of another source."""


def source_of(event: Any) -> str:
    """Return the name of the handler module that takes `event`, such as "sqs", or "" if there is none."""
    if is_request(event):
        return "api_gateway"
    if event is None:
        return "management"
    if not isinstance(event, Mapping):
        return ""
    # The deploy sends an empty event.
    if set(event) <= {"command"}:
        return "management"
    if _is_of_s3(event):
        return "s3"
    records = event.get("Records")
    return _source_of_records(records) if isinstance(records, list) else ""


def is_request(event: Any) -> bool:
    """Return whether a gateway made `event` of an HTTP request, even if parts of it are missing or mistyped."""
    if not isinstance(event, dict) or not NOT_A_REQUEST.isdisjoint(event):
        return False
    if "rawPath" in event or "httpMethod" in event:
        return True
    context = event.get("requestContext")
    return isinstance(context, dict) and not CONTEXT_OF_A_REQUEST.isdisjoint(context)


def wrong_source(event: Any, *, wanted: str) -> WrongEventSourceError:
    """Return the error for an `event` that the function of handler `wanted` cannot take."""
    source = source_of(event)
    advice = f"invoke the function of handlers/{source}.py" if source else "no handler takes it"
    if not source and wanted == "management":
        # A person may have written it.
        advice += '; handlers/management.py takes null, {} and {"command": ["migrate"]}'
    shape = f"keys {', '.join(sorted(map(str, event))[:10])}" if isinstance(event, Mapping) else repr(event)[:100]
    return WrongEventSourceError(f"handlers/{wanted}.py got an event of another source ({shape}); {advice}")


def _is_of_s3(event: Mapping[str, Any]) -> bool:
    if event.get("source") == "aws.s3":
        # CloudTrail tells of calls of S3 under the same source.
        return str(event.get("detail-type")).startswith("Object ")
    return event.get("Event") == "s3:TestEvent"


def _source_of_records(records: list[Any]) -> str:
    """Return the source of the records that can be read: one that cannot, in whatever place, decides nothing."""
    named = [record.get("eventSource") for record in records if isinstance(record, Mapping)]
    return "sqs" if "aws:sqs" in named else "s3" if "aws:s3" in named else ""
