# ruff: noqa: F811 - fixtures of the app's tests
"""One account that reports views as fast as it may, to fill the database."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from lambda_app.apps.feed.models import Post, View
from lambda_app.apps.feed.routes import posts as routes
from serverless_django.postgresql.cursors import run_statement
from tests.integration.feed.conftest import (  # noqa: F401
    _platform,
    ada,
    bob,
    client_of,
    make_post,
    queue,
)

pytestmark = pytest.mark.django_db

FULL = 500
"""Views that one request may report."""


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 11, 23, 12, 30, tzinfo=UTC))


def report(client, *post_ids):
    views = [{"post_id": str(post_id)} for post_id in post_ids]
    return client.post("/v1/views", {"views": views}, content_type="application/json")


def report_strangers(client, number=FULL):
    return report(client, *[uuid4() for _ in range(number)])


def let_pass(time):
    run_statement("UPDATE serverless_throttle SET full_at = full_at - %s", [time])


def test_views_of_one_post_reported_again_and_again_make_no_second_row(ada, queue):
    post = make_post("bob")
    for _ in range(20):
        report(ada, *[post.id] * FULL)

    queue.run(times=2)

    post.refresh_from_db()
    assert (View.objects.count(), post.view_count) == (1, 1)


def test_a_minute_takes_no_more_views_than_its_limit_however_they_are_sent(ada, queue):
    answers = [report_strangers(ada) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [202, 202, 429, 429, 429]
    assert len(queue.calls) == 2
    assert answers[-1]["Retry-After"] == "30"
    assert "1,000 views a minute and 10,000 a day" in answers[-1].json()["detail"]


def test_smaller_requests_take_from_the_same_minute(ada):
    report_strangers(ada)
    report_strangers(ada, number=300)

    # A view comes back every 60 ms, also while this runs.
    assert report_strangers(ada, number=400).status_code == 429


def test_a_day_takes_no_more_views_than_its_limit_however_patient_the_account(ada, queue):
    taken = 0
    for _ in range(60):
        taken += report_strangers(ada).status_code == 202
        let_pass(timedelta(minutes=1))

    # The day's, and what of it came back within the hour.
    most = routes.MAX_VIEWS[routes.DAY] * (1 + 1 / 24)
    assert routes.MAX_VIEWS[routes.DAY] <= taken * FULL <= most


@pytest.mark.nightly
def test_what_the_minute_refuses_is_not_taken_from_the_day(ada):
    for _ in range(200):
        report_strangers(ada)
    let_pass(timedelta(minutes=1))

    assert report_strangers(ada).status_code == 202


def test_an_account_that_reports_too_much_holds_up_no_other(ada, bob):
    for _ in range(3):
        report_strangers(ada)

    assert report_strangers(bob).status_code == 202


def test_no_view_is_counted_of_a_request_that_is_refused(ada, queue):
    post = make_post("bob")
    for _ in range(2):
        report_strangers(ada)

    refused = report(ada, post.id, *[uuid4() for _ in range(FULL - 1)])
    queue.run()

    assert (refused.status_code, Post.objects.get().view_count) == (429, 0)


def test_a_counter_of_the_cache_is_charged_by_items_as_well(ada, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.THROTTLE_STORE = "cache"

    # A new minute may begin in between.
    assert 429 in [report_strangers(ada).status_code for _ in range(6)]
