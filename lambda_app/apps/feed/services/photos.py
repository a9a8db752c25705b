"""The permission to upload a photo, and where its file is."""

from datetime import datetime, timedelta
from typing import Protocol, TypedDict, cast
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from lambda_app.apps.feed.errors import TooManyError
from lambda_app.apps.feed.models import Member, Photo

KEY_PREFIX = "photos/"
UPLOAD_WINDOW = timedelta(minutes=5)
"""How long a phone may take to begin its upload."""

MAX_UPLOADS = 120
UPLOADS_PERIOD = timedelta(hours=1)
"""A member may ask for MAX_UPLOADS in this time."""


class PresignedPut(TypedDict):
    url: str
    headers: dict[str, str]


class UploadStorage(Protocol):
    """What the storage "uploads" can do beyond Django's `Storage`."""

    def presigned_put(self, name: str, *, content_type: str, size: int, expires_in: timedelta) -> PresignedPut: ...

    def open_version(self, name: str, version: str) -> "File[bytes]":
        """Raise FileNotFoundError if the file is gone, or another one than `version`, unless that is ""."""
        ...

    def exists(self, name: str) -> bool: ...


def open_upload(*, owner: Member, content_type: str, size: int) -> tuple[Photo, PresignedPut]:
    """Make a pending photo and the request with which its file can be sent straight to the storage, once.

    Raise TooManyError if `owner` has asked for too many lately.
    """
    photo = _create_pending_photo(owner, content_type)
    request = upload_storage().presigned_put(
        upload_key(photo), content_type=content_type, size=size, expires_in=UPLOAD_WINDOW
    )
    return photo, request


def upload_key(photo: Photo) -> str:
    """Return the key of the upload: ours from end to end, nothing of it is the client's."""
    return f"{KEY_PREFIX}{photo.owner_id}/{photo.id}"


def parse_key(key: str) -> tuple[UUID, UUID] | None:
    """Return the ids of the owner and the photo whose upload `key` is, or None if it is of no upload."""
    try:
        owner_id, photo_id = map(UUID, key.removeprefix(KEY_PREFIX).split("/"))
    except ValueError:
        return None
    # An id can be written in several ways, a key in one.
    return (owner_id, photo_id) if key == f"{KEY_PREFIX}{owner_id}/{photo_id}" else None


def upload_storage(name: str = "uploads") -> UploadStorage:
    return cast("UploadStorage", storages[name])


@transaction.atomic
def _create_pending_photo(owner: Member, content_type: str) -> Photo:
    # Locked, so that requests at the same moment are counted one after the other.
    Member.objects.select_for_update(no_key=True).get(id=owner.id)
    _check_rate(owner)
    return Photo.objects.create(owner=owner, content_type=content_type)


def _check_rate(owner: Member) -> None:
    newest_first = Photo.objects.filter(owner=owner).order_by("-created_at").values_list("created_at", flat=True)
    earlier: datetime | None = newest_first[MAX_UPLOADS - 1 : MAX_UPLOADS].first()
    if earlier is not None and (retry_after := earlier + UPLOADS_PERIOD - timezone.now()) > timedelta(0):
        raise TooManyError(
            f"a member may ask for {MAX_UPLOADS} uploads an hour; try again in {retry_after.seconds // 60 + 1} minutes",
            retry_after=retry_after,
        )
