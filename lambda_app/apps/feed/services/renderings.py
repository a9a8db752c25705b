"""An uploaded file → renditions, or the reason why there are none."""

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.models import LATE_AFTER, MAX_UPLOAD_BYTES, Photo
from lambda_app.apps.feed.services import renditions
from lambda_app.apps.feed.services.photos import parse_key, upload_storage

MAX_ATTEMPTS = 3
"""Renderings that may end with their worker; an error that the worker survives is not counted, and tried for a day."""


def render_upload(*, bucket: str, key: str, version: str = "") -> None:
    """Turn an uploaded file into renditions, or reject it with the reason.

    Safe to repeat, also at the same time: names of renditions come from their content, and only a
    pending photo changes.  Without effect if the photo or its file is gone, or another file took its place.
    """
    photo = _begin(key)
    if photo is None:
        return
    try:
        upload = _read_upload(bucket, key, version)
        if upload is None:
            _give_back(photo)
        else:
            renditions.publish(photo, upload)
    except RejectedImageError as error:
        reject(Photo.objects.filter(id=photo.id), reason=str(error))
    except Exception:
        # The worker survived, so this attempt is not counted; only attempts that end the worker are.
        _give_back(photo)
        raise


def reject(photos: QuerySet[Photo], *, reason: str) -> None:
    photos.filter(state=Photo.State.PENDING).update(state=Photo.State.REJECTED, reason=reason)


def _begin(key: str) -> Photo | None:
    """Return the photo whose upload `key` is, and count the attempt; None if nothing is left to do for it."""
    ids = parse_key(key)
    if ids is None:
        return None
    # At its last attempt it may be with another worker just now.  If not, the sweep gives it up.
    pending = Photo.objects.filter(id=ids[1], owner=ids[0], state=Photo.State.PENDING, attempts__lt=MAX_ATTEMPTS)
    photo = pending.first()
    if photo is not None:
        Photo.objects.filter(id=photo.id).update(attempts=F("attempts") + 1, check_after=Now() + LATE_AFTER)
    return photo


def _give_back(photo: Photo) -> None:
    Photo.objects.filter(id=photo.id, attempts__gt=0).update(attempts=F("attempts") - 1)


def _read_upload(bucket: str, key: str, version: str) -> bytes | None:
    """Return the bytes in one read, so that what is judged is what is rendered; None if they are gone."""
    try:
        with upload_storage(bucket).open_version(key, version) as file:
            if file.size > MAX_UPLOAD_BYTES:
                raise RejectedImageError(f"the file is larger than {MAX_UPLOAD_BYTES // 1024**2} MB")
            return bytes(file.read())
    except FileNotFoundError:
        return None
