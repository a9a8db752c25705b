"""On real PostgreSQL: nothing that Django sends pins, and what would is refused with the line that sent it."""

from uuid import uuid4

import psycopg
import pytest
from django.db import connection, models, transaction
from django.db.models import Count, F, Value
from django.db.models.functions import Concat
from django.test import Client
from django.urls import path
from django.utils import timezone

from lambda_app.apps.feed.models import Follow, Member, Photo, Post, View
from serverless_django.postgresql.cursors import BoundedCursor
from serverless_django.postgresql.pins import MAX_STATEMENT_BYTES, PinningStatementError, allow_pin

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """Return the texts that were sent to the server, as they were."""
    texts = []
    send = BoundedCursor._execute_send

    def record(cursor, query, **options):
        texts.append(query.query)
        send(cursor, query, **options)

    monkeypatch.setattr(BoundedCursor, "_execute_send", record)
    return texts


@pytest.fixture
def member():
    return Member.objects.create(subject="s", handle="ada")


def members(count):
    return [Member(id=uuid4(), subject=f"subject {number}", handle=f"member{number}") for number in range(count)]


def bad_view(request):
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = elsewhere")  # the line that the guard names


urlpatterns = [path("bad", bad_view)]


@pytest.mark.urls(__name__)
def test_a_bad_statement_in_a_view_fails_its_test_with_file_and_line():
    line = bad_view.__code__.co_firstlineno + 2

    with pytest.raises(PinningStatementError, match=f"test_pinning.py:{line}; .*ALTER ROLE"):
        Client().get("/bad")


def test_five_thousand_rows_are_created_without_a_long_statement(sent):
    Member.objects.bulk_create(members(5_000))

    assert Member.objects.count() == 5_000
    assert max(map(len, sent)) < 1_000


def test_rows_that_return_their_database_defaults_are_created_too(sent, member):
    events = [View(id=uuid4(), member=member, post=make_post(member), duration_ms=1, viewed_at=timezone.now())]

    View.objects.bulk_create(events, ignore_conflicts=True)

    assert View.objects.get().duration_ms == 1


def test_a_long_document_is_saved_without_a_long_statement(sent, member):
    document = [{"name": "Ünïcode 'quoted' \\ %s \" \n", "width": number} for number in range(1_000)]

    photo = Photo.objects.create(owner=member, content_type="image/jpeg", renditions=document)

    assert Photo.objects.get(pk=photo.pk).renditions == document
    assert max(map(len, sent)) < 2_000


def test_a_long_text_arrives_as_it_was_sent():
    text = "Ünïcode 'quoted' \\ %s " * 2_000

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, length(%s)", [text, text])
        assert cursor.fetchone() == (text, len(text))


def test_two_thousand_ids_are_looked_up_without_a_long_statement(sent):
    created = Member.objects.bulk_create(members(2_000))
    sent.clear()

    found = Member.objects.filter(id__in=[row.id for row in created], is_active=True).count()

    assert found == 2_000
    assert len(sent[0]) <= MAX_STATEMENT_BYTES


def test_ids_beyond_what_even_their_placeholders_allow_travel_as_one_array(sent):
    created = Member.objects.bulk_create(members(4_000))
    sent.clear()

    assert Member.objects.filter(id__in=[row.id for row in created]).count() == 4_000
    assert Member.objects.exclude(id__in=[row.id for row in created]).count() == 0
    assert max(map(len, sent)) < 1_000


