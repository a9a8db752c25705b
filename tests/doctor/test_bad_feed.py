"""The doctor finds every fault that was put into a copy of the feed, in a project that does not use the platform."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serverless_django.doctor.facts import Facts
from serverless_django.doctor.findings import RULES, diagnose
from serverless_django.local.postgresql import PORT, SUPERUSER

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "bad_feed"
VISITS = ["/authors", "/sight", "/everything", "/page", "/search", "/surprise", "/profiles"]

FILL = [
    "INSERT INTO bad_feed_member (handle, is_active) "
    "SELECT 'member ' || n, n % 100 > 0 FROM generate_series(1, 6000) n",
    "INSERT INTO bad_feed_post (id, author_id, caption, created_at) "
    "SELECT gen_random_uuid(), 1 + n % 6000, 'caption ' || n, now() FROM generate_series(1, 6000) n",
    "ANALYZE",
    # What autovacuum would have cleaned up, and a table whose key is asked often and whose other index never is.
    "UPDATE bad_feed_post SET caption = caption || '!' WHERE id IN (SELECT id FROM bad_feed_post LIMIT 3000)",
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; "
    "SELECT count(*) FROM generate_series(1, 20000) n JOIN bad_feed_member ON id = 1 + n % 6000",
]

SEEDED = {
    "debug", "unused-app", "private-pages-cached", "idle-middleware", "costly-middleware", "querying-middleware",
    "sessions-in-database", "connection-per-request", "cursors-on-server", "no-connect-timeout", "atomic-requests",
    "unverified-server", "cache-of-one-process", "cache-keys-without-prefix", "index-of-few-values",
    "random-primary-key", "missing-index", "double-index", "n-plus-one", "many-queries", "row-by-row",
    "unbounded-query", "whole-table", "pages-by-offset", "pattern-without-index", "order-at-random", "wide-rows",
    "idle-index", "dead-rows", "planner-for-disks", "no-slow-log", "parameters-against-memory",
}  # fmt: skip


@pytest.fixture(scope="module")
def report(postgresql):
    postgresql.execute(f"CREATE DATABASE {DATABASE}")
    django(postgresql, "migrate", "--run-syncdb", "--verbosity=0")
    for table in ("member", "post"):
        postgresql.execute(f"ALTER TABLE bad_feed_{table} SET (autovacuum_enabled = off)", database=DATABASE)
    for statement in FILL:
        postgresql.execute(statement, database=DATABASE)
    visits = [argument for path in VISITS for argument in ("--visit", path)]
    finished = django(postgresql, "doctor", "--json", "--memory-mb", "4096", *visits, expected=1)
    yield json.loads(finished.stdout)
    postgresql.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def django(postgresql, *arguments, expected=0):
    variables = {"PGHOST": str(postgresql.sockets), "PGPORT": str(PORT), "PGUSER": SUPERUSER, "PGDATABASE": DATABASE}
    variables |= {"DJANGO_SETTINGS_MODULE": "tests.doctor.bad_feed.settings", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "django", *arguments]
    finished = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == expected, finished.stderr
    return finished


def test_every_seeded_fault_is_found(report):
    assert SEEDED - {finding["rule"] for finding in report["findings"]} == set()


def test_every_finding_has_evidence_and_advice(report):
    assert all(finding["evidence"] and finding["advice"] for finding in report["findings"])


def test_the_evidence_leads_to_the_line(report):
    (found,) = [finding for finding in report["findings"] if finding["rule"] == "n-plus-one"]

    assert "12 times the same query" in found["evidence"]
    assert "urls.py:" in found["evidence"]
    assert 'select_related("author")' in found["advice"]


def test_the_score_counts_the_rules_that_hold(report):
    _, total = diagnose(Facts()).marks

    assert report["rules"] == total
    assert report["held"] == total - len({finding["rule"] for finding in report["findings"]})


def test_a_project_without_faults_has_full_marks():
    diagnosis = diagnose(Facts())

    assert diagnosis.marks == (len(RULES), len(RULES))
    assert len(RULES) >= 34
    assert all(held == total for held, total in diagnosis.by_item().values())
