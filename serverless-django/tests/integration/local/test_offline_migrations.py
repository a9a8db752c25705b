"""What is linted without a server is what Django writes with one, but for the names that PostgreSQL has made up."""

import re

import pytest
from django.contrib.postgres import operations as postgres
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, HStoreField, IntegerRangeField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import TrigramExtension
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint, Value
from django.db.models.functions import Lower, Now

from serverless_django.local.migrations import SERVER_VERSION, UnwritableMigrationError, sql_of
from serverless_django.local.offline import offline

pytestmark = pytest.mark.django_db

SHELF = migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True)), ("title", models.TextField())])
BOOK = migrations.CreateModel(
    "Book",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("code", models.CharField(max_length=20, unique=True)),
        ("title", models.CharField(max_length=20, db_index=True)),
        ("pages", models.PositiveIntegerField(default=0)),
        ("shelf", models.ForeignKey("bookshop.Shelf", models.CASCADE)),
        ("other", models.ForeignKey("bookshop.Shelf", models.CASCADE, db_constraint=False, related_name="+")),
        ("shelves", models.ManyToManyField("bookshop.Shelf", related_name="+")),
        ("during", IntegerRangeField(null=True)),
    ],
    {
        "unique_together": {("title", "pages")},
        "indexes": [Index(fields=["pages", "title"], name="by_pages")],
        "constraints": [
            UniqueConstraint(fields=["shelf", "title"], name="one_title_on_a_shelf"),
            CheckConstraint(condition=Q(pages__lt=9_000), name="few_pages"),
        ],
    },
)
AGE = migrations.CreateModel("Age", [("code", models.SmallAutoField(primary_key=True)), ("name", models.TextField())])


def altered(name: str, field: models.Field, model: str = "Book") -> migrations.AlterField:
    return migrations.AlterField(model, name, field)


def added(field: models.Field) -> migrations.AddField:
    return migrations.AddField("Book", "added", field)


class AsksForRows(migrations.RunSQL):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM bookshop_book")
            schema_editor.execute(f"SELECT {cursor.fetchone()[0]}")


def read_rows(apps, schema_editor):
    apps.get_model("bookshop", "Shelf").objects.get()


class AtomicSQL(migrations.RunSQL):
    atomic = True


