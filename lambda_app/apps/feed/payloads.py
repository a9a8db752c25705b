"""What travels to the bulk tasks of the feed, checked by type before the database sees it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

MAX_DURATION_MS = 86_400_000

type Duration = Annotated[int, msgspec.Meta(ge=0, le=MAX_DURATION_MS)]
type Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class LikeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The word of a member on a post, given at a moment."""

    post_id: UUID
    member_id: UUID
    is_liked: bool
    requested_at: Moment


class ViewReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member saw, as one request told it."""

    member_id: UUID
    viewed_at: Moment
    events: list[tuple[UUID, UUID, Duration]]
    """Id of the event, id of the post, milliseconds."""


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that has arrived in the storage."""

    bucket: str
    key: str


def to_json(payload: msgspec.Struct) -> Any:
    """Return `payload` as what a task can be enqueued with."""
    return msgspec.to_builtins(payload)
