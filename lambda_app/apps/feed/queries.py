"""Every read of the API, each in one query, as the schemas that it answers."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from lambda_app.apps.feed.errors import NotFoundError
from lambda_app.apps.feed.feed_page import feed_page_ids
from lambda_app.apps.feed.models import Follow, Like, Member, Photo, Post
from lambda_app.apps.feed.schemas import (
    AuthorOut,
    MemberOut,
    PageQuery,
    PhotoOut,
    PostOut,
    PostPage,
    SharedPostOut,
    photo_out,
    renditions_out,
)
from serverless_django.pagination import read_page

POST_COLUMNS = (
    "id",
    "author_id",
    "author__handle",
    "caption",
    "photo_id",
    "photo__width",
    "photo__height",
    "photo__placeholder",
    "photo__renditions",
    "like_count",
    "view_count",
    "created_at",
)


def read_feed(*, viewer: Member, page: PageQuery) -> PostPage:
    ids = feed_page_ids(viewer=viewer, before=page.before, count=page.limit + 1)
    return _read_page(Post.objects.filter(id__in=ids), viewer=viewer, page=page)


def read_posts_of(*, handle: str, viewer: Member, page: PageQuery) -> PostPage:
    """Raise NotFoundError if no member has `handle`."""
    author_id = _find_member(handle).values_list("id", flat=True).first()
    if author_id is None:
        raise _no_member(handle)
    return read_posts_by(author_id=author_id, viewer=viewer, page=page)


def read_posts_by(*, author_id: UUID, viewer: Member, page: PageQuery) -> PostPage:
    return _read_page(Post.objects.filter(author=author_id), viewer=viewer, page=page)


def read_post(*, post_id: UUID, viewer: Member) -> PostOut:
    """Raise NotFoundError if there is no such post."""
    row = _rows(Post.objects.filter(id=post_id), viewer=viewer).first()
    if row is None:
        raise no_post(post_id)
    return _post_out(row)


def read_shared_post(post_id: UUID) -> SharedPostOut:
    """Raise NotFoundError if there is no such post."""
    row = Post.objects.filter(id=post_id).values(*POST_COLUMNS).first()
    if row is None:
        raise no_post(post_id)
    return SharedPostOut(**_shared_fields(row))


def read_member(*, handle: str, viewer: Member) -> MemberOut:
    """Raise NotFoundError if no member has `handle`."""
    followed = Exists(Follow.objects.filter(follower=viewer, followed=OuterRef("id")))
    member = _find_member(handle).annotate(followed=followed).first()
    if member is None:
        raise _no_member(handle)
    return MemberOut.model_validate(member, from_attributes=True)


def read_photo(*, photo_id: UUID, viewer: Member) -> PhotoOut:
    """Raise NotFoundError unless `viewer` owns the photo or a post shows it."""
    photo = Photo.objects.filter(Q(owner=viewer) | Q(is_posted=True), id=photo_id).first()
    if photo is None:
        raise no_photo(photo_id)
    return photo_out(photo)


def check_post_exists(post_id: UUID) -> None:
    """Raise NotFoundError if there is no such post."""
    if not Post.objects.filter(id=post_id).exists():
        raise no_post(post_id)


def no_post(post_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no post {post_id}")


def no_photo(photo_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no photo {photo_id} that you may see")


def _no_member(handle: str) -> NotFoundError:
    return NotFoundError(f"there is no member {handle!r}")


def _find_member(handle: str) -> QuerySet[Member]:
    return Member.objects.filter(handle=handle, is_active=True)


def _read_page(posts: QuerySet[Post], *, viewer: Member, page: PageQuery) -> PostPage:
    found = read_page(_rows(posts, viewer=viewer), cursor=page.cursor, limit=page.limit)
    return PostPage(posts=[_post_out(row) for row in found.rows], next_cursor=found.next_cursor)


def _rows(posts: QuerySet[Post], *, viewer: Member) -> QuerySet[Post, dict[str, Any]]:
    liked = Exists(Like.objects.filter(post=OuterRef("id"), member=viewer, is_liked=True))
    rows: QuerySet[Post, dict[str, Any]] = posts.annotate(liked=liked).values(*POST_COLUMNS, "liked")
    return rows


def _post_out(row: dict[str, Any]) -> PostOut:
    return PostOut(**_shared_fields(row), liked=row["liked"])


def _shared_fields(row: dict[str, Any]) -> dict[str, Any]:
    photo = PhotoOut(
        id=row["photo_id"],
        state=Photo.State.READY,
        reason=None,
        width=row["photo__width"],
        height=row["photo__height"],
        placeholder=row["photo__placeholder"] or None,
        renditions=renditions_out(row["photo__renditions"]),
    )
    return {
        "id": row["id"],
        "author": AuthorOut(id=row["author_id"], handle=row["author__handle"]),
        "caption": row["caption"],
        "photo": photo,
        "like_count": row["like_count"],
        "view_count": row["view_count"],
        "created_at": row["created_at"],
    }
