"""The name of a group → what SQS takes as MessageGroupId."""

import re
from hashlib import sha256

_TAKEN = re.compile(r"[!-~]{1,128}")
"""Letters, digits and punctuation of ASCII; no space."""


def message_group(name: str) -> str:
    """Return `name` itself if SQS takes it, else its digest: any value of an argument may name a group."""
    if _TAKEN.fullmatch(name):
        return name
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
