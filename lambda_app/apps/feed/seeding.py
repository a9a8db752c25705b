"""A population → rows, by COPY, in chunks that are there whole or not at all: what was interrupted goes on."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import DatabaseError, connection, transaction

from lambda_app.apps.feed.models import Follow, Member, Post
from lambda_app.apps.feed.population import (
    CELEBRITY,
    MEMBER,
    PHOTO,
    POST,
    START_MS,
    STEP_MS,
    VIEW,
    Population,
    id_of,
    uuid_of,
)

CHUNK = 20_000
WIDTHS = (1080, 640, 320)

type Rows = Mapping[str, list[str]]
"""Lines of COPY's text format, by table and columns."""

MEMBERS = "feed_member (id, subject, handle, follower_count, following_count)"
FOLLOWS = "feed_follow (follower_id, followed_id)"
PHOTOS = "feed_photo (id, owner_id, content_type, state, width, height, renditions, is_posted, created_at)"
POSTS = "feed_post (id, author_id, photo_id, caption, like_count, view_count, created_at)"
LIKES = "feed_like (post_id, member_id, is_liked, requested_at)"
TABLES = "feed_member, feed_follow, feed_photo, feed_post, feed_like, feed_view"
VIEWS = "feed_view (id, post_id, member_id, duration_ms, viewed_at)"


class OtherDataError(RuntimeError):
    """The tables hold something else than what would be seeded."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows of one kind, that can be made from any number to any number."""

    name: str
    total: int
    rows: Callable[[int, int], Rows]
    has: Callable[[int], bool]
    """Whether the thing of this number is there, and with it all of its chunk."""


def stages_of(population: Population) -> list[Stage]:
    """Return what to fill, in the order in which keys refer to each other."""
    return [
        Stage("members", population.members, partial(_members, population), _has_member),
        Stage("follows", population.members, partial(_follows, population), partial(_has_follow, population)),
        Stage("posts", population.posts, partial(_posts, population), _has_post),
    ]


def seed(population: Population, *, on_progress: Callable[[str, int, int], None]) -> None:
    """Fill the tables, going on where an earlier run of the same population ended.

    Raise OtherDataError if there is another population, or members that were not seeded.
    """
    _check_same(population)
    _make_partitions(population)
    for stage in stages_of(population):
        on_progress(stage.name, 0, stage.total)
        for start in range(0, stage.total, CHUNK):
            stop = min(start + CHUNK, stage.total)
            if not stage.has(stop - 1):
                _copy(stage.rows(start, stop))
            on_progress(stage.name, stop, stage.total)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLES}")


def tidy() -> None:
    """Have the indexes answer alone, as they do where rows have been there for a while.  Not within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {TABLES}")


def _check_same(population: Population) -> None:
    first = Member.objects.order_by("id").first()
    if first is not None and first.subject != _subject(population, CELEBRITY):
        raise OtherDataError(
            f"the tables hold {first.subject!r} already, not a seed of {population.posts:,} posts; "
            "seed an empty database, or one that this number of posts was begun in"
        )


def _make_partitions(population: Population) -> None:
    weeks = population.posts * STEP_MS // 604_800_000 + 2
    with connection.cursor() as cursor:
        for week in range(weeks):
            cursor.execute("SELECT feed_make_view_partition(%s)", [_moment(0) + timedelta(weeks=week)])


@transaction.atomic
def _copy(rows: Rows) -> None:
    with connection.cursor() as cursor:
        # A key per row is looked up otherwise, and by construction each is there.
        with suppress(DatabaseError), transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
        for target, lines in rows.items():
            with cursor.copy(f"COPY {target} FROM STDIN") as copy:
                copy.write("".join(lines))


def _members(population: Population, start: int, stop: int) -> Rows:
    lines = [
        f"{id_of(MEMBER, number)}\t{_subject(population, number)}\tmember-{number:08}"
        f"\t{population.follower_count(number)}\t{population.following_count(number)}\n"
        for number in range(start, stop)
    ]
    return {MEMBERS: lines}


def _follows(population: Population, start: int, stop: int) -> Rows:
    lines = [
        f"{id_of(MEMBER, number)}\t{id_of(MEMBER, followed)}\n"
        for number in range(start, stop)
        for followed in population.followed_by(number)
    ]
    return {FOLLOWS: lines}


def _posts(population: Population, start: int, stop: int) -> Rows:
    rows: dict[str, list[str]] = {PHOTOS: [], POSTS: [], LIKES: [], VIEWS: []}
    for number in range(start, stop):
        moment = _moment(number).isoformat()
        post, photo, author = id_of(POST, number), id_of(PHOTO, number), id_of(MEMBER, population.author_of(number))
        likes, viewers = population.likes_of(number), population.viewers_of(number)
        rows[PHOTOS].append(f"{photo}\t{author}\timage/jpeg\tready\t4032\t3024\t{_renditions(photo)}\tt\t{moment}\n")
        rows[POSTS].append(f"{post}\t{author}\t{photo}\tPost {number}\t{len(likes)}\t{len(viewers)}\t{moment}\n")
        rows[LIKES] += [f"{post}\t{id_of(MEMBER, member)}\tt\t{moment}\n" for member in likes]
        rows[VIEWS] += [
            f"{id_of(VIEW, number)}\t{post}\t{id_of(MEMBER, member)}\t1500\t{moment}\n" for member in viewers
        ]
    return rows


def _renditions(photo: str) -> str:
    names = ((f"photos/{photo}/{width}.webp", width) for width in WIDTHS)
    return json.dumps([{"name": name, "width": width, "height": width * 3 // 4} for name, width in names])


def _subject(population: Population, number: int) -> str:
    return f"seed-{population.posts}-{number}"


def _moment(post: int) -> datetime:
    return datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(milliseconds=post * STEP_MS)


def _has_member(number: int) -> bool:
    return Member.objects.filter(id=uuid_of(MEMBER, number)).exists()


def _has_follow(population: Population, number: int) -> bool:
    followed = list(population.followed_by(number))
    follows = Follow.objects.filter(follower=uuid_of(MEMBER, number))
    return not followed or follows.filter(followed=uuid_of(MEMBER, followed[-1])).exists()


def _has_post(number: int) -> bool:
    return Post.objects.filter(id=uuid_of(POST, number)).exists()
