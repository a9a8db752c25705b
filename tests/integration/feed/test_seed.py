"""`manage seed` fills an empty database, goes on where it was interrupted, and touches no other data."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from lambda_app.apps.feed import seeding
from lambda_app.apps.feed.models import Follow, Like, Member, Photo, Post, View
from lambda_app.apps.feed.population import Population
from lambda_app.apps.feed.seeding import seed
from tests.integration.feed.conftest import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(seeding, "CHUNK", 100)
    # Not within the transaction of a test.
    monkeypatch.setattr("lambda_app.apps.feed.management.commands.seed.tidy", lambda: None)


def ignore(*progress):
    pass


def counts():
    return [model.objects.count() for model in (Member, Follow, Photo, Post, Like, View)]


def test_every_counter_is_what_its_rows_add_up_to():
    seed(Population(300), on_progress=ignore)

    posts = Post.objects.annotate(rows=Count("likes"))
    members = Member.objects.annotate(
        theirs=Count("following__followed", distinct=True), ours=Count("followers__follower", distinct=True)
    )
    assert all(post.like_count == post.rows for post in posts)
    assert all((m.following_count, m.follower_count) == (m.theirs, m.ours) for m in members)
    assert sum(post.view_count for post in posts) == View.objects.count() > 0


def test_what_was_interrupted_goes_on():
    def interrupt(stage, done, total):
        if (stage, done) == ("posts", 200):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(Population(300), on_progress=interrupt)
    assert Post.objects.count() == 200
    seed(Population(300), on_progress=ignore)

    once = counts()
    seed(Population(300), on_progress=ignore)
    assert counts() == once
    assert once[3] == 300


def test_the_command_shows_how_far_it_is():
    out = StringIO()

    call_command("seed", "--posts", "1_000", stdout=out)

    assert "1,000 of 1,000" in out.getvalue()
    assert "seeded in" in out.getvalue()


def test_a_database_with_other_members_is_refused():
    make_member("ada")

    with pytest.raises(CommandError, match="hold 'subject-of-ada' already, not a seed of 300 posts"):
        call_command("seed", "--posts", "300", stdout=StringIO())


def test_a_seed_of_another_size_is_refused():
    seed(Population(300), on_progress=ignore)

    with pytest.raises(CommandError, match="not a seed of 400 posts"):
        call_command("seed", "--posts", "400", stdout=StringIO())
