"""Likes and views: what arrives through queues by the hundred, twice or late or out of order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from uuid import UUID

import msgspec
from django.db import connection, transaction

from lambda_app.apps.feed.models import Post
from lambda_app.apps.feed.payloads import LikeRequest, ViewReport

# What was there before is read from the snapshot of the same statement; the posts are locked already,
# so no other transaction changes it.
WRITE_LIKES = """
    WITH request AS (
        SELECT * FROM json_to_recordset(%s::json)
        AS request (post_id uuid, member_id uuid, is_liked boolean, requested_at timestamptz)
    ), before AS (
        SELECT post_id, member_id, stored.is_liked FROM feed_like AS stored JOIN request USING (post_id, member_id)
    ), written AS (
        INSERT INTO feed_like AS stored (post_id, member_id, is_liked, requested_at)
        SELECT request.post_id, request.member_id, request.is_liked, request.requested_at
        FROM request
        JOIN feed_post ON feed_post.id = request.post_id
        JOIN feed_member ON feed_member.id = request.member_id
        ON CONFLICT (post_id, member_id) DO UPDATE
        SET is_liked = excluded.is_liked, requested_at = excluded.requested_at
        WHERE stored.requested_at < excluded.requested_at
        RETURNING post_id, member_id, is_liked
    )
    SELECT post_id, written.is_liked::int - coalesce(before.is_liked, false)::int
    FROM written LEFT JOIN before USING (post_id, member_id)
"""
COUNT_LIKES = """
    UPDATE feed_post SET like_count = like_count + moved.change
    FROM unnest(%s::uuid[], %s::int[]) AS moved (post_id, change) WHERE id = moved.post_id AND change <> 0
"""

# Django's bulk_create does not tell which rows were new, and the counters need just those.
# The join drops events of posts that are gone.
INSERT_VIEWS = """
    INSERT INTO feed_view (id, post_id, member_id, duration_ms, viewed_at)
    SELECT event.id, post.id, event.member_id, event.duration_ms, event.viewed_at
    FROM json_to_recordset(%s::json)
    AS event (id uuid, post_id uuid, member_id uuid, duration_ms int, viewed_at timestamptz)
    JOIN feed_post AS post ON post.id = event.post_id
    ORDER BY event.id
    ON CONFLICT (viewed_at, id) DO NOTHING
    RETURNING post_id
"""
COUNT_VIEWS = """
    UPDATE feed_post SET view_count = view_count + new.count
    FROM unnest(%s::uuid[], %s::bigint[]) AS new (post_id, count) WHERE id = new.post_id
"""


@transaction.atomic
def record_likes(*, likes: Iterable[LikeRequest]) -> None:
    """Make each request the member's word on the post, unless a newer one was recorded.

    Safe to repeat, and in any order: the newest request wins, and the counter moves only with the
    word.  Without effect where the post or the member is gone.
    """
    newest: dict[tuple[UUID, UUID], LikeRequest] = {}
    for like in sorted(likes, key=attrgetter("requested_at")):
        newest[like.post_id, like.member_id] = like
    # The posts before their likes, always: a deletion takes the same locks in the same order.
    _lock_posts({like.post_id for like in newest.values()})
    with connection.cursor() as cursor:
        cursor.execute(WRITE_LIKES, [_to_json(list(newest.values()))])
        moved = Counter[UUID]()
        for post_id, change in cursor.fetchall():
            moved[post_id] += change
        cursor.execute(COUNT_LIKES, [list(moved.keys()), list(moved.values())])


@transaction.atomic
def record_views(*, reports: Iterable[ViewReport]) -> int:
    """Add the events and count them on their posts; return how many were new.

    Safe to repeat: an event that is there already, or whose post is gone, is neither added nor counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(INSERT_VIEWS, [_to_json([row for report in reports for row in _rows_of(report)])])
        new = Counter(post_id for (post_id,) in cursor.fetchall())
        present = _lock_posts(new)
        cursor.execute(COUNT_VIEWS, [present, [new[post_id] for post_id in present]])
    return new.total()


def _rows_of(report: ViewReport) -> Iterable[dict[str, object]]:
    for event_id, post_id, duration_ms in report.events:
        yield {
            "id": event_id,
            "post_id": post_id,
            "member_id": report.member_id,
            "duration_ms": duration_ms,
            "viewed_at": report.viewed_at,
        }


def _lock_posts(post_ids: Iterable[UUID]) -> list[UUID]:
    # In the order of their ids: two batches that share posts wait for each other instead of deadlocking.
    posts = Post.objects.select_for_update(no_key=True).filter(id__in=list(post_ids)).order_by("id")
    return list(posts.values_list("id", flat=True))


def _to_json(rows: Sequence[object]) -> str:
    return msgspec.json.encode(rows).decode()
