"""The page of a feed is what a plain join would answer, for a member who follows many, few, or one who posts much."""

from random import Random

import pytest

from lambda_app.apps.feed import feed_page
from lambda_app.apps.feed.models import Follow, Member, Post
from lambda_app.apps.feed.population import CELEBRITY, FAN, FIRST_READER, MEMBER, Population, uuid_of
from lambda_app.apps.feed.queries import read_feed
from lambda_app.apps.feed.schemas import PageQuery
from lambda_app.apps.feed.seeding import seed
from tests.integration.feed.conftest import make_member, make_post

pytestmark = pytest.mark.django_db

POPULATION = Population(1_200)


def pages(viewer, limit):
    cursor, shown = None, []
    while True:
        page = read_feed(viewer=viewer, page=PageQuery(cursor=cursor, limit=limit))
        shown += [post.id for post in page.posts]
        cursor = page.next_cursor
        if cursor is None:
            return shown


def by_a_plain_join(viewer):
    return list(Post.objects.filter(author__followers__follower=viewer).order_by("-id").values_list("id", flat=True))


@pytest.mark.parametrize("member", [FAN, FIRST_READER, POPULATION.members - 1, CELEBRITY])
def test_every_page_of_a_seeded_feed_is_what_a_plain_join_answers(member):
    seed(POPULATION, on_progress=lambda *progress: None)
    viewer = Member.objects.get(id=uuid_of(MEMBER, member))

    assert pages(viewer, limit=50) == by_a_plain_join(viewer)


@pytest.mark.parametrize("seed_", range(5))
def test_every_page_of_a_random_feed_is_what_a_plain_join_answers(seed_):
    random = Random(seed_)
    viewer, authors = make_member("viewer"), [f"author-{number}" for number in range(6)]
    for _ in range(30):
        make_post(random.choice(authors))
    for author in random.sample(authors, 3):
        Follow.objects.create(follower=viewer, followed=make_member(author))

    assert pages(viewer, limit=random.choice([1, 2, 7])) == by_a_plain_join(viewer)


@pytest.mark.parametrize("walk", [0, 3, 5_000])
@pytest.mark.daily(1)
def test_who_follows_many_gets_the_same_page_however_far_the_walk_goes(walk, monkeypatch):
    monkeypatch.setattr(feed_page, "MANY", 0)
    monkeypatch.setattr(feed_page, "OF_MANY", feed_page.OF_MANY.replace(f"LIMIT {feed_page.WALK}", f"LIMIT {walk}"))
    seed(POPULATION, on_progress=lambda *progress: None)
    viewer = Member.objects.get(id=uuid_of(MEMBER, FIRST_READER))

    assert pages(viewer, limit=7) == by_a_plain_join(viewer)
