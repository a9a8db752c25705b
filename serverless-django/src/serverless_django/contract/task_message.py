"""The JSON in which a task call travels through SQS, versioned."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

TASK_PATH_LENGTH = 255
"""Characters of a task's path that are kept."""

ERROR_LENGTH = 1_000
"""Characters of the error of a call that are kept."""

FORMAT_VERSION = 2
"""2 added OPTIONAL.  A message without any of them is still written as version 1, which code before it reads."""

OPTIONAL = frozenset({"priority", "request_id", "trace"})
"""Fields that are left out of a message at their default."""


class InvalidTaskMessageError(ValueError):
    """An SQS body is not a task call that this version can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A call of one task.  Only its dotted path travels, never code.

    `serverless_django.tasks.wire` reads what `encode` writes.
    """

    id: str
    """Made by the sender, never SQS's messageId: a message that is sent twice keeps it, and so has one receipt."""

    task: str
    """Dotted path, such as "shop.tasks.send_receipt"."""

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
        """Return the JSON of an SQS message body.

        Raise ValueError or TypeError if the arguments hold what JSON has no form for.
        """
        values = {name: getattr(self, name) for name in self.__slots__}
        values = {name: value for name, value in values.items() if value or name not in OPTIONAL}
        values["version"] = 1 if OPTIONAL.isdisjoint(values) else 2
        return json.dumps(values, separators=(",", ":"), allow_nan=False)


_TAKEN = re.compile(r"[!-~]{1,128}")
"""Letters, digits and punctuation of ASCII; no space."""


def message_group(name: str) -> str:
    """Return `name` itself if SQS takes it, else its digest: any value of an argument may name a group."""
    if _TAKEN.fullmatch(name):
        return name
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
