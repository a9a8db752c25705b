from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lambda_app.apps.feed.errors import ConflictError
from lambda_app.apps.feed.models import Member, Photo, Post
from lambda_app.apps.feed.queries import no_photo, no_post
from lambda_app.apps.feed.services.abandoned_photos import UNPOSTED_LIFETIME
from lambda_app.apps.feed.services.shared_posts import forget_shared_post


@transaction.atomic
def publish_post(*, author: Member, photo_id: UUID, caption: str) -> tuple[UUID, bool]:
    """Return the id of the post with this photo, and whether it is new.  Safe to repeat: a photo has one post.

    Raise NotFoundError if the author has no such photo, ConflictError if the photo is not ready,
    too old, or posted with another caption.
    """
    photo = _lock(Photo.objects.filter(id=photo_id, owner=author))
    if photo is None:
        raise no_photo(photo_id)
    posted = Post.objects.filter(photo=photo).first()
    if posted is not None:
        _check_same_caption(posted, caption)
        return posted.id, False
    _check_postable(photo)
    post = Post.objects.create(author=author, photo=photo, caption=caption)
    Photo.objects.filter(id=photo_id).update(is_posted=True)
    return post.id, True


@transaction.atomic
def delete_post(*, author: Member, post_id: UUID) -> None:
    """Delete the post and its likes; the photo goes with the next sweep.

    Raise NotFoundError unless `author` wrote it.
    """
    photo = _lock(Photo.objects.filter(post=post_id, post__author=author))
    # The post was found before the lock: another request may have deleted it since.
    if photo is None or not Post.objects.filter(id=post_id).delete()[0]:
        raise no_post(post_id)
    Photo.objects.filter(id=photo.id).update(is_posted=False)
    transaction.on_commit(lambda: forget_shared_post(post_id), robust=True)


def _lock(photos: QuerySet[Photo]) -> Photo | None:
    """Lock the photo, and with it whether it has a post: judge by rows that are read after this, never before.

    Posting, deleting and the sweep of unposted photos all take this lock first.
    """
    return photos.select_for_update(no_key=True, of=("self",)).first()


def _check_same_caption(post: Post, caption: str) -> None:
    if post.caption != caption:
        raise ConflictError(f"photo {post.photo_id} is in post {post.id} already, with another caption")


def _check_postable(photo: Photo) -> None:
    if photo.state != Photo.State.READY:
        raise ConflictError(f"photo {photo.id} is {photo.state}; only a photo that is ready can be posted")
    if photo.created_at < timezone.now() - UNPOSTED_LIFETIME:
        raise ConflictError(f"photo {photo.id} is older than a day and about to be deleted; upload it again")
