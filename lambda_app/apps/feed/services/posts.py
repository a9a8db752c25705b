from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lambda_app.apps.feed.errors import ConflictError
from lambda_app.apps.feed.models import Member, Photo, Post
from lambda_app.apps.feed.queries import no_photo, no_post
from lambda_app.apps.feed.services.photos import UNPOSTED_LIFETIME
from lambda_app.apps.feed.services.shared_posts import forget_shared_post


@transaction.atomic
def publish_post(*, author: Member, photo_id: UUID, caption: str) -> tuple[UUID, bool]:
    """Return the id of the post with this photo, and whether it is new.  Safe to repeat: a photo has one post.

    Raise NotFoundError if the author has no such photo, ConflictError if the photo is not ready,
    too old, or posted with another caption.
    """
    # Locked, so that neither the sweep nor a second request takes the same photo.
    photo = Photo.objects.select_for_update(no_key=True).filter(id=photo_id, owner=author).first()
    if photo is None:
        raise no_photo(photo_id)
    if photo.is_posted:
        return _read_same_post(photo, caption), False
    _check_postable(photo)
    post = Post.objects.create(author=author, photo=photo, caption=caption)
    Photo.objects.filter(id=photo_id).update(is_posted=True)
    return post.id, True


@transaction.atomic
def delete_post(*, author: Member, post_id: UUID) -> None:
    """Delete the post and its likes; the photo goes with the next sweep.

    Raise NotFoundError unless `author` wrote it.
    """
    if not Photo.objects.filter(post=post_id, post__author=author).update(is_posted=False):
        raise no_post(post_id)
    Post.objects.filter(id=post_id).delete()
    transaction.on_commit(lambda: forget_shared_post(post_id))


def _read_same_post(photo: Photo, caption: str) -> UUID:
    post = Post.objects.get(photo=photo)
    if post.caption != caption:
        raise ConflictError(f"photo {photo.id} is in post {post.id} already, with another caption")
    return post.id


def _check_postable(photo: Photo) -> None:
    if photo.state != Photo.State.READY:
        raise ConflictError(f"photo {photo.id} is {photo.state}; only a photo that is ready can be posted")
    if photo.created_at < timezone.now() - UNPOSTED_LIFETIME:
        raise ConflictError(f"photo {photo.id} is older than a day and about to be deleted; upload it again")
