"""A population is the same forever, and its counters are what its rows add up to."""

from collections import Counter
from uuid import UUID

import pytest

from lambda_app.apps.feed.population import CELEBRITY, FAN, MEMBER, POST, Population, id_of
from lambda_app.apps.feed.services.members import MAX_FOLLOWING


@pytest.fixture(params=[1, 100, 3_000])
def population(request):
    return Population(request.param)


def test_the_same_number_gives_the_same_id_forever():
    assert UUID(id_of(POST, 7)) == UUID("019b76da-d104-7ee5-8e52-1d7a0f4d3872")


def test_ids_are_uuids_of_version_7_in_the_order_of_their_numbers():
    ids = [UUID(id_of(POST, number)) for number in range(1_000)]

    assert {(item.version, item.variant) for item in ids} == {(7, "specified in RFC 4122")}
    assert ids == sorted(set(ids))


def test_every_counter_is_what_the_follows_add_up_to(population):
    pairs = [(member, followed) for member in range(population.members) for followed in population.followed_by(member)]
    following, followers = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)

    assert len(pairs) == len(set(pairs))
    assert all(member != followed for member, followed in pairs)
    assert [population.following_count(n) for n in range(population.members)] == [
        following[n] for n in range(population.members)
    ]
    assert [population.follower_count(n) for n in range(population.members)] == [
        followers[n] for n in range(population.members)
    ]


def test_every_author_exists_and_likes_are_of_different_members(population):
    for post in range(population.posts):
        likes = population.likes_of(post)
        assert 0 <= population.author_of(post) < population.members
        assert len(set(likes)) == len(likes)


def test_ten_million_posts_have_their_celebrity_and_their_fan():
    population = Population(10_000_000)

    assert population.follower_count(CELEBRITY) == 4_999_999
    assert population.following_count(FAN) == MAX_FOLLOWING


def test_members_have_other_ids_than_posts():
    assert id_of(MEMBER, 1) != id_of(POST, 1)
