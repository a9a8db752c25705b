"""A statement with CONCURRENTLY outlasts open transactions, and first removes what a failed one has left."""

import threading
import time

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import IntegrityError, OperationalError, connection, migrations, models
from django.db.migrations.state import ProjectState

from serverless_django.handlers.management import handler
from serverless_django.postgresql import migration
from serverless_django.postgresql.concurrently import leftovers
from serverless_django.postgresql.migration import migrate_patiently, migration_session

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = """
    CREATE SCHEMA "Other schema";
    CREATE TABLE "Other schema".note (id int, body text);
    CREATE TABLE shop_book (id int PRIMARY KEY, title text);
    INSERT INTO shop_book VALUES (1, 'same'), (2, 'same');
    CREATE INDEX by_title ON shop_book (title);
    CREATE TABLE shop_sale (day date) PARTITION BY RANGE (day);
    CREATE TABLE shop_sale_2025 PARTITION OF shop_sale FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
"""
NO_TABLES = (
    'DROP SCHEMA IF EXISTS "Other schema" CASCADE; DROP TABLE IF EXISTS shop_book, shop_sale, shop_sale_2025, steps'
)

STATEMENTS = [
    "CREATE INDEX CONCURRENTLY newest ON shop_book (title)",
    "-- a comment\n create index concurrently if not exists newest on shop_book (title)",
    "CREATE UNIQUE INDEX CONCURRENTLY only_once ON shop_book (id) WHERE title > ''",
    'CREATE INDEX CONCURRENTLY "By body; 1" ON "Other schema".note USING btree (lower(body) text_pattern_ops)',
    "CREATE INDEX CONCURRENTLY ON shop_book (title)",
    "DROP INDEX CONCURRENTLY IF EXISTS by_title",
    "REINDEX INDEX CONCURRENTLY by_title",
    "REINDEX (VERBOSE) TABLE CONCURRENTLY shop_book",
    "ALTER TABLE shop_sale DETACH PARTITION shop_sale_2025 CONCURRENTLY",
]


@pytest.fixture(autouse=True)
def _tables(monkeypatch):
    monkeypatch.setattr(migration, "LOCK_TIMEOUT", "200ms")
    monkeypatch.setattr(migration, "LEFTOVER_SECONDS", 1)
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0.1)
    run(NO_TABLES + ";" + TABLES)
    yield
    run(NO_TABLES)


@pytest.fixture
def writer(postgresql):
    """Return a session whose transaction has written to every table, and is open."""
    with psycopg.connect(postgresql.conninfo(connection.settings_dict["NAME"])) as session:
        session.execute("""UPDATE shop_book SET title = title; INSERT INTO "Other schema".note VALUES (1)""")
        session.execute("INSERT INTO shop_sale VALUES ('2025-05-05')")
        yield session


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def migrate(*statements):
    """Execute them as one migration that is not atomic."""
    with migration_session():
        migrate_patiently(lambda: [run(statement) for statement in statements])


def end_soon(writer):
    """End the writer's transaction after more than two of the lock timeouts."""
    timer = threading.Timer(0.5, writer.rollback)
    timer.start()
    return timer


def leave_unfinished(statement):
    """Let `statement` fail as it did under the lock timeout of every other statement."""
    with migration_session(), pytest.raises(OperationalError):
        run(statement)


def indexes():
    return {
        name
        for (name,) in run("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'shop_book'::regclass")
    }


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.daily(2)
def test_a_statement_that_only_waits_is_not_cut_by_the_lock_timeout(writer, statement):
    end = end_soon(writer)

    migrate(statement)

    end.join()
    assert leftovers(connection) == []


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.daily(2)
def test_the_next_attempt_removes_what_the_last_has_left_while_the_writer_is_still_open(writer, statement):
    leave_unfinished(statement)
    end = end_soon(writer)

    migrate(statement)

    end.join()
    assert leftovers(connection) == []


@pytest.mark.parametrize("statement", [STATEMENTS[0], STATEMENTS[3], STATEMENTS[-1]])
@pytest.mark.daily(1)
def test_a_rollback_that_has_nothing_to_build_succeeds_while_the_writer_stays_open(writer, lambda_context, statement):
    leave_unfinished(statement)

    assert "No migrations to apply" in handler({}, lambda_context)["output"]

    writer.rollback()
    handler({}, lambda_context)
    assert leftovers(connection) == []


@pytest.mark.parametrize("statement", [STATEMENTS[0], STATEMENTS[5], STATEMENTS[-1]])
def test_other_sessions_read_and_write_while_a_statement_waits(postgresql, writer, statement):
    waiting = threading.Thread(target=lambda: (migrate(statement), connection.close()))
    waiting.start()
    with psycopg.connect(postgresql.conninfo(connection.settings_dict["NAME"]), autocommit=True) as other:
        wait_for_a_waiting_session(other)
        other.execute("SET lock_timeout = '2s'")
        other.execute("INSERT INTO shop_book VALUES (3, 'other'); SELECT * FROM shop_sale")
    writer.rollback()
    waiting.join()
    assert leftovers(connection) == []


