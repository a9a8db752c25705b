"""A migration that would break old code, or lock a table for long, does not pass `make check`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from serverless_django.local.migrations import lint
from tests.fresh_process import ROOT
from tests.paths import import_path


def lint_project(settings="lambda_app.settings.local"):
    """Return what `make check` prints, and its exit code, where no database is to be had."""
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": settings,
        "PGHOST": "nowhere.invalid",
        "PYTHONPATH": import_path(),
    }
    command = [str(Path(sys.executable).with_name("serverless-django")), "migrations"]
    finished = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | variables
    )
    return finished.stdout + finished.stderr, finished.returncode


def test_the_migrations_of_this_project_pass_without_a_database():
    assert lint_project() == ("", 0)


def test_each_app_of_a_project_is_linted_for_each_of_its_databases_but_no_package():
    output, code = lint_project("linted.settings")

    assert code == 1
    assert set(re.findall(r"(\w+)\.(?:concurrent\.)?sql", output)) == {
        "default_linted_0002_bad",
        "reports_linted_0002_bad",
    }
    assert "ban-drop-column" in output


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE feed_post DROP COLUMN caption;", "ban-drop-column"),
        ("ALTER TABLE feed_post RENAME COLUMN caption TO title;", "renaming-column"),
        ("ALTER TABLE feed_post RENAME TO feed_entry;", "renaming-table"),
        ("ALTER TABLE feed_post ADD COLUMN title text NOT NULL;", "adding-required-field"),
        ("ALTER TABLE feed_post ALTER COLUMN caption TYPE text;", "changing-column-type"),
        ("CREATE INDEX slow ON feed_post (caption);", "require-concurrent-index-creation"),
        ("ALTER TABLE feed_post ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES b (id);", "constraint-missing-not-valid"),
    ],
)
def test_a_statement_that_old_code_or_a_big_table_does_not_survive_is_named(statement, rule, tmp_path, capsys):
    file = tmp_path / "feed_0099.sql"
    file.write_text(f"{statement}\n")

    assert lint([file]) == 1
    assert rule in capsys.readouterr().out


def test_a_nullable_column_and_a_new_table_pass(tmp_path, capsys):
    file = tmp_path / "feed_0099.sql"
    file.write_text("ALTER TABLE feed_post ADD COLUMN title text;\nCREATE TABLE b (id uuid PRIMARY KEY);\n")

    assert lint([file]) == 0
    assert capsys.readouterr().out == ""
