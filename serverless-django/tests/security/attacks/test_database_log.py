"""What a member wrote is not in PostgreSQL's log, which is kept for months, whatever becomes of the statement."""

import shutil
import tempfile
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError

from serverless_django.deploy import Stage
from serverless_django.deploy.components.parameters import parameters_of
from serverless_django.local.postgresql import PostgreSQL
from serverless_django.observability.redaction import hide_values
from serverless_django.observability.texts import text_of_error
from tests.deployment import STAGES

MARK = "s3cr3t-8c1f"
CAPTION = f"a caption, {MARK}"
LOGGING = ("auto_explain.", "log_", "deadlock_timeout", "shared_preload_libraries")
WITH_A_THRESHOLD = Stage(name="slow", logged_statement=timedelta(0))


def serving(stage):
    parameters = {name: value for name, value in parameters_of(stage).items() if name.startswith(LOGGING)}
    return parameters | {"deadlock_timeout": "50", "log_lock_waits": "1", "fsync": "off"}


@pytest.fixture(scope="module")
def serve():
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    servers = []

    def start(stage):
        server = PostgreSQL(folder / stage.name, folder / f"s{len(servers)}", settings=serving(stage))
        server.start()
        servers.append(server)
        server.execute("CREATE TABLE post (id int PRIMARY KEY, caption text NOT NULL CHECK (caption <> 'no'), n int)")
        server.execute("INSERT INTO post VALUES (1, 'first'), (2, 'second')")
        return server

    yield start
    for server in servers:
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def prod(serve):
    return serve(STAGES["prod"])


def log_of(server):
    return (server.data / "server.log").read_text()


STATEMENTS = {
    "slow": ("SELECT pg_sleep(0.3), %s::text", [CAPTION]),
    "twice the same": ("INSERT INTO post VALUES (1, %s)", [CAPTION]),
    "a check": ("INSERT INTO post SELECT 3, left(%s, 0) || 'no', length(%s)", [CAPTION, CAPTION]),
    "a row without what it needs": ("INSERT INTO post SELECT 3, NULL, length(%s)", [CAPTION]),
    "too slow": ("SELECT pg_sleep(5), %s::text", [CAPTION]),
    "a file": ("SELECT count(*) FROM (SELECT %s::text || n FROM generate_series(1, 200000) n ORDER BY 1) t", [CAPTION]),
    "wrong in itself": ("SELEC %s", [CAPTION]),
}


@pytest.mark.parametrize("kind", [psycopg.ClientCursor, psycopg.Cursor])
@pytest.mark.parametrize("what", STATEMENTS)
def test_a_statement_leaves_none_of_its_values_in_the_log(what, kind, prod):
    statement, values = STATEMENTS[what]
    with psycopg.connect(prod.conninfo(), autocommit=True, cursor_factory=kind) as connection:
        connection.execute("SET work_mem = '64kB'")
        connection.execute("SET statement_timeout = '1s'")
        with suppress(psycopg.Error):
            connection.execute(statement.encode(), values)

    assert MARK not in log_of(prod)


def test_a_wait_for_a_lock_and_a_deadlock_leave_no_values_in_the_log(prod):
    def change(first, second, meeting):
        with suppress(psycopg.Error), psycopg.connect(prod.conninfo(), cursor_factory=psycopg.ClientCursor) as one:
            one.execute("UPDATE post SET caption = %s WHERE id = %s", [CAPTION, first])
            meeting.wait(10)
            one.execute("UPDATE post SET caption = %s WHERE id = %s", [CAPTION, second])

    meeting = threading.Barrier(2)
    threads = [threading.Thread(target=change, args=(*ids, meeting)) for ids in ((1, 2), (2, 1))]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]

    assert "deadlock detected" in log_of(prod)
    assert MARK not in log_of(prod)


def test_what_is_bound_on_the_server_is_not_logged_where_slow_statements_are(serve):
    server = serve(WITH_A_THRESHOLD)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(0.01), %s::text", [CAPTION])
        with suppress(psycopg.Error):
            connection.execute("INSERT INTO post VALUES (1, %s)", [CAPTION])

    assert "SELECT pg_sleep(0.01), $1::text" in log_of(server)
    assert "duplicate key" in log_of(server)
    assert MARK not in log_of(server)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [MARK, f"first line\n{MARK}", f"a paragraph\n\n{MARK}"])
def test_an_error_of_the_database_is_logged_without_the_row(name):
    from django.contrib.auth.models import Group

    with pytest.raises(IntegrityError) as refused:
        Group.objects.bulk_create([Group(name=name) for _ in range(2)])

    assert MARK in str(refused.value)
    logged = hide_values(text_of_error(refused.value))
    assert MARK not in logged
    assert "direct cause of the following exception" in logged
