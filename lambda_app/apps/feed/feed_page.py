"""Which posts are on a page of a feed, at a cost that depends on neither how many there are nor who wrote them."""

from uuid import UUID

from django.db.models.expressions import RawSQL

from lambda_app.apps.feed.models import Member

NEWEST = UUID(int=2**128 - 1)
"""After every post."""

MANY = 500
"""Above this number of followed members, the newest 5,000 posts of all members nearly always contain a full page."""

WALK = 5_000
"""How many of these to look at."""

# A page of n posts is written by n authors at most: those with the newest posts.  So one look into the index for
# each followed member finds these, and a look at n posts of each of them the page.  A join would read all that they
# ever posted, or walk through the posts of all members until it has found enough of theirs.
OF_EACH = """
    SELECT post.id
    FROM (
        SELECT follow.followed_id, newest.id
        FROM feed_follow AS follow
        CROSS JOIN LATERAL (
            SELECT id FROM feed_post WHERE author_id = follow.followed_id AND id < %s ORDER BY id DESC LIMIT 1
        ) AS newest
        WHERE follow.follower_id = %s AND {condition}
        ORDER BY newest.id DESC LIMIT %s
    ) AS author
    CROSS JOIN LATERAL (
        SELECT id FROM feed_post WHERE author_id = author.followed_id AND id < %s ORDER BY id DESC LIMIT %s
    ) AS post
    ORDER BY post.id DESC LIMIT %s
"""

# Five thousand looks take ten times as long as a short walk.  Only if that does not fill the page, they are made.
# IS TRUE keeps the order of the walk, which so ends with the last post of the page; a join would have none.
OF_MANY = f"""
    WITH followed AS MATERIALIZED (
        SELECT followed_id FROM feed_follow WHERE follower_id = %s
    ), walked AS MATERIALIZED (
        SELECT id
        FROM (SELECT id, author_id FROM feed_post WHERE id < %s ORDER BY id DESC LIMIT {WALK}) AS recent
        WHERE (author_id IN (SELECT followed_id FROM followed)) IS TRUE
        ORDER BY id DESC LIMIT %s
    )
    SELECT id FROM walked UNION ({OF_EACH.format(condition="(SELECT count(*) FROM walked) < %s")})
"""  # noqa: S608 (constants)


def feed_page_ids(*, viewer: Member, before: UUID | None, count: int) -> RawSQL:
    """Return a subquery of the ids of the `count` newest posts before `before` by whom `viewer` follows."""
    start, member = before or NEWEST, viewer.id
    if viewer.following_count <= MANY:
        return RawSQL(OF_EACH.format(condition="true"), (start, member, count, start, count, count))  # noqa: S611
    values = (member, start, count, start, member, count, count, start, count, count)
    return RawSQL(OF_MANY, values)  # noqa: S611 (a constant, and values)
