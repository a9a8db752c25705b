"""Views lie in weekly partitions that are there in time and go in time, without a right on tables."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from lambda_app.apps.feed.identifiers import new_id
from lambda_app.apps.feed.models import View
from lambda_app.apps.feed.services.partitions import maintain_view_partitions

pytestmark = pytest.mark.django_db


def execute(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def partitions():
    rows = execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'feed_view'::regclass"
    )
    return {name for (name,) in rows}


def partition_of(moment):
    return f"feed_view_{moment:%Gw%V}"


def add_view(moment):
    return View.objects.create(id=new_id(), viewed_at=moment, duration_ms=1, post_id=new_id(), member_id=new_id())


def home_of(view):
    (row,) = execute("SELECT tableoid::regclass::text FROM feed_view WHERE id = %s", view.id)
    return row[0]


def test_this_week_and_the_next_four_have_their_partitions():
    maintain_view_partitions()

    weeks = [partition_of(timezone.now() + timedelta(weeks=week)) for week in range(5)]
    assert {*weeks, "feed_view_other"} <= partitions()


def test_a_view_lies_in_the_partition_of_its_week():
    maintain_view_partitions()

    assert home_of(add_view(timezone.now())) == partition_of(timezone.now())


def test_to_repeat_the_maintenance_changes_nothing():
    maintain_view_partitions()

    assert maintain_view_partitions() == []


def test_a_view_of_a_week_without_a_partition_is_kept_and_moves_in_when_there_is_one():
    moment = timezone.now() + timedelta(weeks=20)
    view = add_view(moment)
    before = home_of(view)

    execute("SELECT feed_make_view_partition(%s)", moment)

    assert (before, home_of(view)) == ("feed_view_other", partition_of(moment))


def test_weeks_that_no_query_reads_any_more_are_dropped_and_younger_ones_stay():
    now = timezone.now()
    old, young = now - timedelta(weeks=15), now - timedelta(weeks=12)
    for moment in (old, young):
        execute("SELECT feed_make_view_partition(%s)", moment)
        add_view(moment)

    changed = maintain_view_partitions()

    assert changed == [partition_of(old)]
    assert partition_of(young) in partitions()
    assert View.objects.count() == 1


def test_an_old_view_that_came_late_goes_with_the_next_maintenance():
    add_view(datetime(2020, 1, 1, tzinfo=UTC))

    maintain_view_partitions()

    assert not View.objects.exists()


def test_the_week_of_the_new_year_is_one_partition():
    execute("SELECT feed_make_view_partition('2026-12-31T23:00Z')")

    assert home_of(add_view(datetime(2027, 1, 3, 23, 59, tzinfo=UTC))) == "feed_view_2026w53"
    assert home_of(add_view(datetime(2027, 1, 4, tzinfo=UTC))) == "feed_view_other"


def test_the_role_of_the_application_maintains_partitions_and_drops_none_itself():
    execute("CREATE ROLE no_rights")
    execute("SELECT feed_make_view_partition(%s)", timezone.now() - timedelta(weeks=15))
    execute("SET LOCAL ROLE no_rights")

    assert maintain_view_partitions() == [partition_of(timezone.now() - timedelta(weeks=15))]
    with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
        execute("DROP TABLE feed_view_other")


def test_the_schedule_of_the_topology_maintains_them():
    from lambda_app.apps.feed import tasks
    from lambda_app.topology import TOPOLOGY

    assert f"{tasks.__name__}.maintain_view_partitions" in [schedule.task for schedule in TOPOLOGY.schedules]
    tasks.maintain_view_partitions.call()


@pytest.mark.django_db(transaction=True)
def test_the_migration_goes_there_and_back_with_its_rows():
    from django.core.management import call_command

    add_view(timezone.now())

    call_command("migrate", "feed", "0001", verbosity=0)
    whole = execute("SELECT count(*) FROM feed_view")
    call_command("migrate", "feed", verbosity=0)

    assert (whole, View.objects.count()) == ([(1,)], 1)
