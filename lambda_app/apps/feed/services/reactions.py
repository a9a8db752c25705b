"""Likes and views: what arrives through queues, twice or late or out of order."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F

from lambda_app.apps.feed.models import Like, Member, Post

VIEWS_PER_STATEMENT = 125
POSTS_PER_STATEMENT = 250
"""Both keep a statement under the 16 KB past which RDS Proxy pins the session."""

type ViewEvent = tuple[UUID, UUID, int]
"""Id of the event, id of the post, milliseconds."""

# Django's bulk_create does not tell which rows were new, and the counters need just those.
# The join drops events of posts that are gone.
INSERT_VIEWS = """
    INSERT INTO feed_view (id, post_id, member_id, duration_ms, viewed_at)
    SELECT event.id, post.id, %s, event.duration_ms, %s
    FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS event (id, post_id, duration_ms)
    JOIN feed_post AS post ON post.id = event.post_id
    ON CONFLICT (id) DO NOTHING
    RETURNING post_id
"""


@transaction.atomic
def record_like(*, member_id: UUID, post_id: UUID, is_liked: bool, requested_at: datetime) -> None:
    """Make `is_liked` the member's word on the post, unless a newer one was recorded.

    Safe to repeat, and in any order: the newest request wins, and the counter moves only with the
    word.  Without effect if the post or the member is gone.
    """
    if not _lock_post(post_id, liked_by=member_id):
        return
    like = Like.objects.filter(post=post_id, member=member_id).first()
    if like is not None and like.requested_at >= requested_at:
        return
    was_liked = like is not None and like.is_liked
    _write_like(like or Like(post_id=post_id, member_id=member_id), is_liked=is_liked, requested_at=requested_at)
    if is_liked != was_liked:
        Post.objects.filter(id=post_id).update(like_count=F("like_count") + (1 if is_liked else -1))


@transaction.atomic
def record_views(*, member_id: UUID, viewed_at: datetime, events: Sequence[ViewEvent]) -> int:
    """Add the events and count them on their posts; return how many were new.

    Safe to repeat: an event that is there already, or whose post is gone, is neither added nor counted.
    """
    new = Counter[UUID]()
    for batch in batched(events, VIEWS_PER_STATEMENT, strict=False):
        new.update(_insert_views(member_id, viewed_at, batch))
    for post_ids in batched(sorted(new), POSTS_PER_STATEMENT, strict=False):
        _count_views({post_id: new[post_id] for post_id in post_ids})
    return new.total()


def _lock_post(post_id: UUID, *, liked_by: UUID) -> bool:
    # The post before its likes, always: whoever deletes it takes the same locks in the same order.
    member_exists = Exists(Member.objects.filter(id=liked_by))
    return bool(Post.objects.select_for_update(no_key=True).filter(member_exists, id=post_id).values_list("id"))


def _write_like(like: Like, *, is_liked: bool, requested_at: datetime) -> None:
    is_new = like.requested_at is None
    like.is_liked, like.requested_at = is_liked, requested_at
    # Said in advance, so that it is one statement: the lock on the post keeps everybody else away from its likes.
    like.save(force_insert=is_new, force_update=not is_new)


def _insert_views(member_id: UUID, viewed_at: datetime, events: Sequence[ViewEvent]) -> list[UUID]:
    ids, post_ids, durations = (list(column) for column in zip(*events, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(INSERT_VIEWS, [member_id, viewed_at, ids, post_ids, durations])
        return [post_id for (post_id,) in cursor.fetchall()]


def _count_views(counts: dict[UUID, int]) -> None:
    # Locked in the order of their ids: two batches that share posts wait for each other instead of deadlocking.
    posts = Post.objects.select_for_update(no_key=True).filter(id__in=list(counts)).order_by("id")
    present = list(posts.values_list("id", flat=True))
    for count in set(counts.values()):
        same = [post_id for post_id in present if counts[post_id] == count]
        Post.objects.filter(id__in=same).update(view_count=F("view_count") + count)
