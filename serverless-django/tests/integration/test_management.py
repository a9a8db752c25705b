"""A deploy migrates, once, and whatever goes wrong is its failure."""

import os
import subprocess
import sys
import time
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError
from django.db import IntegrityError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import ConnectionDoesNotExist

from serverless_django.commands import CommandRefusedError
from serverless_django.handlers.management import handler
from serverless_django.local.postgresql import PORT, SUPERUSER
from serverless_django.postgresql import migration
from serverless_django.postgresql.migration import LOCK_ID, migrate_patiently, migration_session
from tests.paths import import_path

pytestmark = pytest.mark.django_db(transaction=True)

INVOKE = """
from serverless_django.handlers.management import handler
from serverless_django.testing import LambdaContext
from tests.paths import import_path
print(handler({}, LambdaContext()))
"""


@pytest.fixture
def empty_database(postgresql):
    name = f"empty_{uuid4().hex}"
    postgresql.execute(f"CREATE DATABASE {name}")
    yield name
    postgresql.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def as_app(postgresql, lambda_context):
    """Return a session of the role of the functions, after a deploy."""
    handler({}, lambda_context)
    name = connection.settings_dict["NAME"]
    with psycopg.connect(postgresql.conninfo(name, user="app"), autocommit=True) as session:
        yield session


def start_deploy(postgresql, database):
    variables = {"PGHOST": str(postgresql.sockets), "PGPORT": str(PORT), "PGUSER": SUPERUSER, "PGDATABASE": database}
    return subprocess.Popen(
        [sys.executable, "-c", INVOKE],
        env=os.environ
        | variables
        | {"DJANGO_SETTINGS_MODULE": "lambda_app.settings.local", "PYTHONPATH": import_path()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_deploys_empty_event_migrates(lambda_context):
    response = handler({}, lambda_context)

    assert response["command"] == ["migrate", "--no-input"]
    assert "No migrations to apply." in response["output"]


@pytest.mark.nightly
def test_four_deploys_at_once_all_succeed(postgresql, empty_database):
    deploys = [start_deploy(postgresql, empty_database) for _ in range(4)]

    outputs = [deploy.communicate(timeout=120)[0] for deploy in deploys]

    assert [deploy.returncode for deploy in deploys] == [0, 0, 0, 0], outputs
    assert sum("No migrations to apply." in output for output in outputs) == 3


def test_a_failing_migration_is_the_failure_of_the_invocation(lambda_context, monkeypatch):
    def fail(*args, **kwargs):
        raise psycopg.errors.UndefinedColumn("no such column")

    monkeypatch.setattr(MigrationExecutor, "migrate", fail)

    with pytest.raises(psycopg.errors.UndefinedColumn):
        handler({"command": ["migrate"]}, lambda_context)


def test_after_a_failure_the_lock_is_free(lambda_context):
    with pytest.raises(CommandError):
        handler({"command": ["migrate", "no_such_app"]}, lambda_context)

    assert "Operations to perform" in handler({"command": ["migrate"]}, lambda_context)["output"]


def test_a_migration_takes_the_lock_of_the_database_that_it_names(lambda_context):
    assert "No migrations" in handler({"command": ["migrate", "--database=default"]}, lambda_context)["output"]
    with pytest.raises(ConnectionDoesNotExist, match="reports"):
        handler({"command": ["migrate", "--database", "reports"]}, lambda_context)


def test_a_migration_waits_for_the_one_before(postgresql, lambda_context):
    name = connection.settings_dict["NAME"]
    with psycopg.connect(postgresql.conninfo(name), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK_ID])
        deploy = start_deploy(postgresql, name)
        with pytest.raises(subprocess.TimeoutExpired):
            deploy.communicate(timeout=4)

    assert "No migrations to apply." in deploy.communicate(timeout=60)[0]


def test_a_migration_waits_for_tables_only_seconds_and_works_as_long_as_it_takes():
    with migration_session(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("3s", "0")


def test_a_migration_gives_way_to_who_uses_the_table_and_tries_again(monkeypatch):
    attempts = []
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0)

    def migrate():
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationalError from psycopg.errors.LockNotAvailable()

    migrate_patiently(migrate)

    assert len(attempts) == 3


@pytest.mark.parametrize(("cause", "attempts"), [(psycopg.errors.LockNotAvailable(), 10), (None, 1)])
def test_a_migration_that_cannot_succeed_fails(cause, attempts, monkeypatch):
    made = []
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0)

    def migrate():
        made.append(1)
        raise OperationalError from cause

    with pytest.raises(OperationalError):
        migrate_patiently(migrate)
    assert len(made) == attempts


