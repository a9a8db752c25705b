"""An event of S3, in any of its three formats → the created objects in it.

The formats are those of a bucket's notification, of EventBridge, and of the test when a notification is configured.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class InvalidObjectEventError(ValueError):
    """A record is not an event of S3, or lacks what one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedObject:
    """One version of an object, as S3 announced it."""

    bucket: str
    """Name in S3."""

    key: str
    """Decoded."""

    version: str = ""
    """"id:" and the version id, or "etag:" and the ETag in a bucket without versions."""

    sequencer: str = ""
    """Hexadecimal; orders the events of one key."""

    created_at: str
    """ISO 8601 time in UTC."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} should be text, got {getattr(self, name)!r}")


def read_objects(event: Any) -> Iterator[CreatedObject | InvalidObjectEventError]:
    """Yield each object whose creation `event` announces, and an error for each record that cannot be read.

    Raise InvalidObjectEventError if `event` is not S3's.
    """
    if not isinstance(event, Mapping):
        raise _invalid(event)
    # S3 sends it once, when a notification is configured.
    if event.get("Event") == "s3:TestEvent":
        return
    if event.get("source") == "aws.s3":
        yield from _read(event, _from_eventbridge)
    elif isinstance(event.get("Records"), list):
        for record in event["Records"]:
            yield from _read(record, _from_notification)
    else:
        raise _invalid(event)


def _read(
    part: Any, parse: Callable[[Mapping[str, Any]], Iterator[CreatedObject]]
) -> Iterator[CreatedObject | InvalidObjectEventError]:
    try:
        yield from parse(part)
    except InvalidObjectEventError as error:
        yield error
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError):
        yield _invalid(part)


def _invalid(part: Any) -> InvalidObjectEventError:
    return InvalidObjectEventError(f"not an event of S3: {_shape(part)}")


def _from_notification(record: Mapping[str, Any]) -> Iterator[CreatedObject]:
    if record["eventSource"] != "aws:s3":
        raise InvalidObjectEventError(f"not an event of S3: a record of {record['eventSource']!r}")
    if not record["eventName"].startswith("ObjectCreated:"):
        return
    entity = record["s3"]["object"]
    yield CreatedObject(
        bucket=record["s3"]["bucket"]["name"],
        # Quoted as in a form: "+" is a space, "%2B" a plus.
        key=unquote_plus(entity["key"], errors="strict"),
        version=_version(entity.get("versionId"), entity.get("eTag")),
        sequencer=entity.get("sequencer", ""),
        created_at=record["eventTime"],
    )


def _from_eventbridge(event: Mapping[str, Any]) -> Iterator[CreatedObject]:
    if event["detail-type"] != "Object Created":
        return
    entity = event["detail"]["object"]
    yield CreatedObject(
        bucket=event["detail"]["bucket"]["name"],
        # Not quoted, unlike in a notification.
        key=entity["key"],
        version=_version(entity.get("version-id"), entity.get("etag")),
        sequencer=entity.get("sequencer", ""),
        created_at=event["time"],
    )


def _version(version_id: str | None, etag: str | None) -> str:
    if version_id:
        return f"id:{version_id}"
    return f"etag:{etag.strip('"')}" if etag else ""


def _shape(event: Any) -> str:
    return f"keys {', '.join(sorted(map(str, event))[:10])}" if isinstance(event, Mapping) else repr(event)[:100]
