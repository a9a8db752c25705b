"""What fits through Lambda, and an error that tells the developer what to do instead."""

import json
from io import BytesIO
from typing import Any

MAX_PAYLOAD_BYTES = 6_291_556
"""The largest JSON that Lambda takes as the result of a synchronous invocation."""

MAX_LOAD_BALANCER_BYTES = 1024 * 1024
"""The largest JSON that a load balancer takes from a function: "1 MB" in its documentation."""

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The largest request body served: no event that Lambda delivers has more, whatever the gateway allows."""


class ResponseTooLargeError(Exception):
    """A response does not fit through Lambda, or through the load balancer before it."""

    def __init__(self, size: int, limit: int = MAX_PAYLOAD_BYTES) -> None:
        super().__init__(
            f"the response has {size:,} bytes or more on its way through Lambda, which here returns at most "
            f"{limit:,}; store it in S3 and answer with a presigned URL, or answer in pages"
        )


class Buffer(BytesIO):
    """Collects a streamed body, as far as it can fit."""

    def write(self, part: Any) -> int:
        """Add `part`.  Raise ResponseTooLargeError as soon as the whole cannot fit: a stream may have no end."""
        written = super().write(part)
        if self.tell() > MAX_PAYLOAD_BYTES:
            raise ResponseTooLargeError(self.tell())
        return written


def check_size(reply: dict[str, Any], *, limit: int = MAX_PAYLOAD_BYTES) -> None:
    """Raise ResponseTooLargeError if `reply` has more than `limit` bytes as the runtime will write it."""
    # JSON writes a byte as six at most, and headers are shorter than the rest.
    always_fits = limit // 6 - 65_536
    if len(reply["body"]) > always_fits and (size := _json_bytes(reply)) > limit:
        raise ResponseTooLargeError(size, limit)


def _json_bytes(reply: dict[str, Any]) -> int:
    # The runtime does not escape what is not ASCII either.
    return len(json.dumps(reply, ensure_ascii=False).encode())
