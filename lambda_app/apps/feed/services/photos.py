"""Photos from the permission to upload until they are ready, rejected or deleted."""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypedDict, cast
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.models import Member, Photo

if TYPE_CHECKING:
    from lambda_app.apps.feed.rendering import EncodedImage, Rendering

KEY_PREFIX = "photos/"
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
UPLOAD_WINDOW = timedelta(minutes=5)
"""How long a phone may take to begin its upload."""

LATE_AFTER = timedelta(minutes=10)
"""Past the upload window with room for a slow upload: from here on the sweep looks after a pending photo."""

HOPELESS_AFTER = timedelta(hours=1)
"""A file that could not be rendered in an hour of attempts never will be."""

UNPOSTED_LIFETIME = timedelta(days=1)
PHOTOS_PER_SWEEP = 250
"""What fits well into the minute that a batch may take, at four calls to S3 each."""


class PresignedPost(TypedDict):
    url: str
    fields: dict[str, str]


class Rendition(TypedDict):
    name: str
    width: int
    height: int


class UploadStorage(Protocol):
    """What the storage "uploads" can do beyond Django's `Storage`."""

    def presigned_post(
        self, name: str, *, content_type: str, max_bytes: int, expires_in: timedelta
    ) -> PresignedPost: ...


def open_upload(*, owner: Member, content_type: str) -> tuple[Photo, PresignedPost]:
    """Make a pending photo and the form with which its file can be sent straight to the storage."""
    photo = Photo.objects.create(owner=owner, content_type=content_type)
    uploads = cast("UploadStorage", storages["uploads"])
    form = uploads.presigned_post(
        upload_key(photo.id), content_type=content_type, max_bytes=MAX_UPLOAD_BYTES, expires_in=UPLOAD_WINDOW
    )
    return photo, form


def upload_key(photo_id: UUID) -> str:
    return f"{KEY_PREFIX}{photo_id}"


def render_upload(*, bucket: str, key: str) -> None:
    """Turn an uploaded file into renditions, or reject it with the reason.

    Safe to repeat, also at the same time: names of renditions come from their content, and only a
    pending photo changes.  Without effect if the photo or its file is gone.
    """
    photo = _read_pending_photo(key)
    if photo is None:
        return
    try:
        data = _read_upload(storages[bucket], key)
        if data is not None:
            _publish(photo, _render(photo, data))
    except RejectedImageError as error:
        _reject(Photo.objects.filter(id=photo.id), reason=str(error))


def settle_late_uploads() -> list[str]:
    """Reject photos whose file never came; return the keys of those that came but were not rendered."""
    now = timezone.now()
    pending = Photo.objects.filter(state=Photo.State.PENDING)
    _reject(pending.filter(created_at__lt=now - HOPELESS_AFTER), reason="the photo could not be processed")
    late = pending.filter(created_at__lt=now - LATE_AFTER).order_by("created_at")[:PHOTOS_PER_SWEEP]
    arrived = {photo.id: storages["uploads"].exists(upload_key(photo.id)) for photo in late}
    missing = [photo_id for photo_id, is_there in arrived.items() if not is_there]
    _reject(pending.filter(id__in=missing), reason="no file was uploaded in time")
    return [upload_key(photo_id) for photo_id, is_there in arrived.items() if is_there]


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
    _delete_images(photo.renditions)
    photo.delete()
    return True


def _read_pending_photo(key: str) -> Photo | None:
    try:
        photo_id = UUID(key.removeprefix(KEY_PREFIX))
    except ValueError:
        return None
    return Photo.objects.filter(id=photo_id, state=Photo.State.PENDING).first()


def _read_upload(uploads: Storage, key: str) -> bytes | None:
    try:
        with uploads.open(key) as file:
            if file.size > MAX_UPLOAD_BYTES:
                raise RejectedImageError(f"the file is larger than {MAX_UPLOAD_BYTES // 1024**2} MB")
            return cast("bytes", file.read())
    except FileNotFoundError:
        return None


def _render(photo: Photo, data: bytes) -> "Rendering":
    # Here, not above: Pillow is for the few environments that render, not for every cold start.
    from lambda_app.apps.feed.rendering import render

    return render(data, content_type=photo.content_type)


def _publish(photo: Photo, rendering: "Rendering") -> None:
    renditions = [_save_image(photo, image) for image in rendering.images]
    settled = Photo.objects.filter(id=photo.id, state=Photo.State.PENDING).update(
        state=Photo.State.READY, width=rendering.width, height=rendering.height, renditions=renditions
    )
    if not settled:
        _delete_strays(photo.id, renditions)


def _save_image(photo: Photo, image: "EncodedImage") -> Rendition:
    media = storages["media"]
    name = f"{KEY_PREFIX}{photo.id}/{image.width}-{sha256(image.data).hexdigest()[:32]}.webp"
    # Named by its content: what is there already is the same.
    if not media.exists(name):
        name = media.save(name, ContentFile(image.data))
    return {"name": name, "width": image.width, "height": image.height}


def _delete_strays(photo_id: UUID, renditions: list[Rendition]) -> None:
    """Another run settled the photo first, or it was deleted meanwhile: keep only what the row names."""
    named = Photo.objects.filter(id=photo_id).values_list("renditions", flat=True).first() or []
    _delete_images(rendition for rendition in renditions if rendition not in named)


def _delete_images(renditions: Iterable[Rendition]) -> None:
    for rendition in renditions:
        storages["media"].delete(rendition["name"])


def _reject(photos: QuerySet[Photo], *, reason: str) -> None:
    photos.filter(state=Photo.State.PENDING).update(state=Photo.State.REJECTED, reason=reason)
