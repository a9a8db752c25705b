"""No endpoint and no task reads a table, or an index, from end to end: each statement that it sends is explained.

The planner is told that every table is huge, and sequential scans and the joins that read both sides whole are switched
off: it uses one where nothing else can answer, and only there.  What it falls back to then, walking through a whole
index, is told from a look into it.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.tasks import Task
from django.utils import timezone

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.api import api
from lambda_app.apps.feed.identifiers import new_id
from lambda_app.apps.feed.models import Photo, Post
from serverless_django.observability.plans import (
    is_explainable,
    read_partial_indexes,
    read_plan,
    rows_read,
    whole_scans,
)
from serverless_django.observability.recordings import recorded
from tests.integration.feed.conftest import make_photo
from tests.integration.feed.every_endpoint import A_POST, REQUESTS, reader

pytestmark = pytest.mark.django_db

MOST_ROWS_READ = 1_500
"""What a page of who follows 101 members may touch: 101 newest posts, 21 of each of 21 authors, 21 whole rows."""

TASKS = {
    "record_likes": lambda: {
        "likes": [
            {"post_id": str(A_POST), "member_id": str(new_id()), "is_liked": True, "requested_at": NOW.isoformat()}
        ]
    },
    "record_views": lambda: {
        "reports": [
            {"member_id": str(new_id()), "viewed_at": NOW.isoformat(), "events": [[str(new_id()), str(A_POST), 1]]}
        ]
    },
    "render_photo": lambda: {"bucket": "uploads", "key": f"photos/{new_id()}/{new_id()}"},
    "receive_uploads": lambda: {
        "uploads": [{"bucket": "uploads", "key": f"photos/{reader().id}/{pending_photo().id}"}]
    },
    "delete_renditions": lambda: {"photo_id": str(new_id())},
    "expire_abandoned_photos": dict,
    "maintain_view_partitions": dict,
}
NOW = timezone.now()


def pending_photo():
    return Photo.objects.get(state="pending")


def switch(state):
    with connection.cursor() as cursor:
        # Bitmaps too: rows that were just written look dearer in an index than they will be after the first VACUUM.
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{way} = {state}")


def make_tables_huge():
    """Let each page count for a million rows: of a few rows, any index costs the same as the right one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET relpages = 1, reltuples = 1000000"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )


def faults_of(recording):
    """Explain every statement as if there were nothing but indexes; return what reads a whole relation."""
    faults, partial = [], read_partial_indexes(connection)
    make_tables_huge()
    switch("off")
    for statement in recording.statements:
        if is_explainable(statement.sql):
            faults += whole_scans(read_plan(connection, statement.sql, statement.params), partial=partial)
    switch("on")
    return [str(fault) for fault in faults]


def test_every_endpoint_has_its_request_here():
    operations = {
        f"{method.upper()} {path}" for path, methods in api.get_openapi_schema()["paths"].items() for method in methods
    }

    assert set(REQUESTS) == operations


def test_every_task_has_its_call_here():
    assert set(TASKS) == {name for name, value in vars(tasks).items() if isinstance(value, Task)}


@pytest.mark.parametrize("route", REQUESTS)
def test_an_endpoint_reads_no_relation_from_end_to_end(route, client_of_reader, queue):
    with recorded(route) as recording:
        # What the request needs is made within: it is explained as well, and no worse for that.
        response = REQUESTS[route](client_of_reader)

    assert response.status_code < 300, response.content
    assert recording.statements
    assert faults_of(recording) == []


@pytest.mark.parametrize("name", TASKS)
def test_a_task_reads_no_relation_from_end_to_end(name, client_of_reader, settings):
    settings.BUDGET_BREACHES = "ignore"
    make_photo(reader(), state=Photo.State.PENDING)
    Photo.objects.filter(state="pending").update(
        created_at=NOW - timedelta(minutes=20), check_after=NOW - timedelta(minutes=10)
    )

    with recorded(name) as recording:
        getattr(tasks, name).call(**TASKS[name]())

    allowed = ["feed_view_other", "function"] if name == "maintain_view_partitions" else []
    # It asks the storage only.
    assert recording.statements or name == "delete_renditions"
    assert [fault for fault in faults_of(recording) if not fault.startswith(tuple(allowed))] == []


def test_a_page_of_the_feed_looks_at_few_rows_however_many_there_are(client_of_reader):
    with recorded() as recording:
        client_of_reader.get("/v1/feed")
    switch("off")

    looked_at = [rows_read(read_plan(connection, s.sql, s.params, analyze=True)) for s in recording.statements]
    assert sum(looked_at) < MOST_ROWS_READ


@pytest.mark.parametrize(
    "query",
    [
        Post.objects.filter(caption="x"),
        Post.objects.filter(like_count__gt=5).order_by("-id")[:21],
        Photo.objects.filter(content_type="image/png").order_by("id"),
    ],
    ids=["a column without an index", "a walk through the newest", "a walk through all in order"],
)
def test_the_explanation_sees_a_query_that_no_index_serves(query, client_of_reader):
    with recorded() as recording:
        list(query)

    assert len(faults_of(recording)) == 1


def test_the_explanation_sees_nothing_in_a_look_by_key(client_of_reader):
    with recorded() as recording:
        list(Post.objects.filter(id=A_POST))

    assert faults_of(recording) == []
