"""Each rule of the doctor fires for its fault, and is silent for what looks like it and is right."""

import pytest

from serverless_django.doctor.facts import AppUse, Facts, Index, MiddlewareCost, SentStatement, Table
from serverless_django.doctor.findings import RULES, diagnose

POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": "db.example.com",
    "CONN_MAX_AGE": None,
    "DISABLE_SERVER_SIDE_CURSORS": True,
    "OPTIONS": {"connect_timeout": 3, "sslmode": "verify-full"},
}
VALKEY = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "KEY_PREFIX": "prod"}
BIG = {"posts": Table(name="posts", rows=10_000, scans=20_000)}
GB = 1024**3
PARAMETERS = {
    "shared_buffers": GB,
    "work_mem": GB / 256,
    "max_connections": 100,
    "random_page_cost": 1.1,
    "log_min_duration_statement": 30,
}


def database(**changes):
    return Facts(databases={"default": POSTGRESQL | changes})


def options(**changes):
    return database(OPTIONS=POSTGRESQL["OPTIONS"] | changes)


def middleware(path="app.Middleware", microseconds=1, queries=0, **facts):
    return Facts(middleware=(MiddlewareCost(path, microseconds, queries),), **facts)


def sent(sql="SELECT 1", **details):
    return Facts(statements=(SentStatement(route="GET /books", sql=sql, **details),), tables=BIG)


def planned(kind="Seq Scan", sql="SELECT 1", rows=1, **details):
    return sent(sql, plan={"Node Type": kind, "Relation Name": "posts", "Plan Rows": rows} | details)


def index(name="one", columns=("author_id",), **details):
    return Index(table="posts", name=name, columns=columns, **details)


def indexes(*items):
    return Facts(indexes=items, tables=BIG)


def parameters(**changes):
    return Facts(parameters=PARAMETERS | changes, memory_mb=4096)


COLUMN = 'SELECT "a"."b", '
LAST_COLUMN = '"a"."b" FROM a'
LOCALE = "django.middleware.locale.LocaleMiddleware"
LIKE = "SELECT x FROM posts WHERE UPPER(caption) LIKE UPPER(%s)"

CASES = {
    "debug": (Facts(debug=True), Facts()),
    "costly-middleware": (middleware(microseconds=301), middleware(microseconds=300)),
    "querying-middleware": (middleware(queries=1), middleware()),
    "idle-middleware": (middleware(LOCALE), middleware(LOCALE, uses_i18n=True)),
    "unused-app": (Facts(apps=(AppUse("a", "no URL leads to it"),)), Facts(apps=(AppUse("a", ""),))),
    "sessions-in-database": (
        Facts(session_engine="django.contrib.sessions.backends.db"),
        Facts(session_engine="django.contrib.sessions.backends.cache"),
    ),
    "connection-per-request": (database(CONN_MAX_AGE=0), database(CONN_MAX_AGE=60)),
    "cursors-on-server": (database(DISABLE_SERVER_SIDE_CURSORS=False), database()),
    "no-connect-timeout": (options(connect_timeout=None), options(connect_timeout=1)),
    "unverified-server": (options(sslmode="require"), database(HOST="/run/postgresql", OPTIONS={"connect_timeout": 3})),
    "atomic-requests": (database(ATOMIC_REQUESTS=True), database(ATOMIC_REQUESTS=False)),
    "pool-in-process": (options(pool=True), options()),
    "cache-of-one-process": (
        Facts(caches={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}),
        Facts(caches={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}),
    ),
    "cache-keys-without-prefix": (
        Facts(caches={"default": VALKEY | {"KEY_PREFIX": ""}}),
        Facts(caches={"default": VALKEY}),
    ),
    "private-pages-cached": (middleware("django.middleware.cache.UpdateCacheMiddleware"), middleware()),
    "n-plus-one": (sent(times=3), sent(times=2)),
    "row-by-row": (sent("INSERT INTO posts", times=3), sent("SELECT 1", times=3)),
    "many-queries": (sent(times=11), sent(times=10)),
    "slow-statement": (sent(slowest_ms=31), sent(slowest_ms=30)),
    "unbounded-query": (planned(rows=1_001), planned(rows=1_000)),
    "pages-by-offset": (sent(limit=20, offset=40), sent(limit=1, offset=59)),
    "wide-rows": (
        sent(COLUMN * 20 + LAST_COLUMN),
        sent(COLUMN * 19 + LAST_COLUMN),
    ),
    "pattern-without-index": (planned(sql=LIKE, Filter="x"), planned("Index Scan", sql=LIKE, **{"Index Cond": "x"})),
    "order-at-random": (sent("SELECT x ORDER BY RANDOM() ASC"), sent("SELECT x ORDER BY random_name")),
    "missing-index": (planned(Filter="caption = 'x'"), planned("Index Scan", **{"Index Cond": "id = 1"})),
    "whole-table": (
        planned(),
        planned("Limit", Plans=[{"Node Type": "Seq Scan", "Relation Name": "posts", "Plan Rows": 9}]),
    ),
    "double-index": (
        indexes(index(), index("two", ("author_id", "id DESC"))),
        indexes(index(), index("two", ("author_id",), condition="is_posted")),
    ),
    "idle-index": (indexes(index()), indexes(index(is_unique=True), index("two", ("id",), scans=1))),
    "index-of-few-values": (
        indexes(index(most_common_share=0.95, scans=1)),
        indexes(index(most_common_share=0.95, scans=1, condition="is_posted")),
    ),
    "random-primary-key": (Facts(random_keys=("books.Post",)), Facts()),
    "dead-rows": (
        Facts(tables={"posts": Table(name="posts", rows=10_000, dead_rows=2_001)}),
        Facts(tables={"posts": Table(name="posts", rows=10_000, dead_rows=2_000)}),
    ),
    "parameters-against-memory": (parameters(shared_buffers=GB / 8), parameters()),
    "planner-for-disks": (parameters(random_page_cost=4), parameters()),
    "no-slow-log": (parameters(log_min_duration_statement=-1), Facts(parameters={"log_min_duration_statement": -1})),
}


def test_every_rule_has_its_case():
    diagnose(Facts())

    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_the_rule_fires_for_its_fault(name):
    assert name in diagnose(CASES[name][0]).broken


@pytest.mark.parametrize("name", CASES)
def test_the_rule_is_silent_for_what_is_right(name):
    assert name not in diagnose(CASES[name][1]).broken


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("parameters-against-memory", parameters(work_mem=GB)),
        ("idle-middleware", middleware("django.contrib.messages.middleware.MessageMiddleware")),
        ("missing-index", planned("Index Scan", Filter="x", **{"Index Name": "posts_pkey"})),
    ],
)
def test_the_rule_fires_for_its_other_fault(name, facts):
    assert name in diagnose(facts).broken


@pytest.mark.parametrize("name", ["missing-index", "whole-table"])
def test_a_small_table_may_be_read_whole(name):
    small = {"posts": Table(name="posts", rows=100)}
    plan = {
        "Node Type": "Seq Scan",
        "Relation Name": "posts",
        "Plan Rows": 1,
        "Filter": "x" * (name == "missing-index"),
    }
    statement = SentStatement(route="GET /books", sql="SELECT 1", plan=plan)

    assert name not in diagnose(Facts(statements=(statement,), tables=small)).broken


def test_the_score_tells_the_items_of_the_advice_apart():
    items = diagnose(Facts(debug=True)).by_item()

    assert items["middleware"] == (3, 4)
    assert items["indexes"][0] == items["indexes"][1]
