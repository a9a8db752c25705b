"""Photos from the permission to upload until they are ready, rejected or deleted."""

from datetime import datetime, timedelta
from typing import Protocol, TypedDict, cast
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from lambda_app.apps.feed.errors import RejectedImageError, TooManyError
from lambda_app.apps.feed.models import LATE_AFTER, Member, Photo
from lambda_app.apps.feed.services import renditions

KEY_PREFIX = "photos/"
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
UPLOAD_WINDOW = timedelta(minutes=5)
"""How long a phone may take to begin its upload."""

MAX_UPLOADS = 120
UPLOADS_PERIOD = timedelta(hours=1)
"""A member may ask for MAX_UPLOADS in this time."""

MAX_ATTEMPTS = 3
"""Renderings that may die with their worker; what fails otherwise is not counted, and tried for a day."""

UNPOSTED_LIFETIME = timedelta(days=1)
PHOTOS_PER_SWEEP = 250
"""What fits well into the minute that a batch may take, at four calls to S3 each."""


class PresignedPost(TypedDict):
    url: str
    fields: dict[str, str]


class UploadStorage(Protocol):
    """What the storage "uploads" can do beyond Django's `Storage`."""

    def presigned_post(
        self, name: str, *, content_type: str, max_bytes: int, expires_in: timedelta
    ) -> PresignedPost: ...

    def open_version(self, name: str, version: str) -> "File[bytes]":
        """Raise FileNotFoundError if the file is gone, or another one than `version`, unless that is ""."""
        ...

    def exists(self, name: str) -> bool: ...


def open_upload(*, owner: Member, content_type: str) -> tuple[Photo, PresignedPost]:
    """Make a pending photo and the form with which its file can be sent straight to the storage.

    Raise TooManyError if `owner` has asked for too many lately.
    """
    photo = _create_pending_photo(owner, content_type)
    form = _storage("uploads").presigned_post(
        upload_key(photo), content_type=content_type, max_bytes=MAX_UPLOAD_BYTES, expires_in=UPLOAD_WINDOW
    )
    return photo, form


def upload_key(photo: Photo) -> str:
    """Return the key of the upload: ours from end to end, nothing of it is the client's."""
    return f"{KEY_PREFIX}{photo.owner_id}/{photo.id}"


def render_upload(*, bucket: str, key: str, version: str = "") -> None:
    """Turn an uploaded file into renditions, or reject it with the reason.

    Safe to repeat, also at the same time: names of renditions come from their content, and only a
    pending photo changes.  Without effect if the photo or its file is gone, or another file took its place.
    """
    photo = _take_pending_photo(key)
    if photo is None:
        return
    try:
        upload = _read_upload(bucket, key, version)
        if upload is None:
            _give_back(photo)
        else:
            renditions.publish(photo, upload)
    except RejectedImageError as error:
        _reject(Photo.objects.filter(id=photo.id), reason=str(error))
    except Exception:
        # It came back, whatever it came back with: only what never does is counted.
        _give_back(photo)
        raise


def settle_late_uploads() -> list[str]:
    """Reject photos whose file never came or cannot be borne; return the keys of those that were not rendered yet.

    Each look waits twice as long as the one before: an outage of hours loses no photo and sets off no storm.
    """
    late = Photo.objects.filter(state=Photo.State.PENDING, check_after__lt=timezone.now())
    batch = list(late.order_by("check_after")[:PHOTOS_PER_SWEEP])
    hopeless = [photo.id for photo in batch if photo.attempts >= MAX_ATTEMPTS]
    _reject(Photo.objects.filter(id__in=hopeless), reason="the photo could not be processed")
    arrived = {photo: _storage("uploads").exists(upload_key(photo)) for photo in batch if photo.id not in hopeless}
    missing = [photo.id for photo, is_there in arrived.items() if not is_there]
    _reject(Photo.objects.filter(id__in=missing), reason="no file was uploaded in time")
    waiting = [photo for photo, is_there in arrived.items() if is_there]
    Photo.objects.filter(id__in=[photo.id for photo in waiting]).update(check_after=Now() + (Now() - F("created_at")))
    return [upload_key(photo) for photo in waiting]


def delete_unposted_photos() -> int:
    """Delete photos that no post shows a day after they were made, with their renditions; return how many."""
    return sum(1 for _ in range(PHOTOS_PER_SWEEP) if _delete_oldest_unposted())


@transaction.atomic
def _delete_oldest_unposted() -> bool:
    unposted = Photo.objects.filter(is_posted=False, created_at__lt=timezone.now() - UNPOSTED_LIFETIME)
    photo = unposted.select_for_update(skip_locked=True).order_by("created_at").first()
    if photo is None:
        return False
    # Renditions first: a row that is left can be deleted again, an object that nobody names cannot.
    renditions.delete_all(photo.id)
    photo.delete()
    return True


def _storage(name: str) -> UploadStorage:
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


def _take_pending_photo(key: str) -> Photo | None:
    """Return the photo whose upload `key` is, and count the attempt; None if nothing is left to do for it."""
    try:
        photo = Photo.objects.filter(id=UUID(key.rpartition("/")[2]), state=Photo.State.PENDING).first()
    except ValueError:
        return None
    # At its last attempt it may be in other hands just now.  If not, the sweep gives it up.
    if photo is None or upload_key(photo) != key or photo.attempts >= MAX_ATTEMPTS:
        return None
    Photo.objects.filter(id=photo.id).update(attempts=F("attempts") + 1, check_after=Now() + LATE_AFTER)
    return photo


def _give_back(photo: Photo) -> None:
    Photo.objects.filter(id=photo.id, attempts__gt=0).update(attempts=F("attempts") - 1)


def _read_upload(bucket: str, key: str, version: str) -> bytes | None:
    """Return the bytes in one read, so that what is judged is what is rendered; None if they are gone."""
    try:
        with _storage(bucket).open_version(key, version) as file:
            if file.size > MAX_UPLOAD_BYTES:
                raise RejectedImageError(f"the file is larger than {MAX_UPLOAD_BYTES // 1024**2} MB")
            return cast("bytes", file.read())
    except FileNotFoundError:
        return None


def _reject(photos: QuerySet[Photo], *, reason: str) -> None:
    photos.filter(state=Photo.State.PENDING).update(state=Photo.State.REJECTED, reason=reason)
