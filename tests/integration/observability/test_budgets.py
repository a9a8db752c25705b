"""What a view asks of the database is held to its budget, from the ORM to the log."""

import json
import logging

import pytest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.tasks import TaskResultStatus, task
from django.test import Client
from django.urls import path

from lambda_app.apps.feed.models import Follow, Member, Post
from serverless_django.observability.budgets import BudgetExceededError
from serverless_django.observability.recordings import current_recording, observe_statement, recorded
from tests.integration.feed.conftest import make_member, make_post

pytestmark = pytest.mark.django_db

STORIES = {}


def tell(request, story):
    """Run the story of the test within a request."""
    STORIES[story](request)
    return HttpResponse("x" * 100)


def stream(request):
    return StreamingHttpResponse(["x"] * 1_000)


urlpatterns = [path("stream", stream), path("<str:story>", tell)]


@pytest.fixture(autouse=True)
def _no_recording_is_left():
    """End the recording of a task that an earlier test has cut: the next task of a worker would do it."""
    while left := current_recording():
        left.stop()


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = __name__
    settings.BUDGET_BREACHES = "refuse"
    settings.BUDGET_DEFAULT = {"queries": 20, "repeats": 2, "response_bytes": 500}
    yield
    STORIES.clear()


@pytest.fixture
def visit():
    """Return a caller of a story: `visit(lambda request: ...)`."""

    def visit(story, path="story"):
        STORIES["story"] = story
        return Client().get(f"/{path}")

    return visit


def ask(times):
    with connection.cursor() as cursor:
        for number in range(times):
            cursor.execute(f"SELECT '{'abcdefghijklmnopqrstuvwxyz'[number]}' AS letter_{number}")


def declare(request, **limits):
    request.budget = limits


def test_one_query_too_many_fails_with_its_line(visit):
    visit(lambda request: ask(20))

    with pytest.raises(BudgetExceededError, match=r"queries: 21, at most 20.*(?s:.*)test_budgets\.py:\d+ in ask"):
        visit(lambda request: ask(21))


def test_a_view_declares_its_own_budget(visit):
    with pytest.raises(BudgetExceededError, match="GET /<str:story> is over"):
        visit(lambda request: (declare(request, queries=1), ask(2)))


def test_a_foreign_key_read_row_by_row_is_told_from_other_repetitions(visit):
    for author in ("ada", "bob", "eve"):
        make_post(author)

    with pytest.raises(BudgetExceededError, match=r"N\+1: 'author' is read.*select_related\(\"author\"\)"):
        visit(lambda request: [post.author.handle for post in Post.objects.all()])


def test_select_related_is_within_the_budget(visit):
    for author in ("ada", "bob", "eve"):
        make_post(author)

    assert visit(lambda request: [p.author.handle for p in Post.objects.select_related("author")]).status_code == 200


def test_rows_of_rows_read_one_by_one_want_prefetch_related(visit):
    for author in ("ada", "bob", "eve"):
        make_post(author)

    with pytest.raises(BudgetExceededError, match=r"Member\.posts is read for each row: add prefetch_related"):
        visit(lambda request: [list(member.posts.all()) for member in Member.objects.all()])


def test_a_column_that_only_left_out_is_named(visit):
    for author in ("ada", "bob", "eve"):
        make_post(author)

    with pytest.raises(BudgetExceededError, match=r"handle was left out by only\(\)"):
        visit(lambda request: [member.handle for member in Member.objects.only("id")])


def test_a_reverse_one_to_one_read_row_by_row_wants_select_related(visit):
    photos = [make_post(author).photo for author in ("ada", "bob", "eve")]
    fresh = type(photos[0]).objects.all()

    with pytest.raises(BudgetExceededError, match=r"select_related\(\"post\"\)"):
        visit(lambda request: [photo.post.caption for photo in fresh])


def test_rows_inserted_one_by_one_want_bulk_create(visit):
    with pytest.raises(BudgetExceededError, match="bulk_create"):
        visit(lambda request: [make_member(name) for name in ("ada", "bob", "eve")])


def test_a_large_response_fails_and_a_stream_has_no_size(visit):
    assert visit(None, path="stream").status_code == 200

    with pytest.raises(BudgetExceededError, match="response_bytes: 100, at most 50; answer a page at a time"):
        visit(lambda request: declare(request, response_bytes=50))


def test_time_never_fails_a_test(visit):
    assert visit(lambda request: (declare(request, response_ms=0, sql_ms=0, slowest_query_ms=0), ask(1)))


def test_production_reports_a_metric_of_the_route_and_answers(visit, settings, caplog):
    settings.BUDGET_BREACHES = "report"

    response = visit(lambda request: (declare(request, queries=1), ask(2)))

    record = next(record for record in caplog.records if hasattr(record, "_aws"))
    declaration = record._aws["CloudWatchMetrics"][0]
    assert response.status_code == 200
    assert (record.route, record.BudgetBreaches, record.Queries) == ("GET /<str:story>", 1, 2)
    assert declaration["Dimensions"] == [["route"], []]
    assert {metric["Name"] for metric in declaration["Metrics"]} <= set(vars(record))
    json.dumps(record._aws)


@pytest.mark.parametrize("limit", ["response_ms", "sql_ms", "slowest_query_ms"])
def test_production_reports_time(visit, settings, caplog, limit):
    settings.BUDGET_BREACHES = "report"
    visit(lambda request: None)
    client = Client()
    STORIES["story"] = lambda request: (declare(request, **{limit: 0}), ask(1))
    client.get("/story")
    caplog.clear()

    client.get("/story")

    assert f"{limit}: " in caplog.text


def test_production_says_nothing_of_a_request_within_its_budget(visit, settings, caplog):
    settings.BUDGET_BREACHES = "report"

    visit(lambda request: ask(1))

    assert not caplog.records


def test_the_first_request_of_a_process_is_not_judged_by_its_time(visit, settings, caplog):
    settings.BUDGET_BREACHES = "report"

    visit(lambda request: declare(request, response_ms=0))

    assert not caplog.records


def test_nothing_is_recorded_where_budgets_are_ignored(visit, settings):
    settings.BUDGET_BREACHES = "ignore"
    seen = []

    visit(lambda request: seen.append(current_recording()))

    assert seen == [None]


def test_a_recording_ends_with_its_request(visit):
    visit(lambda request: ask(1))

    assert current_recording() is None


def test_a_recording_finds_its_own_lines():
    with recorded() as recording:
        Follow.objects.count()

    assert [statement.site.function for statement in recording.statements] == ["test_a_recording_finds_its_own_lines"]
    assert observe_statement in connection.execute_wrappers


@task
def thirst(queries):
    ask(queries)


thirst.func.budget = {"queries": 2}


@pytest.fixture
def immediately(settings):
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}


def test_a_task_is_held_to_the_budget_of_its_function(immediately):
    assert thirst.enqueue(2).status == TaskResultStatus.SUCCESSFUL

    with pytest.raises(BudgetExceededError, match=r"test_budgets\.thirst is over its budget"):
        thirst.enqueue(3)


def test_a_task_within_a_request_has_its_own_account(immediately, visit):
    story = lambda request: (declare(request, queries=1), thirst.enqueue(2), ask(1))  # noqa: E731

    assert visit(story).status_code == 200


def test_a_task_that_fails_is_not_judged_as_well(immediately, caplog):
    caplog.set_level(logging.CRITICAL)

    assert thirst.enqueue("many").status == TaskResultStatus.FAILED
    assert current_recording() is None
