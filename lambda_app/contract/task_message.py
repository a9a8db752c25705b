"""The JSON in which a task call travels through SQS, versioned."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

FORMAT_VERSION = 1


class InvalidTaskMessageError(ValueError):
    """An SQS body is not a task call that this version can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A call of one task.  Only its dotted path travels, never code."""

    id: str
    """Made by the sender, never SQS's messageId: a message that is sent twice keeps it."""

    task: str
    """Dotted path, such as "lambda_app.apps.feed.tasks.record_like"."""

    enqueued_at: str
    """ISO 8601 time in UTC."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    version: int = FORMAT_VERSION

    def encode(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def decode(cls, body: str) -> Self:
        """Parse an SQS message body.

        Raise InvalidTaskMessageError if `body` is not a JSON object, lacks a field, has an unknown
        one or one of another type, or was written by a newer version.
        """
        try:
            values = json.loads(body)
            version = values["version"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidTaskMessageError(f"not a task message: {body[:200]!r}") from error
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise InvalidTaskMessageError(
                f"task message has version {version!r}, this code reads up to {FORMAT_VERSION}; "
                "deploy consumers before producers"
            )
        _check_fields(values)
        return cls(**values)


_TYPES: Mapping[str, type] = {"id": str, "task": str, "enqueued_at": str, "args": list, "kwargs": dict, "version": int}


def _check_fields(values: Mapping[str, Any]) -> None:
    expected = {item.name for item in fields(TaskMessage)}
    if faults := sorted(expected ^ set(values)):
        raise InvalidTaskMessageError(f"task message has missing or unknown fields: {', '.join(faults)}")
    for name, type_ in _TYPES.items():
        if not isinstance(values[name], type_):
            raise InvalidTaskMessageError(
                f"task message field {name!r} should be {type_.__name__}, got {values[name]!r}"[:300]
            )
