"""Which statements pin a session of RDS Proxy, and what the guard does about them."""

import json
import logging
from types import SimpleNamespace

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg import sql

from serverless_django.postgresql import pins
from serverless_django.postgresql.pins import (
    MAX_STATEMENT_BYTES,
    RULES,
    PinGuard,
    PinningStatementError,
    allow_pin,
    refuse,
    report,
    rule_of,
)

PINNING = [
    ("SET", "SET search_path = books"),
    ("SET", "set session statement_timeout = 0"),
    ("SET", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
    ("SET", "SET ROLE reader"),
    ("SET", "RESET ALL"),
    ("SET", "SELECT 1; SET search_path = books"),
    ("SET", "/* a route */ SET search_path = books"),
    ("SET", "-- a route\n SET search_path = books"),
    ("set_config", "SELECT set_config('TimeZone', %s, false)"),
    ("set_config", "SELECT pg_catalog.SET_CONFIG ('jit', 'off', %s)"),
    ("prepared statement", "PREPARE page AS SELECT 1"),
    ("prepared statement", "EXECUTE page(1)"),
    ("prepared statement", "DEALLOCATE ALL"),
    ("DISCARD", "DISCARD TEMP"),
    ("temporary relation", "CREATE TEMP TABLE seen (id int)"),
    ("temporary relation", "create local temporary table seen as select 1"),
    ("temporary relation", "CREATE OR REPLACE TEMP VIEW seen AS SELECT 1"),
    ("temporary relation", "CREATE TEMPORARY SEQUENCE numbers"),
    ("temporary relation", "SELECT id INTO TEMP seen FROM feed_post"),
    ("cursor", "DECLARE page CURSOR WITH HOLD FOR SELECT 1"),
    ("LISTEN", "LISTEN likes"),
    ("LISTEN", "UNLISTEN *"),
    ("LOAD", "LOAD 'auto_explain'"),
    ("sequence function", "SELECT nextval('numbers')"),
    ("sequence function", "INSERT INTO post (id) VALUES (nextval ('numbers'))"),
    ("sequence function", "SELECT setval(pg_get_serial_sequence('post','id'), 1, false)"),
    ("sequence function", "SELECT lastval()"),
    ("session advisory lock", "SELECT pg_advisory_lock(1)"),
    ("session advisory lock", "SELECT pg_try_advisory_lock_shared(1, 2)"),
    ("session advisory lock", "SELECT pg_advisory_unlock_all()"),
]

HARMLESS = [
    'SELECT "feed_post"."id" FROM "feed_post" WHERE "feed_post"."id" = %s LIMIT 21',
    'UPDATE "feed_post" SET "caption" = %s WHERE "feed_post"."id" = %s',
    "INSERT INTO post (id) VALUES (%s) ON CONFLICT (id) DO UPDATE SET caption = 'x'",
    'SELECT "settings"."set" FROM "settings"',
    "SELECT template_id FROM temperature",
    "SELECT 'SET x; nextval(1)'",
    "SELECT $x$; SET a = 1 $x$",
    'SELECT "; SET a = 1" FROM "a"',
    "SELECT 1 -- ; SET a = 1",
    "SELECT /* nextval( */ 1;",
    "SET LOCAL statement_timeout = 1000",
    "SET CONSTRAINTS ALL DEFERRED",
    "SET TRANSACTION READ ONLY",
    "SELECT set_config('statement_timeout', %s, true)",
    "PREPARE TRANSACTION 'x'",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT pg_try_advisory_xact_lock_shared(1)",
    'SAVEPOINT "s1_x1"',
    "CREATE TABLE template (id int)",
    "NOTIFY likes",
    "",
]


@pytest.mark.parametrize(("name", "statement"), PINNING)
def test_a_statement_that_changes_its_session_pins(name, statement):
    rule = rule_of(statement)

    assert rule is not None
    assert rule.name == name


@pytest.mark.parametrize("statement", HARMLESS)
def test_a_statement_that_leaves_its_session_alone_does_not(statement):
    assert rule_of(statement) is None


def test_every_rule_has_an_example_and_a_source():
    assert {rule.name for rule in RULES} == {name for name, _ in PINNING}
    assert all(rule.source and rule.advice for rule in RULES)


class FakeConnection:
    """Binds on the client, without a server."""

    ops = SimpleNamespace(compose_sql=lambda text, params: text % tuple(repr(value) for value in params))


def run(guard, statement, params=None, *, many=False, cursor=None):
    context = {"connection": FakeConnection, "cursor": SimpleNamespace(cursor=cursor)}
    return guard(lambda *call: call[0], statement, params, many, context)


def listen_here(guard):
    guard(lambda *call: None, "LISTEN likes", None, False, {"cursor": SimpleNamespace(cursor=None)})


def listen_there(guard):
    guard(lambda *call: None, "LISTEN likes", None, False, {"cursor": SimpleNamespace(cursor=None)})


def test_in_development_a_pinning_statement_is_refused_with_rule_advice_and_line():
    with pytest.raises(PinningStatementError) as caught:
        run(PinGuard(refuse), "SET search_path = books")

    message = str(caught.value)
    assert message.startswith("SET pins the session of RDS Proxy: 'SET search_path = books' at ")
    assert f"{__file__}:" in message
    assert "ALTER ROLE ... SET" in message


def test_a_statement_that_pins_is_not_run():
    with pytest.raises(PinningStatementError):
        PinGuard(refuse)(pytest.fail, "DISCARD ALL", None, False, {"cursor": SimpleNamespace(cursor=None)})


@pytest.mark.parametrize("statement", [sql.SQL("SET {} = 1").format(sql.Identifier("a")), b"SET a = 1"])
def test_composed_statements_and_bytes_are_seen_through(statement):
    with pytest.raises(PinningStatementError, match="SET pins"):
        run(PinGuard(refuse), statement)


def test_a_cursor_on_the_server_is_refused_whatever_it_selects():
    with pytest.raises(PinningStatementError, match=r"cursor pins .*DISABLE_SERVER_SIDE_CURSORS"):
        run(PinGuard(refuse), "SELECT 1", cursor=SimpleNamespace(name="_django_curs_1"))


@pytest.mark.parametrize(
    ("statement", "params", "many"),
    [
        (f"SELECT '{'x' * MAX_STATEMENT_BYTES}'", None, False),
        ("UPDATE post SET caption = %s", ["x" * MAX_STATEMENT_BYTES], False),
        (f"SELECT {', '.join(['%s'] * 3000)}", list(range(3000)), False),
        ("INSERT INTO post VALUES (%s)", [["x"], ["x" * MAX_STATEMENT_BYTES]], True),
    ],
)
def test_a_statement_whose_text_is_over_16_kb_once_it_is_bound_is_refused(statement, params, many):
    with pytest.raises(PinningStatementError, match=r"statement over 16 KB pins .*unnest"):
        run(PinGuard(refuse), statement, params, many=many)


def test_the_pin_of_a_long_text_does_not_quote_its_values():
    pins = []

    PinGuard(pins.append).check_length(b"INSERT INTO post VALUES ('written by ada', " + b"1, " * MAX_STATEMENT_BYTES)

    assert [pin.statement for pin in pins] == ["INSERT INTO post VALUES ("]


def test_a_statement_of_16_kb_is_not():
    statement = "SELECT %s"
    longest = "x" * (MAX_STATEMENT_BYTES - len("SELECT ''"))

    assert run(PinGuard(refuse), statement, [longest]) == statement


def test_what_is_brief_is_not_bound_to_be_measured():
    context = {"connection": SimpleNamespace(), "cursor": SimpleNamespace(cursor=None)}

    assert PinGuard(refuse)(lambda *call: "ran", "SELECT %s, %s", ["x" * 100, 1], False, context) == "ran"


def test_a_pin_can_be_allowed_with_a_reason():
    with allow_pin("its own session"):
        assert run(PinGuard(refuse), "LISTEN likes") == "LISTEN likes"

    with pytest.raises(PinningStatementError):
        run(PinGuard(refuse), "LISTEN likes")


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_pin_without_a_reason_is_not_allowed(reason):
    with pytest.raises(ValueError, match="needs a reason"), allow_pin(reason):
        pass


def test_in_production_each_pin_is_counted_and_each_line_of_code_logged_once(caplog, monkeypatch):
    monkeypatch.setattr(pins, "_reported", set())
    guard = PinGuard(report)

    with caplog.at_level(logging.INFO):
        for _ in range(3):
            listen_here(guard)
        listen_there(guard)

    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert sum(getattr(record, "PinningStatements", 0) for record in caplog.records) == 4


def test_the_count_is_a_metric_that_cloudwatch_reads_from_the_log(caplog):
    with caplog.at_level(logging.INFO):
        run(PinGuard(report), "LISTEN likes")

    (embedded,) = [record.__dict__["_aws"] for record in caplog.records if hasattr(record, "_aws")]
    assert embedded["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "PinningStatements"}]
    assert json.dumps(embedded)


def test_the_classifier_needs_no_configured_django():
    assert pins.__doc__
    assert "settings" not in vars(pins)


def test_django_s_own_statement_for_the_time_zone_pins():
    assert rule_of(DatabaseOperations.set_time_zone_sql(None)).name == "set_config"
