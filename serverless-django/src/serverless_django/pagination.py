"""Pages by cursor: each costs one look into the index of the primary key, whatever the number of rows before it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import IntegerField, QuerySet

CURSOR_PATTERN = r"^[A-Za-z0-9_-]{8}[c-f][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$"
"""A cursor of a UUIDv7: its version and variant are fixed bits, and the spare bits of base64 are zero."""

INTEGER_BYTES = 8


class InvalidCursorError(BadRequest, ValueError):
    """A client sent a cursor that `encode_cursor` has not made.  Django answers it with 400."""


@dataclass(frozen=True, slots=True)
class Page[R]:
    """Rows, and the cursor of the page after them, or None if this is the last."""

    rows: list[R]
    next_cursor: str | None


def read_page(rows: QuerySet[Any, Any], *, cursor: str | None = None, limit: int) -> Page[Any]:
    """Return the first `limit` of `rows` after `cursor`, by descending primary key: newest first.

    The key should be a UUIDv7 or an integer.  `rows` may be instances, or dictionaries of `values()` with the key.

    Raise InvalidCursorError if `cursor` is not a `next_cursor` of this function.
    """
    key = rows.model._meta.pk
    if cursor is not None:
        kind: type[UUID | int] = int if isinstance(key, IntegerField) else UUID
        rows = rows.filter(pk__lt=decode_cursor(cursor, kind))
    # One more than asked for tells whether a next page exists.
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    if len(found) <= limit:
        return Page(shown, None)
    row = shown[-1]
    return Page(shown, encode_cursor(row[key.attname] if isinstance(row, dict) else row.pk))


def encode_cursor(last_id: UUID | int) -> str:
    """Return the cursor of the rows after `last_id`: 22 characters of a UUID, 11 of an integer, safe in any URL."""
    data = last_id.bytes if isinstance(last_id, UUID) else last_id.to_bytes(INTEGER_BYTES, signed=True)
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode_cursor[K: UUID | int](cursor: str, kind: type[K]) -> K:
    """Return the id that `encode_cursor` was given, of type `kind`: UUID or int.

    Raise InvalidCursorError if it made no such cursor.  A UUID should be of version 7: others have no order.
    """
    try:
        data = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        last_id: Any = UUID(bytes=data) if kind is UUID else _read_integer(data)
    except ValueError as error:
        raise _invalid(cursor) from error
    # Base64 has spare bits: without this, sixteen cursors would mean the same place.
    if encode_cursor(last_id) != cursor or (isinstance(last_id, UUID) and last_id.version != 7):
        raise _invalid(cursor)
    return last_id  # type: ignore[no-any-return]


def _read_integer(data: bytes) -> int:
    if len(data) != INTEGER_BYTES:
        raise ValueError(f"an integer has {INTEGER_BYTES} bytes, got {len(data)}")
    return int.from_bytes(data, signed=True)


def _invalid(cursor: str) -> InvalidCursorError:
    return InvalidCursorError(
        f"{cursor[:40]!r} is not a cursor of this API; use next_cursor of the page before, or none for the first page"
    )