def test_a_table_in_use_stops_the_traffic_only_for_seconds(postgresql, lambda_context, monkeypatch):
    name = connection.settings_dict["NAME"]
    monkeypatch.setattr(migration, "LOCK_TIMEOUT", "200ms")
    with (
        psycopg.connect(postgresql.conninfo(name)) as reader,
        psycopg.connect(postgresql.conninfo(name), autocommit=True) as other,
        migration_session(),
    ):
        reader.execute("SELECT count(*) FROM auth_group")
        with pytest.raises(OperationalError, match="lock timeout"), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE auth_group ADD COLUMN later int")

        assert other.execute("SELECT count(*) FROM auth_group").fetchone() == (0,)


def test_an_index_that_was_never_finished_is_built_again(postgresql, lambda_context):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE doubled AS SELECT 1 AS id UNION ALL SELECT 1")
        with pytest.raises(IntegrityError):
            cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON doubled (id)")

    handler({}, lambda_context)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'once'")
        assert cursor.fetchone() == (0,)
        cursor.execute("DROP TABLE doubled")


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3, 0.6])
@pytest.mark.nightly
def test_a_deploy_that_was_killed_is_finished_by_the_next(postgresql, empty_database, seconds):
    killed = start_deploy(postgresql, empty_database)
    wait_for_the_lock(postgresql, empty_database)
    time.sleep(seconds)
    killed.kill()
    killed.communicate()

    finished = start_deploy(postgresql, empty_database)

    output, _ = finished.communicate(timeout=120)
    assert finished.returncode == 0, output
    assert "No migrations to apply" in start_deploy(postgresql, empty_database).communicate(timeout=120)[0]


def wait_for_the_lock(postgresql, database):
    statement = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
    deadline = time.monotonic() + 60
    while not postgresql.execute(statement, database=database):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("command", [["dbshell"], ["flush"], "migrate"])
def test_other_commands_are_refused(command, lambda_context):
    with pytest.raises(CommandRefusedError):
        handler({"command": command}, lambda_context)


def test_an_operator_sees_what_is_applied(lambda_context):
    assert "[X] 0001_initial" in handler({"command": ["showmigrations", "auth"]}, lambda_context)["output"]


def test_the_functions_read_and_write_rows(as_app):
    as_app.execute("INSERT INTO auth_group (name) VALUES ('ada')")

    assert as_app.execute("SELECT count(*) FROM auth_group").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE auth_group ADD COLUMN mine int",
        "DROP TABLE auth_group",
        "TRUNCATE auth_group CASCADE",
        "DELETE FROM django_migrations",
        "UPDATE django_migrations SET name = ''",
        "CREATE ROLE mine",
        "SET ROLE postgres",
    ],
)
def test_the_functions_may_do_no_more(as_app, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute(statement)


def test_the_functions_may_read_which_migrations_are_applied(as_app):
    assert as_app.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0


def test_a_table_of_a_later_migration_is_theirs_at_once(as_app):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, note text)")
    try:
        assert as_app.execute("INSERT INTO later (note) VALUES ('x') RETURNING id").fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE later")


def test_the_role_brings_its_bounds_so_that_no_session_has_to_set_them(as_app):
    names = ["TimeZone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]

    settings = [as_app.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in names]

    assert settings == ["UTC", "28s", "10s", "30s"]


def test_where_there_is_iam_the_role_logs_in_with_it(postgresql, lambda_context):
    postgresql.execute("CREATE ROLE rds_iam")
    try:
        handler({}, lambda_context)

        (member,) = postgresql.execute("SELECT pg_has_role('app', 'rds_iam', 'member')")
        assert member == (True,)
    finally:
        postgresql.execute("DROP ROLE rds_iam")