def test_a_text_that_is_too_long_without_its_values_is_refused():
    marks = ", ".join(["%s"] * 4_000)

    with (
        pytest.raises(PinningStatementError, match=r"statement over 16 KB .*= ANY\(%s\)"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT cardinality(ARRAY[{marks}])", [uuid4() for _ in range(4_000)])


def test_more_parameters_than_a_message_can_carry_are_bound_on_the_client():
    marks = ", ".join(["%s"] * 70_000)

    with allow_pin("to see what is sent"), connection.cursor() as cursor:
        cursor.execute(f"SELECT cardinality(ARRAY[{marks}])", list(range(70_000)))
        assert cursor.fetchone() == (70_000,)


def test_many_rows_are_updated_in_one_statement(sent):
    created = Member.objects.bulk_create(members(250))
    for row in created:
        row.handle = f"{row.handle}_{'x' * 20}"
    sent.clear()

    assert Member.objects.bulk_update(created, ["handle"]) == 250
    assert Member.objects.filter(handle__endswith="_" + "x" * 20).count() == 250
    assert max(map(len, sent)) <= MAX_STATEMENT_BYTES


def test_a_long_text_that_the_server_must_compare_with_itself_stays_in_the_statement(member):
    label = Concat("handle", Value("x" * MAX_STATEMENT_BYTES), output_field=models.TextField())

    with allow_pin("$1 is not $2, whatever their values"):
        rows = list(Member.objects.annotate(label=label).values("label").annotate(count=Count("id")))

    assert rows[0]["count"] == 1


def test_ids_leave_a_statement_that_groups_its_rows(sent):
    created = Member.objects.bulk_create(members(600))
    sent.clear()

    rows = Member.objects.filter(id__in=[row.id for row in created]).values("is_active").annotate(count=Count("id"))

    assert [row["count"] for row in rows] == [600]
    assert len(sent[0]) <= MAX_STATEMENT_BYTES


def test_the_views_of_a_whole_batch_are_recorded_without_a_long_statement(sent, member):
    post, now = make_post(member), timezone.now()
    views = [View(id=uuid4(), post=post, member=member, duration_ms=1, viewed_at=now) for _ in range(500)]

    View.objects.bulk_create(views, ignore_conflicts=True)

    assert View.objects.count() == 500
    assert max(map(len, sent)) <= MAX_STATEMENT_BYTES


def test_many_rows_of_a_statement_are_each_kept_within_the_limit(sent):
    rows = [("a",), ("x" * MAX_STATEMENT_BYTES,), ("b",)]

    with connection.cursor() as cursor:
        cursor.executemany("SELECT length(%s)", rows)

    assert sent == [b"SELECT length('a')", b"SELECT length($1)", b"SELECT length('b')"]


def test_many_rows_of_a_statement_are_each_held_to_the_limit():
    marks = ", ".join(["%s"] * 4_000)

    with pytest.raises(PinningStatementError), connection.cursor() as cursor:
        cursor.executemany(f"SELECT cardinality(ARRAY[{marks}])", [range(1_000_000, 1_004_000)])


def test_a_long_statement_leaves_no_prepared_statement_behind():
    Member.objects.bulk_create(members(1_000))

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone() == (0,)


def test_everything_that_django_does_every_day_pins_nothing(member):
    with transaction.atomic():
        post = make_post(member)
        with transaction.atomic():
            Post.objects.select_for_update().filter(pk=post.pk).update(like_count=F("like_count") + 1)
    Member.objects.get_or_create(subject="t", defaults={"handle": "bob"})
    Member.objects.update_or_create(subject="t", defaults={"handle": "bobby"})
    Follow.objects.create(follower=member, followed=Member.objects.get(subject="t"))
    list(Post.objects.select_related("author", "photo").iterator(chunk_size=10))
    list(Member.objects.prefetch_related("posts").values_list("handle").union(Member.objects.values_list("subject")))

    assert Post.objects.filter(pk=post.pk).delete()[0] >= 1


def test_a_failing_long_statement_is_django_s_error_with_the_server_s_words(member):
    with pytest.raises(Exception, match="duplicate key") as caught, transaction.atomic():
        Member.objects.bulk_create([Member(id=member.id, subject="x" * 100, handle="y" * 10), *members(1_000)])

    assert isinstance(caught.value.__cause__, psycopg.errors.UniqueViolation)


def make_post(member, caption=""):
    photo = Photo.objects.create(owner=member, content_type="image/jpeg")
    return Post.objects.create(author=member, photo=photo, caption=caption)
