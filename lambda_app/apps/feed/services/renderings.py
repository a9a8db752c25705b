"""Uploaded files → renditions: of each member a few at once, in the order of their arrival.

An upload waits until its member has fewer than MAX_AT_ONCE renderings.  Then it is leased to a message, and later to
the worker that takes this message; the end of a rendering begins the member's next one.  So a member who uploads a
hundred photos occupies no more workers than one who uploads two, and no more places in the queue before others.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from lambda_app.apps.feed.errors import RejectedImageError
from lambda_app.apps.feed.models import LATE_AFTER, MAX_UPLOAD_BYTES, Member, Photo
from lambda_app.apps.feed.services import renditions
from lambda_app.apps.feed.services.photos import parse_key, upload_key, upload_storage

MAX_AT_ONCE = 2
"""Renderings of one member; the queue has five workers."""

MAX_ATTEMPTS = 3
"""Renderings that may end with their worker; an error that the worker survives is not counted, and tried for a day."""

MESSAGE_LEASE = timedelta(minutes=10)
"""How long a message may wait for a worker before it no longer counts as a rendering of its member."""

WORKER_LEASE = timedelta(minutes=2)
"""Longer than a worker may run: a worker that was killed holds up its member's other photos no longer."""

NOT_LEASED = Q(rendering_until=None) | Q(rendering_until__lt=Now())


@transaction.atomic
def note_uploads(keys: Iterable[str]) -> list[UUID]:
    """Let the photos whose files have arrived wait for their rendering, and return the members who have one that does.

    One statement drops what arrives for photos that are settled, wait already or are being rendered.
    """
    owners = {photo_id: owner_id for owner_id, photo_id in filter(None, map(parse_key, keys))}
    # In the order of their ids: two batches with the same photos wait for each other instead of deadlocking.
    pending = Photo.objects.filter(NOT_LEASED, id__in=owners, state=Photo.State.PENDING, waiting_since=None)
    rows = pending.select_for_update(no_key=True).order_by("id").values_list("id", "owner_id")
    arrived = {photo_id: owner_id for photo_id, owner_id in rows if owners[photo_id] == owner_id}
    if arrived:
        Photo.objects.filter(id__in=arrived).update(waiting_since=Now())
    return sorted(set(arrived.values()))


@transaction.atomic
def lease_next(owner_id: UUID) -> list[str]:
    """Return the keys of those uploads of the member whose rendering may begin now: enqueue it in this transaction."""
    # Locked first, and counted then: an upload and the end of a rendering at the same moment see each other.
    Member.objects.select_for_update(no_key=True).filter(id=owner_id).first()
    pending = Photo.objects.filter(owner=owner_id, state=Photo.State.PENDING)
    free = MAX_AT_ONCE - pending.filter(rendering_until__gte=Now()).count()
    waiting = pending.filter(waiting_since__isnull=False, attempts__lt=MAX_ATTEMPTS).order_by("waiting_since")
    chosen = list(waiting[: max(0, free)])
    Photo.objects.filter(id__in=[photo.id for photo in chosen]).update(
        waiting_since=None, rendering_until=Now() + MESSAGE_LEASE
    )
    return [upload_key(photo) for photo in chosen]


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
            _give_back(photo, rendering_until=None)
        else:
            renditions.publish(photo, upload)
    except RejectedImageError as error:
        reject(Photo.objects.filter(id=photo.id), reason=str(error))
    except Exception:
        # The worker survived, so this attempt is not counted; only attempts that end the worker are.
        # Its message comes again, so the lease goes on.
        _give_back(photo, rendering_until=Now() + MESSAGE_LEASE)
        raise


def reject(photos: QuerySet[Photo], *, reason: str) -> None:
    photos.filter(state=Photo.State.PENDING).update(state=Photo.State.REJECTED, reason=reason)


@transaction.atomic
def _begin(key: str) -> Photo | None:
    """Return the photo whose upload `key` is, and count the attempt; None if nothing is left to do for it."""
    ids = parse_key(key)
    if ids is None:
        return None
    # At its last attempt it may be with another worker just now.  If not, the sweep gives it up.
    pending = Photo.objects.filter(id=ids[1], owner=ids[0], state=Photo.State.PENDING, attempts__lt=MAX_ATTEMPTS)
    photo = pending.select_for_update(no_key=True).first()
    if photo is not None:
        Photo.objects.filter(id=photo.id).update(
            attempts=F("attempts") + 1,
            check_after=Now() + LATE_AFTER,
            waiting_since=None,
            rendering_until=Now() + WORKER_LEASE,
        )
    return photo


def _give_back(photo: Photo, *, rendering_until: Combinable | None) -> None:
    given_back = {"attempts": F("attempts") - 1, "rendering_until": rendering_until}
    Photo.objects.filter(id=photo.id, attempts__gt=0).update(**given_back)


def _read_upload(bucket: str, key: str, version: str) -> bytes | None:
    """Return the bytes in one read, so that what is judged is what is rendered; None if they are gone."""
    try:
        with upload_storage(bucket).open_version(key, version) as file:
            if file.size > MAX_UPLOAD_BYTES:
                raise RejectedImageError(f"the file is larger than {MAX_UPLOAD_BYTES // 1024**2} MB")
            return bytes(file.read())
    except FileNotFoundError:
        return None
