"""What ran since the system started, by function and by queue, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

KINDS = ("invocations", "cold starts", "errors", "messages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts as the launcher gives them, taken apart."""

    functions: Mapping[str, Mapping[str, int]]
    """Role → kind → count."""

    queues: Mapping[str, int]
    """Name → messages that it holds."""

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Take apart keys like "sqs cold starts"; every other key is the name of a queue."""
        functions: dict[str, dict[str, int]] = {}
        queues: dict[str, int] = {}
        for key, count in counts.items():
            role, _, kind = key.partition(" ")
            if kind in KINDS:
                functions.setdefault(role, dict.fromkeys(KINDS, 0))[kind] = count
            else:
                queues[key] = count
        return cls(functions=functions, queues=queues)

    @property
    def waiting(self) -> int:
        """Messages that are yet to be processed."""
        return sum(count for name, count in self.queues.items() if not _holds_dead_letters(name))

    @property
    def dead(self) -> int:
        """Messages that were given up."""
        return sum(count for name, count in self.queues.items() if _holds_dead_letters(name))

    def since(self, before: "Totals") -> "Totals":
        """Return what ran after `before`, without functions that did not; queues stay as they are now."""
        zero = dict.fromkeys(KINDS, 0)
        functions = {
            role: {kind: count - before.functions.get(role, zero)[kind] for kind, count in counts.items()}
            for role, counts in self.functions.items()
        }
        ran = {role: counts for role, counts in functions.items() if any(counts.values())}
        return Totals(functions=ran, queues=self.queues)

    def __str__(self) -> str:
        heading = f"{'function':<24}" + "".join(f"{kind:>14}" for kind in KINDS)
        rows = [
            f"{role:<24}" + "".join(f"{counts[kind]:>14,}" for kind in KINDS)
            for role, counts in sorted(self.functions.items())
        ]
        return "\n".join([heading, *rows, f"messages waiting {self.waiting:,}, dead letters {self.dead:,}"])


def _holds_dead_letters(queue: str) -> bool:
    return "deadletters" in queue.lower()
