"""The database backend against real PostgreSQL: over TLS, with a token, through freezes and rotations."""

import asyncio
import json
import shutil
import ssl
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import boto3
import psycopg
import pytest
from django.db import OperationalError

from serverless_django import presigning
from serverless_django.local.emulator import free_port
from serverless_django.local.postgresql import PORT
from serverless_django.local.tls import server_certificate
from serverless_django.local.tls_gate import TlsGate
from serverless_django.postgresql import RDS_CA_BUNDLE, base, iam_password
from serverless_django.postgresql.base import DatabaseWrapper
from serverless_django.postgresql.liveness import answers, has_something_to_read
from serverless_django.postgresql.pins import PinningStatementError


@pytest.fixture(autouse=True)
def _fresh_session():
    presigning.session.cache_clear()
    yield
    presigning.session.cache_clear()


@pytest.fixture(scope="session")
def role(postgresql):
    """Return a role that the server asks for its password, unlike ours."""
    postgresql.execute("CREATE ROLE proxied LOGIN")
    rules = postgresql.data / "pg_hba.conf"
    rules.write_text(f"local all proxied scram-sha-256\n{rules.read_text()}")
    postgresql.execute("SELECT pg_reload_conf()")
    return "proxied"


@pytest.fixture(scope="session")
def gate(postgresql):
    """Serve PostgreSQL over TLS on its own port, as an RDS endpoint does."""
    folder = Path(tempfile.mkdtemp(prefix="tls-"))
    certificate = server_certificate(folder, ["127.0.0.1"])
    gate = TlsGate("127.0.0.1", free_port(), postgresql.sockets / f".s.PGSQL.{PORT}", certificate)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(gate.start(), loop).result()
    yield gate
    asyncio.run_coroutine_threadsafe(gate.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    shutil.rmtree(folder)


@pytest.fixture
def connect(role, django_db_blocker):
    """Return a maker of connections, closed at the end: `connect(HOST=..., OPTIONS={...})`."""
    made = []

    def connect(**settings):
        made.append(DatabaseWrapper(settings_dict(USER=role, **settings), alias="probe"))
        made[-1].ensure_connection()
        return made[-1]

    with django_db_blocker.unblock():
        yield connect
        for connection in made:
            connection.close()


def settings_dict(**settings):
    return {
        "ENGINE": "serverless_django.postgresql",
        "NAME": "postgres",
        "PORT": PORT,
        "PASSWORD": "",
        "OPTIONS": {"iam": True},
        "TIME_ZONE": None,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    } | settings


@pytest.fixture
def over_tls(connect, gate, postgresql, role, monkeypatch):
    """Return a maker of connections over TLS, to a server that takes no password but the token of this moment."""
    token = iam_password.sign_token(host="127.0.0.1", port=gate.port, user=role)
    postgresql.execute(f"ALTER ROLE {role} PASSWORD '{token}'")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _moment_of(token))

    def over_tls(**options):
        defaults = {"iam": True, "sslmode": "verify-full", "sslrootcert": str(gate.certificate.authority)}
        return connect(HOST="127.0.0.1", PORT=gate.port, OPTIONS=defaults | options)

    return over_tls


def _moment_of(token):
    (moment,) = parse_qs(token.partition("?")[2])["X-Amz-Date"]
    return datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@pytest.fixture
def secret(endpoint, postgresql, role):
    """Return the ARN of a secret with the password of the role."""
    client = boto3.client("secretsmanager")
    postgresql.execute(f"ALTER ROLE {role} PASSWORD 'first'")
    value = json.dumps({"username": role, "password": "first"})
    arn = client.create_secret(Name="master", SecretString=value)["ARN"]
    yield arn
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    client.close()


