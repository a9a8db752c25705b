"""A migration that would break old code, or lock a table for long, does not pass `make check`."""

import subprocess
import sys

import pytest

from local.migrations import EXEMPT, lint


def test_the_migrations_of_this_project_pass_without_a_database():
    finished = subprocess.run([sys.executable, "-m", "local.migrations"], capture_output=True, text=True, check=False)

    assert (finished.stdout, finished.returncode) == ("", 0)


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


def test_every_exemption_gives_its_reason():
    assert all(reason for reason in EXEMPT.values())
