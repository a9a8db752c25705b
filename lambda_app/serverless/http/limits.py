"""What fits through Lambda, and an error that tells the developer what to do instead."""

import json
from io import BytesIO
from typing import Any

MAX_PAYLOAD_BYTES = 6_291_556
"""The largest JSON that Lambda takes as the result of a synchronous invocation."""

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The largest request body served: no event that Lambda delivers has more, whatever the gateway allows."""

_ALWAYS_FITS = MAX_PAYLOAD_BYTES // 6 - 65_536
"""JSON writes a byte as six at most, and headers are shorter than the rest."""


class ResponseTooLargeError(Exception):
    """A response does not fit through Lambda."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the response has {size:,} bytes or more on its way through Lambda, which returns at most "
            f"{MAX_PAYLOAD_BYTES:,}; store it in S3 and answer with a presigned URL, or answer in pages"
        )


class Buffer(BytesIO):
    """Collects a streamed body, as far as it can fit."""

    def write(self, part: Any) -> int:
        """Raise ResponseTooLargeError as soon as it cannot fit any more: a stream may have no end."""
        written = super().write(part)
        if self.tell() > MAX_PAYLOAD_BYTES:
            raise ResponseTooLargeError(self.tell())
        return written


def check_size(reply: dict[str, Any]) -> None:
    """Raise ResponseTooLargeError if `reply`, as the runtime will write it, is larger than Lambda returns."""
    if len(reply["body"]) > _ALWAYS_FITS and (size := _json_bytes(reply)) > MAX_PAYLOAD_BYTES:
        raise ResponseTooLargeError(size)


def _json_bytes(reply: dict[str, Any]) -> int:
    # The runtime does not escape what is not ASCII either.
    return len(json.dumps(reply, ensure_ascii=False).encode())