def migrate_in_vain(statement):
    with pytest.raises(OperationalError):
        migrate(statement)


def wait_for_a_waiting_session(session):
    deadline = time.monotonic() + 30
    while not session.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchall():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_migration_is_finished_by_the_next_one(postgresql, writer):
    leave_unfinished("CREATE INDEX CONCURRENTLY newest ON shop_book (title)")
    killed = threading.Thread(target=migrate_in_vain, args=STATEMENTS[:1])
    killed.start()
    with psycopg.connect(postgresql.conninfo(connection.settings_dict["NAME"]), autocommit=True) as other:
        wait_for_a_waiting_session(other)
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    killed.join()
    end = end_soon(writer)

    migrate(STATEMENTS[0])

    end.join()
    assert "newest" in indexes()


def test_an_index_that_was_built_before_its_migration_was_noted_is_kept():
    migrate(STATEMENTS[0])
    (before,) = run("SELECT 'newest'::regclass::oid")

    migrate(STATEMENTS[0])

    assert run("SELECT 'newest'::regclass::oid") == [before]


def test_another_index_of_that_name_is_an_error():
    migrate(STATEMENTS[0])

    with pytest.raises(Exception, match='"newest" already exists'):
        migrate("CREATE INDEX CONCURRENTLY newest ON shop_book (lower(title))")


def test_a_unique_index_that_cannot_be_built_is_removed_so_that_it_refuses_no_rows():
    with pytest.raises(IntegrityError):
        migrate("CREATE UNIQUE INDEX CONCURRENTLY once ON shop_book (title)")

    assert "once" not in indexes()


def test_an_index_that_another_session_is_building_is_left_alone(postgresql, writer):
    name = connection.settings_dict["NAME"]

    def build():
        with psycopg.connect(postgresql.conninfo(name), autocommit=True) as builder:
            builder.execute("CREATE INDEX CONCURRENTLY theirs ON shop_book (title)")

    building = threading.Thread(target=build)
    building.start()
    with psycopg.connect(postgresql.conninfo(name), autocommit=True) as other:
        wait_for_a_waiting_session(other)
        migrate("SELECT 1")
    writer.rollback()
    building.join()
    assert "theirs" in indexes()


def test_an_index_of_a_partitioned_table_that_waits_for_its_partitions_is_left_alone():
    run("CREATE INDEX by_day ON ONLY shop_sale (day)")

    migrate("SELECT 1")

    assert run("SELECT 1 FROM pg_class WHERE relname = 'by_day'") == [(1,)]


def test_what_a_migration_did_before_it_had_to_wait_is_not_done_twice(writer):
    end = end_soon(writer)

    migrate("CREATE TABLE steps (id int)", STATEMENTS[0], "ALTER TABLE shop_book ADD COLUMN pages int")

    end.join()
    assert "newest" in indexes()


def test_attempts_end_with_the_last_error_when_the_transaction_never_does(writer, monkeypatch):
    monkeypatch.setattr(migration, "PATIENCE_SECONDS", 1)

    with pytest.raises(OperationalError, match="lock timeout"):
        migrate(STATEMENTS[0])


def test_the_log_names_the_session_that_a_statement_may_wait_for(writer, caplog, monkeypatch):
    monkeypatch.setattr(migration, "_OPEN_TRANSACTIONS", migration._OPEN_TRANSACTIONS.replace("'2 seconds'", "'0'"))
    end = end_soon(writer)

    migrate(STATEMENTS[0])

    end.join()
    assert f"CREATE INDEX CONCURRENTLY newest may wait for session {writer.info.backend_pid}" in caplog.text


def test_operations_of_django_outlast_a_writer(writer):
    fields = [("id", models.IntegerField(primary_key=True)), ("title", models.TextField())]
    state = ProjectState()
    migrations.CreateModel("Book", fields).state_forwards("shop", state)
    change = migrations.Migration("0002", "shop")
    change.atomic = False
    change.operations = [
        AddIndexConcurrently("Book", models.Index("title", name="newest")),
        RemoveIndexConcurrently("Book", "newest"),
        AddIndexConcurrently("Book", models.Index(models.F("title").desc(), name="newest")),
    ]
    end = end_soon(writer)

    def apply():
        with connection.schema_editor(atomic=False) as editor:
            change.apply(state.clone(), editor)

    with migration_session():
        migrate_patiently(apply)

    end.join()
    assert "newest" in indexes()
