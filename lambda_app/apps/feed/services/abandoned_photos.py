"""The sweep of photos that no post shows: a late upload is rendered or rejected, a photo of yesterday is deleted.

The time of a photo's next look is written before the photo is looked at.  So one that fails, or ends its worker, is
behind all others in the next sweep.  Each look waits twice as long as the one before, one day at most.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from lambda_app.apps.feed.models import Photo
from lambda_app.apps.feed.services.photos import upload_key, upload_storage
from lambda_app.apps.feed.services.renderings import MAX_ATTEMPTS, NOT_LEASED, reject

logger = logging.getLogger(__name__)

UNPOSTED_LIFETIME = timedelta(days=1)
PHOTOS_PER_SWEEP = 250
MAX_FAILURES = 5
"""If so many photos of one sweep fail, an outage is likely: the others wait for the next sweep."""


def sweep(*, render: Callable[[UUID], object], delete_renditions: Callable[[UUID], object]) -> None:
    """Settle the photos that are due.

    `render` is told the member of an upload that waits for its rendering.  `delete_renditions` is told the id of each
    photo that is deleted, in the transaction that deletes it.  Raise what the last of MAX_FAILURES photos failed with.
    """
    failures = 0
    for _ in range(PHOTOS_PER_SWEEP):
        photo = _take_due_photo()
        if photo is None:
            return
        try:
            _settle(photo, render, delete_renditions)
        except Exception:
            failures += 1
            logger.exception("photo %s failed in the sweep, which looks at it again later", photo.id)
            if failures == MAX_FAILURES:
                raise


@transaction.atomic
def _take_due_photo() -> Photo | None:
    due = Photo.objects.filter(is_posted=False, check_after__lt=timezone.now()).order_by("check_after")
    photo = due.select_for_update(no_key=True, skip_locked=True).first()
    if photo is not None:
        Photo.objects.filter(id=photo.id).update(check_after=_next_look(photo))
    return photo


def _next_look(photo: Photo) -> datetime:
    age = timezone.now() - photo.created_at
    if photo.state != Photo.State.PENDING and age < UNPOSTED_LIFETIME:
        return photo.created_at + UNPOSTED_LIFETIME
    return timezone.now() + min(age, UNPOSTED_LIFETIME)


def _settle(photo: Photo, render: Callable[[UUID], object], delete_renditions: Callable[[UUID], object]) -> None:
    if timezone.now() - photo.created_at > UNPOSTED_LIFETIME:
        _delete(photo.id, delete_renditions)
    elif photo.state == Photo.State.PENDING:
        _settle_pending(photo, render)


@transaction.atomic
def _delete(photo_id: UUID, delete_renditions: Callable[[UUID], object]) -> None:
    photo = Photo.objects.select_for_update().filter(id=photo_id, is_posted=False).first()
    if photo is not None:
        photo.delete()
        # After the row, and only if its deletion commits: a photo that is still there keeps its objects.
        delete_renditions(photo_id)


def _settle_pending(photo: Photo, render: Callable[[UUID], object]) -> None:
    row = Photo.objects.filter(id=photo.id)
    if photo.attempts >= MAX_ATTEMPTS:
        reject(row, reason="the photo could not be processed")
    elif photo.waiting_since is None and not upload_storage().exists(upload_key(photo)):
        reject(row, reason="no file was uploaded in time")
    else:
        row.filter(NOT_LEASED).update(waiting_since=Coalesce("waiting_since", Now()))
        render(photo.owner_id)
