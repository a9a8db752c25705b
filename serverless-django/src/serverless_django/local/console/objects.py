"""What lies in each bucket, and what has become of the objects that set off a task."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_KEYS = 1000
RECENT = 12


@dataclass
class Objects:
    """Counts block for some milliseconds: call `read` beside the event loop.  Lines are added as they come."""

    client: Any
    buckets: Mapping[str, str]
    """Name in S3 of each bucket of the topology."""

    _calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=RECENT), init=False)

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Note each object that `lines` of a function's log name, with the call that it set off."""
        for line in lines:
            if "object" in line and "call" in line:
                self._calls.appendleft({name: line.get(name) for name in ("object", "call", "task", "timestamp")})

    def recent(self, ended: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the last objects, each with the state of its call by `ended`."""
        return [call | {"state": ended.get(call["call"], "WAITING")} for call in self._calls]

    def read(self) -> list[dict[str, Any]]:
        return [self._count(label, name) for label, name in self.buckets.items()]

    def _count(self, label: str, name: str) -> dict[str, Any]:
        answer = self.client.list_objects_v2(Bucket=name, MaxKeys=MAX_KEYS)
        found = answer.get("Contents", [])
        return {
            "name": label,
            "objects": len(found),
            "more": bool(answer.get("IsTruncated")),
            "bytes": sum(item["Size"] for item in found),
        }
