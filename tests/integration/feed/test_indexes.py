"""Each index is there for a query, and each of these queries finds one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lambda_app.apps.feed.identifiers import new_id
from lambda_app.apps.feed.models import Follow, Like, Member, Photo, Post

pytestmark = pytest.mark.django_db

AGO = timezone.now() - timedelta(days=1)
ID = new_id()
FOLLOWED = Follow.objects.filter(follower=ID).values("followed")

QUERIES = {
    "member_subject_once": Member.objects.filter(subject="x"),
    "member_handle_once": Member.objects.filter(handle="x"),
    "feed_follow_pkey": Follow.objects.filter(follower=ID),
    "follow_followers_of_member": Follow.objects.filter(followed=ID),
    "post_of_author_newest_first": Post.objects.filter(author=ID, id__lt=ID).order_by("-id")[:21],
    "feed_post_photo_id_key": Post.objects.filter(photo=ID),
    "feed_like_pkey": Like.objects.filter(post=ID, member=ID, is_liked=True),
    "photo_pending_of_owner": Photo.objects.filter(
        owner=ID, state="pending", waiting_since__isnull=False, attempts__lt=3
    ).order_by("waiting_since")[:2],
    "photo_of_owner_newest_first": Photo.objects.filter(owner=ID).order_by("-created_at")[119:120],
    "photo_unposted_due_first": Photo.objects.filter(is_posted=False, check_after__lt=AGO).order_by("check_after"),
}


def explain(query):
    # With a handful of rows the planner prefers to read the table.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    return query.explain()


@pytest.mark.parametrize("index", QUERIES)
def test_the_query_uses_its_index_and_sorts_nothing(index):
    plan = explain(QUERIES[index])

    assert index in plan
    assert "Sort" not in plan


def test_the_feed_reads_no_table_from_end_to_end():
    plan = explain(Post.objects.filter(author__in=FOLLOWED, id__lt=ID).order_by("-id")[:21])

    assert "Seq Scan" not in plan


def test_no_index_is_without_a_query():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename LIKE 'feed_%'")
        indexes = {name for (name,) in cursor.fetchall()}

    by_id = {"feed_member_pkey", "feed_photo_pkey", "feed_post_pkey", "feed_view_pkey"}
    assert {name for name in indexes if not name.startswith("feed_view_")} == set(QUERIES) | by_id - {"feed_view_pkey"}