OPERATIONS = {
    "an extension": TrigramExtension(),
    "the extension of a type": postgres.HStoreExtension(),
    "a collation": postgres.CreateCollation("german", "de-x-icu", provider="icu", deterministic=False),
    "a removed unique": altered("code", models.CharField(max_length=20)),
    "an added unique": altered("title", models.CharField(max_length=20, unique=True)),
    "a unique field that is an index instead": altered("code", models.CharField(max_length=20, db_index=True)),
    "a removed unique_together": migrations.AlterUniqueTogether("book", set()),
    "another unique_together": migrations.AlterUniqueTogether("book", {("title", "shelf")}),
    "a removed constraint": migrations.RemoveConstraint("Book", "one_title_on_a_shelf"),
    "a removed check": migrations.RemoveConstraint("Book", "few_pages"),
    "an exclusion": migrations.AddConstraint("Book", ExclusionConstraint(name="apart", expressions=[("during", "&&")])),
    "a check": migrations.AddConstraint("Book", CheckConstraint(condition=Q(title__gt="it's 100%"), name="late")),
    "a check that is not valid": postgres.AddConstraintNotValid(
        "Book", CheckConstraint(condition=Q(pages__gte=1), name="some_pages")
    ),
    "a validated check": postgres.ValidateConstraint("Book", "few_pages"),
    "an index with a condition": migrations.AddIndex(
        "Book", Index(Lower("title"), condition=Q(code__in=["it's", "100%"]), name="some")
    ),
    "an index of a type": migrations.AddIndex("Book", GinIndex(fields=["title"], opclasses=["gin_trgm_ops"], name="t")),
    "a removed index of a field": altered("title", models.CharField(max_length=20)),
    "an indexed text of another type": altered("title", models.IntegerField(db_index=True)),
    "a renamed index": migrations.RenameIndex("Book", "by_more_pages", old_name="by_pages"),
    "a removed index": migrations.RemoveIndex("Book", "by_pages"),
    "a number without its check": altered("pages", models.IntegerField(default=0)),
    "a number of another size": altered("pages", models.PositiveBigIntegerField(default=0)),
    "a foreign key without constraint": altered(
        "shelf", models.ForeignKey("bookshop.Shelf", models.CASCADE, db_constraint=False)
    ),
    "a foreign key that gets its constraint": altered(
        "other", models.ForeignKey("bookshop.Shelf", models.CASCADE, related_name="+")
    ),
    "a foreign key to another table": altered("shelf", models.ForeignKey("bookshop.Age", models.CASCADE)),
    "a foreign key that is unique": altered("shelf", models.OneToOneField("bookshop.Shelf", models.CASCADE)),
    "a removed foreign key": migrations.RemoveField("Book", "shelf"),
    "a removed foreign key without constraint": migrations.RemoveField("Book", "other"),
    "removed links": migrations.RemoveField("Book", "shelves"),
    "another primary key": altered("id", models.UUIDField(primary_key=True)),
    "a primary key that others refer to": altered("id", models.AutoField(primary_key=True), "Shelf"),
    "a key that is not automatic": altered("code", models.IntegerField(primary_key=True), "Age"),
    "a renamed unique field": migrations.RenameField("Book", "code", "number"),
    "a renamed foreign key": migrations.RenameField("Book", "shelf", "place"),
    "a renamed model": migrations.RenameModel("Shelf", "Board"),
    "a renamed table": migrations.AlterModelTable("Book", "old_books"),
    "a removed model": migrations.DeleteModel("Book"),
    "a default of the database": added(models.DateTimeField(db_default=Now())),
    "a default with a quote": added(models.TextField(default="it's 100% \\ ")),
    "a default document": added(models.JSONField(default=dict)),
    "a default list": added(ArrayField(models.TextField(), default=list)),
    "pairs": added(HStoreField(null=True)),
    "a generated field": added(
        models.GeneratedField(expression=F("pages") * Value(2), output_field=models.IntegerField(), db_persist=True)
    ),
    "a field that may no longer be null": altered("during", IntegerRangeField(default=(1, 2))),
    "a comment": migrations.AlterModelTableComment("Book", "it's read"),
    "SQL": migrations.RunSQL([("UPDATE bookshop_book SET title = %s", ["it's 100%"]), "SELECT '100%'"]),
    "SQL in its own transaction": AtomicSQL("SELECT 1"),
    "Python": migrations.RunPython(read_rows),
    "Python inside of another operation": migrations.SeparateDatabaseAndState([migrations.RunPython(read_rows)]),
}
CONCURRENT = {
    "an index": postgres.AddIndexConcurrently("Book", Index(fields=["code"], name="by_code")),
    "a removed index": postgres.RemoveIndexConcurrently("Book", "by_pages"),
}


def migration_of(*operations: object, atomic: bool = True) -> migrations.Migration:
    migration = migrations.Migration("0002", "bookshop")
    migration.operations, migration.atomic = list(operations), atomic
    return migration


def state_after(*operations: object) -> ProjectState:
    return migration_of(*operations).mutate_state(ProjectState())


def offline_sql(operation: object, *, atomic: bool = True) -> str:
    with offline("default", SERVER_VERSION) as without_server:
        return sql_of(migration_of(operation, atomic=atomic), state_after(SHELF, AGE, BOOK), without_server)


@pytest.fixture
def tables():
    with connection.schema_editor() as editor:
        migration_of(SHELF, AGE, BOOK).apply(ProjectState(), editor)


def without_names(sql: str) -> list[str]:
    """Return the statements in order, with one name for all that PostgreSQL or Django makes up."""
    kinds = r'((?:CONSTRAINT|CONSTRAINTS|INDEX|INDEX IF EXISTS|SEQUENCE IF EXISTS) )"[^"]+"'
    return re.sub(kinds, r'\1"name"', sql).splitlines()


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.daily(8)
def test_the_sql_of_a_migration_is_the_same_without_a_server(name):
    with connection.schema_editor(collect_sql=True) as editor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations.RunPython, "database_forwards", lambda *arguments: None)
        migration_of(OPERATIONS[name]).apply(state_after(SHELF, AGE, BOOK), editor, collect_sql=True)
        expected = "\n".join(map(str, editor.collected_sql))
    expected = "\n".join(map(str, editor.collected_sql))

    assert without_names(offline_sql(OPERATIONS[name])) == without_names(expected)


@pytest.mark.parametrize("name", CONCURRENT)
def test_a_concurrent_index_is_written_without_a_server(name):
    assert "CONCURRENTLY" in offline_sql(CONCURRENT[name], atomic=False)


def test_a_migration_that_reads_rows_is_named_with_the_way_out():
    with pytest.raises(UnwritableMigrationError, match=r"bookshop\.0002 cannot be written .* not_linted_because"):
        offline_sql(AsksForRows("SELECT 1"))


def test_afterwards_the_database_answers_again():
    offline_sql(OPERATIONS["a comment"])

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
