"""Memory and processors of an RDS instance class, from which its parameters follow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


class UnknownInstanceClassError(ValueError):
    """No class of this name, or none whose memory we know."""


@dataclass(frozen=True, slots=True)
class Instance:
    memory_gb: float
    processors: int


BURSTABLE: Mapping[str, Instance] = {
    "micro": Instance(1, 2),
    "small": Instance(2, 2),
    "medium": Instance(4, 2),
    "large": Instance(8, 2),
    "xlarge": Instance(16, 4),
    "2xlarge": Instance(32, 8),
}
"""Of t3 and t4g; the others follow a rule."""

_GB_PER_PROCESSOR = {"m": 4, "r": 8, "c": 2}
_CLASS = re.compile(r"(?P<family>[a-z]+)(?P<generation>\d+)[a-z]*\.(?P<size>\d*)(?P<unit>micro|small|medium|x?large)")


def instance_of(name: str) -> Instance:
    """Return what the class `name` has, such as "t4g.small".  Raise UnknownInstanceClassError for any other."""
    if not (parts := _CLASS.fullmatch(name)):
        raise UnknownInstanceClassError('should be a class such as "t4g.small" or "r8g.2xlarge", without "db."')
    size = f"{parts['size']}{parts['unit']}"
    if parts["family"] == "t" and size in BURSTABLE:
        return BURSTABLE[size]
    if parts["family"] not in _GB_PER_PROCESSOR or parts["unit"] not in ("large", "xlarge"):
        raise UnknownInstanceClassError("should be a size of the families t, c, m or r, whose memory we know")
    processors = 2 if size == "large" else 4 * int(parts["size"] or 1)
    return Instance(processors * _GB_PER_PROCESSOR[parts["family"]], processors)
