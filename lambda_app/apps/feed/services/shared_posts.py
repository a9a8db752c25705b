"""Posts as their links show them: read once for all clients, from Django's cache."""

from datetime import timedelta
from functools import cache
from typing import cast
from uuid import UUID
from zlib import crc32

import msgspec
from django.core.cache import cache as shared_cache

from lambda_app.apps.feed import queries
from lambda_app.apps.feed.schemas import SharedPostOut

FRESH = timedelta(seconds=30)
"""How old a shared post may be: its counters move all the time, and a post that goes viral is read all the time."""


def read_shared_post(post_id: UUID) -> bytes:
    """Return the post as JSON.  Raise NotFoundError if there is no such post."""
    body = shared_cache.get_or_set(_key(post_id), lambda: _encode(post_id), FRESH.total_seconds())
    return cast("bytes", body)


def forget_shared_post(post_id: UUID) -> None:
    """Delete the post from the cache.  Safe to repeat."""
    shared_cache.delete(_key(post_id))


def _encode(post_id: UUID) -> bytes:
    return msgspec.json.encode(queries.read_shared_post(post_id).model_dump())


def _key(post_id: UUID) -> str:
    return f"shared-post:{_shape()}:{post_id}"


@cache
def _shape() -> str:
    # While a deploy shifts, old and new code share the cache, and each should read its own form.
    return f"{crc32(msgspec.json.encode(SharedPostOut.model_json_schema())):08x}"
