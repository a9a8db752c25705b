"""The JSON in which a task call travels through SQS, versioned."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

FORMAT_VERSION = 2
"""2 added OPTIONAL.  A message without any of them is still written as version 1, which code before it reads."""

OPTIONAL = frozenset({"priority", "request_id", "trace"})
"""Fields that are left out of a message at their default."""


class InvalidTaskMessageError(ValueError):
    """An SQS body is not a task call that this version can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A call of one task.  Only its dotted path travels, never code."""

    id: str
    """Made by the sender, never SQS's messageId: a message that is sent twice keeps it, and so has one receipt."""

    task: str
    """Dotted path, such as "lambda_app.apps.feed.tasks.record_likes"."""

    enqueued_at: str
    """ISO 8601 time in UTC; of a call for later, the moment that it is for."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    request_id: str = ""
    """Of the HTTP request that began it, as its client was told; empty where a schedule or an object did."""

    trace: str = ""
    """That request's trace header."""

    def encode(self) -> str:
        values = {name: value for name, value in asdict(self).items() if value or name not in OPTIONAL}
        values["version"] = 1 if OPTIONAL.isdisjoint(values) else 2
        return json.dumps(values, separators=(",", ":"))

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
        del values["version"]
        return cls(**values)


_TYPES: Mapping[str, type] = {
    "id": str, "task": str, "enqueued_at": str, "args": list, "kwargs": dict, "priority": int, "version": int,
    "request_id": str, "trace": str,
}  # fmt: skip


def _check_fields(values: Mapping[str, Any]) -> None:
    expected = {item.name for item in fields(TaskMessage)}
    if faults := sorted(expected ^ (set(values) - {"version"} | OPTIONAL)):
        raise InvalidTaskMessageError(f"task message has missing or unknown fields: {', '.join(faults)}")
    for name, value in values.items():
        if not isinstance(value, _TYPES[name]):
            raise InvalidTaskMessageError(
                f"task message field {name!r} should be {_TYPES[name].__name__}, got {value!r}"[:300]
            )
