"""Opaque cursors: the id of the last item of a page, as 22 characters that survive any URL."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from lambda_app.apps.feed.errors import InvalidCursorError

CURSOR_PATTERN = r"^[A-Za-z0-9_-]{8}[c-f][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$"
"""Of a UUIDv7 in base64: with the bits of its version and its variant, and without spare ones."""


def encode_cursor(last_id: UUID) -> str:
    return urlsafe_b64encode(last_id.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """Return the id that `encode_cursor` was given.  Raise InvalidCursorError if it made no such cursor."""
    try:
        last_id = UUID(bytes=urlsafe_b64decode(cursor + "=="))
    except ValueError as error:
        raise _invalid(cursor) from error
    # Base64 has spare bits: without this, sixteen cursors would mean the same place.
    if last_id.version != 7 or encode_cursor(last_id) != cursor:
        raise _invalid(cursor)
    return last_id


def _invalid(cursor: str) -> InvalidCursorError:
    return InvalidCursorError(
        f"{cursor[:40]!r} is not a cursor of this API; use next_cursor of the page before, or none for the first page"
    )