def pid_of(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def wait_until(condition, *, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def next_request(connection):
    """Do what Django does at the end of a request and the beginning of the next."""
    connection.close_if_unusable_or_obsolete()


def test_the_password_is_a_token_and_the_server_is_verified(over_tls):
    connection = over_tls()

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("proxied",)


def test_a_token_for_another_endpoint_is_refused(over_tls, monkeypatch):
    sign = iam_password.sign_token
    monkeypatch.setattr(base, "sign_token", lambda **request: sign(**request | {"host": "127.0.0.2"}))

    with pytest.raises(OperationalError, match="password authentication failed"):
        over_tls()


def test_a_server_of_another_authority_is_refused(over_tls):
    with pytest.raises(OperationalError, match="certificate verify failed"):
        over_tls(sslrootcert=RDS_CA_BUNDLE)


def test_the_certificates_that_are_shipped_can_be_loaded():
    assert len(ssl.create_default_context(cafile=RDS_CA_BUNDLE).get_ca_certs()) > 50


def test_the_password_of_the_secret_is_used(connect, postgresql, secret):
    assert pid_of(connect(HOST=str(postgresql.sockets), OPTIONS={"secret_arn": secret})) > 0


def test_a_password_that_was_rotated_while_we_connected_is_read_once_more(connect, postgresql, secret, monkeypatch):
    answers = ["stale", "first"]
    monkeypatch.setattr(base, "read_password", lambda arn: answers.pop(0))

    assert pid_of(connect(HOST=str(postgresql.sockets), OPTIONS={"secret_arn": secret})) > 0
    assert answers == []


def test_a_password_that_stays_wrong_is_an_error(connect, postgresql, secret, monkeypatch):
    attempts = []
    monkeypatch.setattr(base, "read_password", lambda arn: attempts.append(arn) or "stale")

    with pytest.raises(OperationalError, match="password authentication failed"):
        connect(HOST=str(postgresql.sockets), OPTIONS={"secret_arn": secret})

    assert len(attempts) == 2


@pytest.fixture
def lasting(connect, postgresql, role, monkeypatch):
    """Return a connection that needs no particular password to open again."""
    postgresql.execute(f"ALTER ROLE {role} PASSWORD 'first'")
    monkeypatch.setattr(base, "sign_token", lambda **request: "first")
    return connect(HOST=str(postgresql.sockets))


def test_a_connection_lasts_for_many_requests_and_is_never_asked_whether_it_lives(lasting, monkeypatch):
    monkeypatch.setattr(lasting, "is_usable", lambda: pytest.fail("a round trip"))
    before = pid_of(lasting)

    for _ in range(20):
        next_request(lasting)
        assert pid_of(lasting) == before


def test_a_connection_that_died_between_requests_is_replaced(lasting, postgresql):
    before = pid_of(lasting)
    next_request(lasting)
    postgresql.execute(f"SELECT pg_terminate_backend({before}, 5000)")

    assert pid_of(lasting) != before


def test_a_transaction_begins_on_the_new_connection(lasting, postgresql):
    before = pid_of(lasting)
    next_request(lasting)
    postgresql.execute(f"SELECT pg_terminate_backend({before}, 5000)")

    lasting.set_autocommit(False)
    assert pid_of(lasting) != before
    lasting.rollback()
    lasting.set_autocommit(True)


def test_no_statement_is_tried_again_within_a_request(lasting, postgresql):
    before = pid_of(lasting)
    postgresql.execute(f"SELECT pg_terminate_backend({before}, 5000)")

    with pytest.raises(OperationalError):
        pid_of(lasting)

    next_request(lasting)
    assert pid_of(lasting) != before


def test_a_message_from_a_living_server_does_not_end_the_connection(lasting, postgresql):
    before = pid_of(lasting)
    with lasting.cursor() as cursor:
        cursor.execute("LISTEN news")
    next_request(lasting)
    postgresql.execute("NOTIFY news")

    wait_until(lambda: has_something_to_read(lasting.connection))

    assert pid_of(lasting) == before


def test_a_connection_closed_on_our_side_is_replaced(lasting):
    before = pid_of(lasting)
    lasting.connection.close()
    next_request(lasting)

    assert pid_of(lasting) != before


def test_the_secret_is_no_parameter_of_libpq(postgresql, role, secret):
    wrapper = DatabaseWrapper(settings_dict(USER=role, HOST="h", OPTIONS={"secret_arn": secret}), alias="probe")

    parameters = wrapper.get_connection_params()

    assert "secret_arn" not in parameters
    assert parameters["password"] == "first"


def test_a_transaction_that_loses_its_connection_does_not_wait_for_another(lasting, postgresql):
    lasting.set_autocommit(False)
    before = pid_of(lasting)
    postgresql.execute(f"SELECT pg_terminate_backend({before}, 5000)")
    with pytest.raises(OperationalError):
        pid_of(lasting)
    lasting.close()

    lasting.set_autocommit(True)

    assert lasting.connection is None
    assert pid_of(lasting) != before


def test_a_connection_that_rested_is_asked_with_a_deadline_and_replaced_if_it_is_silent(lasting, monkeypatch):
    before = pid_of(lasting)
    asked = []
    monkeypatch.setattr(base, "IDLE_SECONDS", -1)
    monkeypatch.setattr(base, "answers", lambda connection, within_seconds: asked.append(within_seconds))
    next_request(lasting)

    assert pid_of(lasting) != before
    assert asked == [base.ANSWER_SECONDS]


def test_a_connection_that_rested_and_answers_is_kept(lasting, monkeypatch):
    monkeypatch.setattr(base, "IDLE_SECONDS", -1)
    before = pid_of(lasting)
    next_request(lasting)

    assert pid_of(lasting) == before


def test_a_question_waits_no_longer_than_said(lasting):
    with lasting.cursor() as cursor:
        cursor.execute("SELECT 1")
    lasting.connection.pgconn.send_query(b"SELECT pg_sleep(5)")
    began = time.monotonic()

    assert not answers(lasting.connection, within_seconds=0.1)
    assert time.monotonic() - began < 2


def test_a_server_that_became_a_standby_is_left_at_the_next_request(lasting, postgresql, role):
    postgresql.execute("CREATE TABLE written (id int)")
    postgresql.execute(f"GRANT INSERT ON written TO {role}")
    before = pid_of(lasting)
    with lasting.cursor() as cursor:
        cursor.execute("BEGIN READ ONLY")
        with pytest.raises(OperationalError, match="read-only transaction; the next request opens a new connection"):
            cursor.execute("INSERT INTO written VALUES (1)")
        cursor.execute("ROLLBACK")
    postgresql.execute("DROP TABLE written")

    next_request(lasting)

    assert pid_of(lasting) != before


def test_each_alias_has_its_own_connection_and_its_own_guard(connect, postgresql, monkeypatch):
    monkeypatch.setattr(base, "sign_token", lambda **request: "first")
    postgresql.execute("ALTER ROLE proxied PASSWORD 'first'")
    writer = connect(HOST=str(postgresql.sockets), OPTIONS={"iam": True, "pinning_statements": "refuse"})
    reader = connect(HOST=str(postgresql.sockets), OPTIONS={"iam": True, "pinning_statements": "allow"})

    assert pid_of(writer) != pid_of(reader)
    with reader.cursor() as cursor:
        cursor.execute("SET search_path = public")
    with pytest.raises(PinningStatementError), writer.cursor() as cursor:
        cursor.execute("SET search_path = public")


@pytest.mark.parametrize("words", ["PAM authentication failed for user", "The IAM authentication failed for the role"])
def test_what_rds_and_its_proxy_say_of_a_token_is_tried_once_more(words, connect, postgresql, monkeypatch):
    attempts = []

    def refuse(params):
        attempts.append(params)
        raise psycopg.OperationalError(words)

    monkeypatch.setattr(base, "sign_token", lambda **request: "token")
    monkeypatch.setattr(psycopg, "connect", lambda **params: refuse(params))

    with pytest.raises(OperationalError, match=words):
        connect(HOST=str(postgresql.sockets))
    assert len(attempts) == 2
